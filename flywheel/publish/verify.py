"""Prove a release from its objects alone: that it is what was published, and that nothing held out is trained on."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import polars as pl

from flywheel.core.checksums import sha256_of_object
from flywheel.core.ids import sha256_of
from flywheel.core.records import Split
from flywheel.core.releases import Release, list_releases
from flywheel.core.storage import Store
from flywheel.publish.exports.stored import FORMATS, export
from flywheel.publish.release_rows import content_hash_of, read_rows, read_side
from flywheel.text.near_duplicates import near_duplicates

GONE = "no such file"
_SHOWN = 3  # ids named where a check fails


@dataclass(frozen=True, slots=True)
class FileCheck:
    """A file of a release and what was found in its place."""

    file: str
    bytes: int
    sha256: str
    found: str

    @property
    def is_intact(self) -> bool:
        """Whether its bytes are those that the manifest recorded."""
        return self.found == self.sha256


@dataclass(frozen=True, slots=True)
class Proof:
    """Something a release promises, and whether its objects keep it."""

    check: str
    is_kept: bool
    found: str


def check_files(store: Store, release: Release) -> list[FileCheck]:
    """Read every file that the manifest names."""
    return [
        FileCheck(name, facts["bytes"], facts["sha256"], _hash_of(store, f"{release.folder}/{name}"))
        for name, facts in release.manifest["files"].items()
    ]


def prove(store: Store, release: Release) -> list[Proof]:
    """Return what a release whose files are intact promises, kept or not.

    Raises:
        CorruptObject: a file is not what was published; `check_files` says which.

    """
    rows = read_rows(store, release)
    return [
        *_proofs_of_content(store, release, rows),
        *_proofs_of_splits(rows),
        *_proofs_over_time(store, release, rows),
    ]


def _hash_of(store: Store, name: str) -> str:
    try:
        return sha256_of_object(store, name)
    except FileNotFoundError:
        return GONE


def _proofs_of_content(store: Store, release: Release, rows: pl.DataFrame) -> Iterator[Proof]:
    preferences = read_side(store, release, "preferences").sort("preference_id")
    found_hash = content_hash_of(rows, preferences)
    yield Proof("content hash is that of the rows", found_hash == release.content_hash, found_hash)
    counts = {side.value: rows.filter(pl.col("split") == side).height for side in Split}
    counts["preferences"] = preferences.height
    yield Proof(
        "row counts are those of the manifest",
        counts == dict(release.manifest["rows"]),
        ", ".join(f"{count} {name}" for name, count in counts.items()),
    )
    gate = store.read(f"{release.folder}/gate.json")
    judged = orjson.loads(gate)
    yield Proof("the gate judged this content", judged["candidate"] == release.content_hash, judged["candidate"])
    broken = [
        f"{one['suite']}.{one['expectation']}"
        for one in judged["results"]
        if not one["is_success"] and one["severity"] == "critical"
    ]
    kept = f"{len(judged['results'])} promises checked"
    yield Proof("every critical promise was kept", bool(judged["results"]) and not broken, ", ".join(broken) or kept)
    train = rows.filter(pl.col("split") == Split.TRAIN)
    stray = preferences.join(train.select("correction_id"), on="correction_id", how="anti")
    yield _none_of("preferences are of training rows", stray["preference_id"])
    for form in FORMATS:
        name = f"exports/{form}.jsonl"
        if name in release.manifest["files"]:
            is_same = sha256_of(export(train, form)) == release.manifest["files"][name]["sha256"]
            yield Proof(f"{name} holds the training rows", is_same, "as written" if is_same else "other records")


def _proofs_of_splits(rows: pl.DataFrame) -> Iterator[Proof]:
    twice = rows.filter(pl.col("correction_id").is_duplicated())
    yield _none_of("a correction is there once", twice["correction_id"].unique())
    yield _none_of("a group is on one side", _on_both_sides(rows, "group_id"))
    yield _none_of("no near-duplicate crosses the sides", _on_both_sides(_clustered(rows), "cluster_id"))


def _clustered(rows: pl.DataFrame) -> pl.DataFrame:
    """Return (split, cluster_id) of each row, ids that repeat among them."""
    numbered = rows.select(
        pl.int_range(pl.len()).cast(pl.String).alias("id"), "split", pl.col("query").fill_null("").alias("text")
    )
    return numbered.join(near_duplicates(numbered.select("id", "text")).select("id", "cluster_id"), on="id")


def _on_both_sides(rows: pl.DataFrame, group: str) -> pl.Series:
    """Return the groups that have members both to train on and held out."""
    sides = rows.group_by(group).agg(
        (pl.col("split") == Split.TRAIN).any().alias("teaches"),
        (pl.col("split") == Split.HELDOUT).any().alias("measures"),
    )
    return sides.filter(pl.col("teaches") & pl.col("measures"))[group]


def _proofs_over_time(store: Store, release: Release, rows: pl.DataFrame) -> Iterator[Proof]:
    earlier = [one for one in list_releases(store, release.dataset) if one.version < release.version]
    parent = release.manifest["parent"]
    expected = earlier[-1].version if earlier else None
    yield Proof("its parent is the version before", parent == expected, f"version {parent}")
    numbers = [one.version for one in earlier]
    is_whole = numbers == list(range(1, release.version))
    yield Proof("no version before it is missing", is_whole, f"{len(numbers)} versions before it")
    held = {name for one in earlier for name in _ids(store, one, Split.HELDOUT)}
    taught = {name for one in earlier for name in _ids(store, one, Split.TRAIN)}
    train = rows.filter(pl.col("split") == Split.TRAIN)["correction_id"]
    heldout = rows.filter(pl.col("split") == Split.HELDOUT)["correction_id"]
    yield _none_of("nothing held out before is trained on", train.filter(train.is_in(sorted(held))))
    yield _none_of("nothing trained on before is held out", heldout.filter(heldout.is_in(sorted(taught))))


def _ids(store: Store, release: Release, side: Split) -> pl.Series:
    return read_side(store, release, side, ["correction_id"])["correction_id"]


def _none_of(check: str, found: pl.Series) -> Proof:
    """Return the proof that there is none of something, else how many and the first of them."""
    if found.is_empty():
        return Proof(check, True, "none")
    ids = found.sort().cast(pl.String)[:_SHOWN].to_list()
    return Proof(check, False, f"{len(found)}: {', '.join(ids)}{', ...' if len(found) > _SHOWN else ''}")
