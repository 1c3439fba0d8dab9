"""A release is proved from its objects alone."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from flywheel.core.ids import sha256_of
from flywheel.core.releases import Release, find_release
from flywheel.publish.release_rows import content_hash_of, read_rows
from flywheel.publish.verify import check_files, prove

DAY = date(2026, 1, 5)


@pytest.fixture(scope="module")
def two_versions(
    tmp_path_factory: pytest.TempPathFactory, desk_in: Callable[[Path], AbstractContextManager[Any]]
) -> Iterator[Any]:
    """Open a desk with two versions; each test leaves them as they were."""
    with desk_in(tmp_path_factory.mktemp("two")) as desk:
        desk.correct(range(40))
        desk.lake.build("preferences", DAY)
        desk.released()
        desk.correct(range(40, 50))
        desk.released()
        yield desk


@pytest.fixture
def desk(two_versions: Any) -> Iterator[Any]:
    kept = two_versions.objects()
    yield two_versions
    for name, data in kept.items():
        two_versions.store.put(name, data)


def release(desk: Any, version: int = 2) -> Release:
    return find_release(desk.store, "corrections", str(version))


def rewrite(desk: Any, version: int, changed: dict[str, bytes], **facts: Any) -> Release:
    """Put other files in a release's place, with a manifest that says so: a forger who knows the format."""
    found = release(desk, version)
    files = dict(found.manifest["files"])
    for name, data in changed.items():
        desk.store.put(f"{found.folder}/{name}", data)
        files[name] = {"bytes": len(data), "sha256": sha256_of(data)}
    manifest = {**found.manifest, **facts, "files": files}
    desk.store.put(f"{found.folder}/manifest.json", orjson.dumps(manifest))
    return release(desk, version)


def parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def side(desk: Any, name: str, version: int = 2) -> pl.DataFrame:
    return pl.read_parquet(desk.store.read(f"releases/corrections/{version}/{name}.parquet"))


def broken(desk: Any, of: Release) -> set[str]:
    return {proof.check for proof in prove(desk.store, of) if not proof.is_kept}


@pytest.mark.parametrize("version", [1, 2])
def test_what_was_published_is_proved(desk: Any, version: int) -> None:
    found = release(desk, version)
    assert all(file.is_intact for file in check_files(desk.store, found))
    proofs = prove(desk.store, found)
    assert [proof for proof in proofs if not proof.is_kept] == []
    assert len(proofs) == 17


def test_a_changed_and_a_missing_file_are_named(desk: Any) -> None:
    desk.store.put("releases/corrections/2/card.md", b"changed")
    desk.store.delete("releases/corrections/2/train.parquet")
    found = {file.file: file.found for file in check_files(desk.store, release(desk)) if not file.is_intact}
    assert found == {"card.md": sha256_of(b"changed"), "train.parquet": "no such file"}


def test_a_changed_row_is_not_what_was_published(desk: Any) -> None:
    train = side(desk, "train").with_columns(chosen=pl.lit("refund"))
    assert broken(desk, rewrite(desk, 2, {"train.parquet": parquet(train)})) == {
        "content hash is that of the rows",
        *(f"exports/{form}.jsonl holds the training rows" for form in ("openai-sft", "openai-dpo")),
        *(f"exports/{form}.jsonl holds the training rows" for form in ("trl-sft", "trl-dpo", "trl-kto")),
    }


def test_a_lost_row_is_missed(desk: Any) -> None:
    heldout = side(desk, "heldout").head(1)
    found = broken(desk, rewrite(desk, 2, {"heldout.parquet": parquet(heldout)}))
    assert {"content hash is that of the rows", "row counts are those of the manifest"} <= found


def test_a_held_out_row_among_what_is_trained_on_is_found(desk: Any) -> None:
    """Even where hashes and counts were made to fit."""
    moved = side(desk, "heldout").filter(pl.col("correction_id").is_in(sorted(desk.ids_in(1, "heldout")))).head(1)
    train = pl.concat([side(desk, "train"), moved.with_columns(split=pl.lit("train"))]).sort("correction_id")
    heldout = side(desk, "heldout").join(moved, on="correction_id", how="anti")
    forged = rewrite(desk, 2, {"train.parquet": parquet(train), "heldout.parquet": parquet(heldout)})
    preferences = side(desk, "preferences").sort("preference_id")
    forged = rewrite(desk, 2, {}, content_hash=content_hash_of(read_rows(desk.store, forged), preferences))
    assert "nothing held out before is trained on" in broken(desk, forged)
    assert "content hash is that of the rows" not in broken(desk, forged)


@pytest.mark.parametrize(
    ("column", "check"),
    [("query", "no near-duplicate crosses the sides"), ("group_id", "a group is on one side")],
)
def test_a_twin_on_the_other_side_is_found(desk: Any, column: str, check: str) -> None:
    copied = side(desk, "heldout")[column][0]
    is_first = pl.int_range(pl.len()) == 0
    train = side(desk, "train").with_columns(
        pl.when(is_first).then(pl.lit(copied)).otherwise(pl.col(column)).alias(column)
    )
    assert check in broken(desk, rewrite(desk, 2, {"train.parquet": parquet(train)}))


def test_what_was_trained_on_cannot_measure(desk: Any) -> None:
    taught = side(desk, "train", 1).head(1)
    heldout = pl.concat([side(desk, "heldout"), taught.with_columns(split=pl.lit("heldout"))])
    found = broken(desk, rewrite(desk, 2, {"heldout.parquet": parquet(heldout)}))
    assert {"nothing trained on before is held out", "a correction is there once"} <= found


def test_a_preference_of_a_row_that_is_not_trained_on_is_found(desk: Any) -> None:
    held = side(desk, "heldout")["correction_id"][0]
    preferences = side(desk, "preferences").with_columns(correction_id=pl.lit(held))
    found = broken(desk, rewrite(desk, 2, {"preferences.parquet": parquet(preferences)}))
    assert "preferences are of training rows" in found


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"candidate": "other"}, "the gate judged this content"),
        ({"results": []}, "every critical promise was kept"),
    ],
)
def test_a_gate_of_something_else_is_none(desk: Any, change: dict[str, Any], check: str) -> None:
    gate = orjson.loads(desk.store.read("releases/corrections/2/gate.json"))
    assert broken(desk, rewrite(desk, 2, {"gate.json": orjson.dumps(gate | change)})) == {check}


def test_a_broken_critical_promise_is_named(desk: Any) -> None:
    gate = orjson.loads(desk.store.read("releases/corrections/2/gate.json"))
    critical = next(result for result in gate["results"] if result["severity"] == "critical")
    critical["is_success"] = False
    forged = rewrite(desk, 2, {"gate.json": orjson.dumps(gate)})
    (proof,) = [proof for proof in prove(desk.store, forged) if not proof.is_kept]
    assert proof.found == f"{critical['suite']}.{critical['expectation']}"


def test_a_version_that_is_missing_is_noticed(desk: Any) -> None:
    desk.store.delete("releases/corrections/1/manifest.json")
    assert broken(desk, release(desk)) == {"its parent is the version before", "no version before it is missing"}
