"""A day's candidate becomes a release, or nothing of it does."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
import pytest

from flywheel.core.errors import BadSetting, CorruptObject, NothingToPublish, VersionTaken
from flywheel.core.lake import Lake
from flywheel.core.release_check import check_releases
from flywheel.core.releases import Release, list_releases, publish_files, read_file
from flywheel.core.settings import Settings
from flywheel.core.tags import tags
from flywheel.publish.day import Refusal
from flywheel.publish.trust import proof_of_signature

if TYPE_CHECKING:
    from tests.flywheel.publish.conftest import Desk

pytestmark = pytest.mark.xdist_group("publish_day")  # its tests share two lakes

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
FILES = [
    "card.md",
    "exports/openai-dpo.jsonl",
    "exports/openai-sft.jsonl",
    "exports/trl-dpo.jsonl",
    "exports/trl-kto.jsonl",
    "exports/trl-sft.jsonl",
    "gate.json",
    "heldout.parquet",
    "preferences.parquet",
    "retired.parquet",
    "train.parquet",
]


@pytest.fixture(scope="module")
def published(busy_desk: "Desk") -> Release:
    return busy_desk.released()


def names(numbers: range) -> set[str]:
    return {f"{number:04x}" for number in numbers}


def test_a_release_has_its_files_and_its_facts(published: Release, busy_desk: "Desk") -> None:
    train, heldout = busy_desk.ids_in(1, "train"), busy_desk.ids_in(1, "heldout")
    assert (train | heldout, train & heldout) == (names(range(40)), set())
    assert sorted(published.manifest["files"]) == FILES
    facts = ("version", "parent", "rows", "rows_by_author_kind", "reference")
    assert {key: published.manifest[key] for key in facts} == {
        "version": 1,
        "parent": None,
        "rows": {"train": len(train), "heldout": len(heldout), "retired": 0, "preferences": 0},
        "rows_by_author_kind": {"human": 40},
        "reference": "traffic of 7 days",
    }
    assert tags(busy_desk.store, "corrections") == {"latest": 1}


def test_the_gate_is_on_record_in_the_lake_and_in_the_release(published: Release, busy_desk: "Desk") -> None:
    gate = orjson.loads(read_file(busy_desk.store, published, "gate.json"))
    landed = busy_desk.lake.frame("select suite, expectation, subject, bound, is_success from gates")
    shown = [tuple(result[name] for name in landed.columns) for result in gate["results"]]
    assert len(shown) > 50
    assert sorted(landed.iter_rows()) == sorted(shown)
    assert published.manifest["gate_sha256"] == published.manifest["files"]["gate.json"]["sha256"]
    assert (
        gate["candidate"] == published.content_hash == busy_desk.lake.scalar("select candidate from release_profiles")
    )


def test_the_lake_version_of_a_release_holds_what_it_was_made_of(published: Release, busy_desk: "Desk") -> None:
    busy_desk.correct([99], day=date(2026, 2, 1))
    with Lake.open(busy_desk.settings, at=published.manifest["lake_version"]) as then:
        assert (then.scalar("select count(*) from corrections"), busy_desk.count("corrections")) == (40, 41)


def test_publishing_twice_is_one_version(published: Release, busy_desk: "Desk") -> None:
    before, gate_count = busy_desk.objects(), busy_desk.count("gates")
    assert busy_desk.publish(TUESDAY, hour=20) == published
    assert (busy_desk.objects(), busy_desk.count("gates")) == (before, gate_count)


def test_new_corrections_are_the_next_version(desk: "Desk") -> None:
    desk.correct(range(40))
    desk.released(MONDAY)
    desk.correct(range(40, 80), day=TUESDAY)
    release = desk.released(TUESDAY)
    assert (release.version, release.manifest["parent"], release.manifest["reference"]) == (2, 1, "parent release")
    assert tags(desk.store, "corrections") == {"latest": 2}
    assert (desk.ids_in(1), desk.ids_in(2)) == (names(range(40)), names(range(80)))
    assert [desk.ids_in(1, side) <= desk.ids_in(2, side) for side in ("train", "heldout")] == [True, True]


@dataclass(frozen=True)
class Poison:
    """A batch of forty: what is wrong with a fifth of it, or with all of it, and a promise that this breaks."""

    promise: str
    fifth: dict[str, Any]
    rest: dict[str, Any]


_BETWEEN = "release_profiles.expect_column_values_to_be_between"
POISON = {
    "mail": Poison(f"{_BETWEEN}(personal_count)", {"chosen": "write to jo@example.org"}, {}),
    "mail_in_a_turn": Poison(
        "corrections.expect_column_values_to_not_match_regex(input)",
        {"input": '[{"role": "user", "content": "I am jo@example.org"}]'},
        {},
    ),
    "phone_in_a_turn": Poison(
        f"{_BETWEEN}(personal_count)", {"input": '[{"role": "user", "content": "call +44 20 7946 0958"}]'}, {}
    ),
    "one_label": Poison(f"{_BETWEEN}(top_label_share)", {}, {"chosen": "refund"}),
    "another_mix": Poison(f"{_BETWEEN}(label_drift)", {"chosen": "rare"}, {"chosen": "rare"}),
    "unchanged": Poison(
        "corrections.expect_column_pair_values_to_differ(chosen, rejected)", {"chosen": "Unknown "}, {}
    ),
    "untrusted": Poison(
        f"{_BETWEEN}(untrusted_count)", {"author_kind": "ai", "author_id": "stranger", "depth": 1}, {}
    ),
    "deep": Poison("corrections.expect_column_values_to_be_between(depth)", {"depth": 4}, {}),
    "repeated": Poison(f"{_BETWEEN}(duplicate_share)", {}, {"query": "again and again", "chosen": "refund"}),
}


@dataclass(frozen=True)
class Attempt:
    """What came of a batch, and what was in the store before and after."""

    outcome: Release | Refusal
    numbers: range
    before: dict[str, bytes]
    after: dict[str, bytes]


@pytest.fixture(scope="module")
def poisoned(
    desk_in: "Callable[[Path], AbstractContextManager[Desk]]", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple["Desk", dict[str, Attempt]]]:
    """Publish honest corrections, then try one poisoned batch after the other on the same desk."""
    with desk_in(tmp_path_factory.mktemp("poisoned")) as desk:
        desk.correct(range(40))
        desk.correct(range(40, 43), chosen="rare")
        desk.released(MONDAY)
        attempts = {}
        for place, (kind, poison) in enumerate(POISON.items(), start=1):
            numbers, before = range(place * 100, place * 100 + 40), desk.objects()
            desk.correct(numbers[:8], day=TUESDAY, **poison.fifth)
            desk.correct(numbers[8:], day=TUESDAY, **poison.rest)
            attempts[kind] = Attempt(desk.publish(TUESDAY), numbers, before, desk.objects())
        yield desk, attempts


Poisoned = tuple["Desk", dict[str, Attempt]]


@pytest.mark.parametrize("kind", POISON)
def test_poison_is_refused_and_nothing_of_it_is_written(poisoned: Poisoned, kind: str) -> None:
    attempt = poisoned[1][kind]
    assert isinstance(attempt.outcome, Refusal)
    assert POISON[kind].promise in attempt.outcome.failed_names
    assert attempt.after == attempt.before


@pytest.mark.parametrize("kind", POISON)
def test_a_refusal_sets_the_new_rows_aside_and_no_other(poisoned: Poisoned, kind: str) -> None:
    desk, attempts = poisoned
    refusal, numbers = attempts[kind].outcome, attempts[kind].numbers
    query = "select * from quarantine where refused_id between $first and $last"
    aside = desk.lake.frame(query, first=f"{numbers[0]:04x}", last=f"{numbers[-1]:04x}")
    assert isinstance(refusal, Refusal)
    assert (set(aside["refused_id"]), refusal.quarantined_count) == (names(numbers), 40)
    assert aside.select("reason", "table_name").unique().rows() == [("gate_refused", "corrections")]
    assert POISON[kind].promise.partition("(")[2][:-1] in aside["detail"][0]


@pytest.mark.parametrize("kind", POISON)
def test_a_refusal_is_on_record(poisoned: Poisoned, kind: str) -> None:
    desk, attempts = poisoned
    refusal = attempts[kind].outcome
    assert isinstance(refusal, Refusal)
    recorded = desk.lake.frame("select * from gates where candidate = $c", c=refusal.candidate)
    broken = recorded.filter(~pl.col("is_success") & (pl.col("severity") == "critical"))
    assert recorded.height > 50
    assert sorted(broken["rows_query"]) == sorted(result.rows_query for result in refusal.failed)
    assert desk.lake.frame(
        "select new_count from release_profiles where candidate = $c", c=refusal.candidate
    ).rows() == [(40,)]


def test_after_all_that_honest_work_is_published(poisoned: Poisoned) -> None:
    desk, _ = poisoned
    assert desk.count("quarantine") == 40 * len(POISON)
    desk.correct(range(50, 60), day=TUESDAY)
    assert desk.released(TUESDAY).version == 2
    assert desk.ids_in(2) == names(range(43)) | names(range(50, 60))


def test_rows_that_broke_a_promise_are_found_by_its_query(desk: "Desk") -> None:
    desk.correct(range(4))
    desk.correct([5], chosen="mail jo@example.org")
    (broken,) = [result for result in desk.refused().failed if result.subject == "chosen"]
    assert desk.lake.frame(broken.rows_query)["correction_id"].to_list() == ["0005"]
    with pytest.raises(NothingToPublish, match="no accepted corrections"):
        desk.publish()
    assert desk.count("quarantine") == 5


def test_a_row_somebody_withdraws_leaves_and_one_that_vanishes_stops_the_gate(desk: "Desk") -> None:
    desk.correct(range(20))
    desk.released(MONDAY)
    withdrawn = {"day": TUESDAY, "quarantine_id": "q", "table_name": "corrections", "refused_id": "0007"}
    desk.land("quarantine", [withdrawn | {"reason": "forgotten", "quarantined_at": datetime(2026, 1, 6, tzinfo=UTC)}])
    assert desk.released(TUESDAY).version == 2
    assert desk.ids_in(2) == names(range(20)) - {"0007"}
    desk.lake.connection.execute("delete from corrections where correction_id = '0008'")
    refusal = desk.refused(TUESDAY)
    assert refusal.failed_names == [f"{_BETWEEN}(lost_count)"]
    assert refusal.quarantined_count == 0


def test_there_is_nothing_to_publish_of_nothing(desk: "Desk") -> None:
    with pytest.raises(NothingToPublish):
        desk.publish()
    assert (desk.objects(), desk.count("gates"), desk.count("release_profiles")) == ({}, 0, 0)


def test_a_parent_that_was_changed_is_not_built_upon(desk: "Desk") -> None:
    desk.correct(range(5))
    path = Path(desk.store.url(f"{desk.released().folder}/train.parquet"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    desk.correct([50])
    with pytest.raises(CorruptObject, match=r"1/train\.parquet has sha256"):
        desk.publish()
    assert [release.version for release in list_releases(desk.store)] == [1]


class BusyLake(Lake):
    """A lake on which somebody else publishes while the gate is open."""

    rival: Callable[[], object]

    def land(self, table: str, rows: pl.DataFrame, run_id: str = "") -> int:
        if table == "gates":
            self.rival()
        return super().land(table, rows, run_id)


def test_a_candidate_is_not_published_on_top_of_another_parent(desk: "Desk") -> None:
    desk.correct(range(10))
    desk.released(MONDAY)
    desk.correct(range(10, 20), day=TUESDAY)
    lake = BusyLake(desk.lake.connection, desk.settings)
    files = {name: read_file(desk.store, list_releases(desk.store)[0], name) for name in FILES}
    at = datetime(2026, 1, 9, tzinfo=UTC)
    lake.rival = lambda: publish_files(desk.store, "corrections", files, {"content_hash": "rival"}, at)
    with pytest.raises(VersionTaken, match="Version 2"):
        replace(desk, lake=lake).publish(TUESDAY)
    assert [release.content_hash for release in list_releases(desk.store)][1:] == ["rival"]
    release = desk.released(TUESDAY)
    assert (release.version, release.manifest["parent"], desk.ids_in(3)) == (3, 2, names(range(20)))


@pytest.mark.parametrize("name", ["../outside", "a/b", ""])
def test_a_dataset_name_that_is_no_name_is_refused(busy_desk: "Desk", tmp_path: Path, name: str) -> None:
    settings = Settings(lake=str(tmp_path / "lake"), dataset=name)
    with pytest.raises(BadSetting, match="'dataset'"):
        replace(busy_desk, settings=settings).publish()
    assert list(tmp_path.iterdir()) == []


def test_a_release_is_signed_where_a_key_is_set(
    desk_in: Callable[..., AbstractContextManager[Any]], tmp_path: Path
) -> None:
    if shutil.which("minisign") is None:
        pytest.skip("minisign is not installed (Debian: apt-get install minisign)")
    subprocess.run(["minisign", "-G", "-W", "-p", "public", "-s", "secret"], cwd=tmp_path, check=True)
    with desk_in(tmp_path) as desk:
        desk.correct(range(20))
        lost = replace(desk, settings=desk.settings.model_copy(update={"signing_key": tmp_path / "nowhere"}))
        with pytest.raises(BadSetting, match="signing_key"):
            lost.publish()
        assert list_releases(desk.store, "corrections") == []
        signing = replace(desk, settings=desk.settings.model_copy(update={"signing_key": tmp_path / "secret"}))
        release = signing.released()
        proof = proof_of_signature(desk.store, release, ((tmp_path / "public").read_text(),))
        assert proof.is_kept, proof
        assert check_releases(desk.store) == []
