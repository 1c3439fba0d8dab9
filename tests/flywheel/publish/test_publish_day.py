"""A day's candidate becomes a release, or nothing of it does."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
import pytest

from flywheel.core.errors import BadSetting, CorruptObject, NothingToPublish
from flywheel.core.releases import Release, list_releases, read_file, tags
from flywheel.core.settings import Settings
from flywheel.publish.day import Refusal

if TYPE_CHECKING:
    from tests.flywheel.publish.conftest import Desk

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
        "rows": {"train": len(train), "heldout": len(heldout), "preferences": 0},
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
    assert gate["candidate"] == published.content_hash == busy_desk.lake.scalar("select candidate from release_profiles")


def test_the_lake_version_of_a_release_holds_what_it_was_made_of(published: Release, busy_desk: "Desk") -> None:
    then = "select count(*) from corrections at (version => {})".format(int(published.manifest["lake_version"]))
    busy_desk.correct([99], day=date(2026, 2, 1))
    assert (busy_desk.lake.scalar(then), busy_desk.count("corrections")) == (40, 41)


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
def poisoned_desk(busy_desk: "Desk", tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple["Desk", dict[str, Attempt]]]:
    """Publish honest corrections, then try one poisoned batch after the other."""
    rare = {"chosen": "rare"}
    busy_desk.correct(range(100, 101), **rare)
    busy_desk.released()
    attempts = {}
    for place, (kind, poison) in enumerate(POISON.items(), start=2):
        numbers, before = range(place * 100, place * 100 + 40), busy_desk.objects()
        busy_desk.correct(numbers[:8], day=TUESDAY, **poison.fifth)
        busy_desk.correct(numbers[8:], day=TUESDAY, **poison.rest)
        attempts[kind] = Attempt(busy_desk.publish(TUESDAY), numbers, before, busy_desk.objects())
    yield busy_desk, attempts
