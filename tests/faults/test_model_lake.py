"""The whole lake, with its gate, forgetting and compaction, holds what a simple model of it says."""

import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from flywheel.core.errors import NothingToPublish, UsageError
from flywheel.core.lake import Lake
from flywheel.core.lake_check import check_tables
from flywheel.core.lake_compact import compact_lake
from flywheel.core.marks import forgotten_rows
from flywheel.core.release_check import check_releases
from flywheel.core.releases import find_release, list_releases
from flywheel.core.settings import Settings
from flywheel.core.tags import move_tag, roll_back, tags
from flywheel.ingest.files import ingest_file
from flywheel.ingest.forget import forget
from flywheel.ingest.forget_rows import Subject
from flywheel.publish.day import publish_day
from flywheel.publish.release_rows import read_rows
from tests.faults.acts import call, correction
from tests.faults.brittle import BrittleStore, Fate, drive

DATASET = "corrections"
DAY, NOW = date(2026, 1, 5), datetime(2026, 1, 9, tzinfo=UTC)


PEOPLE = ("ann", "bob", "cid")


class WholeLake(RuleBasedStateMachine):
    """People's calls are corrected and published, people are forgotten, the lake is compacted; publishers die."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.settings = Settings(lake=str(self.folder / "lake"))
        self.store = BrittleStore(self.settings.lake_root)
        self.live: dict[str, str] = {}  # corrections, and whose call each is of
        self.versions: list[frozenset[str]] = []
        self.unfinished: frozenset[str] | None = None  # what a dead publisher may have claimed, or published
        self.origins: dict[int, int] = {}  # the lake's version each release was made from, where it is not forgotten
        self.gone: set[str] = set()
        self.count = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @initialize()
    def land_calls(self) -> None:
        log = self.folder / "log.jsonl"
        log.write_text("".join(call(number, user, f"{user} asks") for number, user in enumerate(PEOPLE * 4)))
        with Lake.open(self.settings) as lake:
            ingest_file(lake, str(log), now=NOW)
            lake.build("traces", DAY)
            self.calls = dict(lake.frame("select response_id, trace_id from raw_traces").iter_rows())

    @rule(count=st.integers(1, 6), who=st.sampled_from(range(len(PEOPLE))))
    def correct(self, count: int, who: int) -> None:
        if PEOPLE[who] in self.gone:
            return
        made = range(self.count, self.count + count)
        self.count += count
        trace_id = self.calls[f"r-{who}"]
        rows = [correction(number) | {"trace_id": trace_id} for number in made]
        with Lake.open(self.settings) as lake:
            lake.land("corrections", lake.typed("corrections", rows))
        self.live |= {row["correction_id"]: PEOPLE[who] for row in rows}

    @rule(death=st.one_of(st.none(), st.integers(0, 40)), is_torn=st.booleans())
    def publish(self, death: int | None, is_torn: bool) -> None:
        with Fate(self.store, death, is_torn) as fate, Lake.open(self.settings) as lake:
            try:
                publish_day(lake, self.store, self.settings, DAY, NOW)
            except NothingToPublish:
                assert not self.live
                return
        self._settle()
        wanted = frozenset(self.live)
        if fate.is_dead:
            self.unfinished = wanted
            self._settle()
        elif self.versions[-1:] != [wanted]:
            self.versions.append(wanted)
        if not fate.is_dead:
            newest = list_releases(self.store, DATASET)[-1]
            assert newest.version == len(self.versions)
            self.origins[newest.version] = newest.manifest["lake_version"]

    def _settle(self) -> None:
        """Take note of what a dead publisher left, if it is there by now."""
        count = len(list_releases(self.store, DATASET))
        if (
            self.unfinished is not None
            and count > len(self.versions)
            and self._content(len(self.versions) + 1) == self.unfinished
        ):
            self.versions.append(self.unfinished)
            self.unfinished = None

    @precondition(lambda self: self.live)
    @rule(who=st.sampled_from(range(len(PEOPLE))))
    def forget(self, who: int) -> None:
        person = PEOPLE[who]
        with Lake.open(self.settings) as lake:
            forget(lake, self.store, Subject("actor", person), NOW)
            assert lake.scalar("select count(*) from lake.snapshots()") == 1  # no older one tells of anybody
        self.origins.clear()
        self.gone.add(person)
        of_person = {one for one, whose in self.live.items() if whose == person}
        marks = forgotten_rows(self.store, DATASET)
        for version, content in enumerate(self.versions, start=1):
            assert bool(marks.get(version)) >= bool(content & of_person), (version, marks)
        self.live = {one: whose for one, whose in self.live.items() if whose != person}

    @rule(keep_days=st.one_of(st.none(), st.just(0)))
    def compact(self, keep_days: int | None) -> None:
        with Lake.open(self.settings) as lake:
            compact_lake(lake, self.store, datetime.now(UTC) + timedelta(days=3), keep_days=keep_days)
        for version, lake_version in self.origins.items():
            with Lake.open(self.settings, at=lake_version) as then:
                assert then.scalar("select count(*) from corrections") == len(self.versions[version - 1])

    @precondition(lambda self: len(self.versions) > 1)
    @rule()
    def roll_back_and_forward(self) -> None:
        newest = tags(self.store, DATASET)["latest"]
        if newest > 1 and newest == len(self.versions):
            try:
                before, after = roll_back(self.store, DATASET, "latest", NOW)
            except UsageError:  # it never pointed below
                return
            assert before > after
            move_tag(self.store, DATASET, "latest", newest, NOW)

    def _content(self, version: int) -> frozenset[str]:
        return frozenset(read_rows(self.store, find_release(self.store, DATASET, str(version)))["correction_id"])

    @invariant()
    def nothing_is_lost_and_nothing_is_back(self) -> None:
        with Lake.open(self.settings) as lake:
            assert set(lake.frame("select correction_id from corrections")["correction_id"]) == set(self.live)
            found = [*check_tables(lake, self.store, NOW, is_deep=True).findings]
        assert [one for one in found if one.kind.is_fault] == []
        assert [one for one in check_releases(self.store, is_deep=True) if one.kind.is_fault] == []
        self._settle()
        assert [self._content(version) for version in range(1, len(self.versions) + 1)] == self.versions
        assert len(list_releases(self.store, DATASET)) == len(self.versions)


def test_the_lake_is_as_the_model_says() -> None:
    lake = WholeLake()
    steps: list[Callable[[], object]] = [
        lake.land_calls,
        partial(lake.correct, count=6, who=0),
        partial(lake.correct, count=3, who=1),
        partial(lake.publish, death=None, is_torn=False),
        partial(lake.correct, count=2, who=1),
        partial(lake.publish, death=14, is_torn=True),
        partial(lake.publish, death=None, is_torn=False),
        partial(lake.compact, keep_days=0),
        lake.roll_back_and_forward,
        partial(lake.forget, who=0),
        partial(lake.publish, death=None, is_torn=False),
    ]
    for step in steps:
        step()
        lake.nothing_is_lost_and_nothing_is_back()
    assert [len(version) for version in lake.versions] == [9, 11, 5]
    lake.teardown()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_lake_is_as_the_model_says_at_length() -> None:
    drive(WholeLake, examples=40, steps=12)
