"""Releases do what a simple model of them says, whatever is done in whatever order and wherever it dies.

One machine drives the releases alone, fast; the other the whole lake with its gate, forgetting and compaction.
"""

import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from flywheel.core.errors import NothingToPublish, UnknownVersion, UsageError
from flywheel.core.lake import Lake
from flywheel.core.lake_check import check_tables
from flywheel.core.lake_compact import compact_lake
from flywheel.core.marks import forgotten_rows
from flywheel.core.release_check import check_releases
from flywheel.core.release_repair import repair_releases
from flywheel.core.releases import find_release, list_releases, move_tag, publish_files, read_file, roll_back, tags
from flywheel.core.repair_steps import RepairPolicy
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.ingest.files import ingest_file
from flywheel.ingest.forget import forget
from flywheel.ingest.forget_rows import Subject
from flywheel.publish.day import publish_day
from flywheel.publish.release_rows import read_rows
from tests.faults.acts import call, correction
from tests.faults.possible import State, ends, published, repaired, rolled_back, tagged

DATASET = "corrections"
DAY, NOW = date(2026, 1, 5), datetime(2026, 1, 9, tzinfo=UTC)
TAGS = st.sampled_from(["latest", "prod", "canary"])
DEATHS = st.one_of(
    st.none(), st.integers(0, 14)
)  # before which of its writes a publisher dies; most never come there


class Died(BaseException):
    """The process is gone: nothing that would tidy up after an error may take it for one."""


class BrittleStore(FolderStore):
    """A store whose user dies right before one of its writes, or in the middle of it."""

    left: int | None = None
    is_torn = False

    def put(self, name: str, data: bytes) -> None:
        self._live(name, data)
        super().put(name, data)

    def put_new(self, name: str, data: bytes) -> bool:
        self._live(name, data)
        return super().put_new(name, data)

    def delete(self, name: str) -> None:
        self._live(name, b"")
        super().delete(name)

    def _live(self, name: str, data: bytes) -> None:
        if self.left is None:
            return
        if self.left == 0:
            if self.is_torn:
                self._write_beside(self._path(name), data[: len(data) // 2])
            raise Died(name)
        self.left -= 1


class Releases(RuleBasedStateMachine):
    """Publish, tag, roll back and repair, dying now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.store = BrittleStore(self.folder)
        self.states = {State()}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @rule(content=st.sampled_from("abc"), death=DEATHS, is_torn=st.booleans())
    def publish(self, content: str, death: int | None, is_torn: bool) -> None:
        files = {f"{name}.txt": f"{name} of {content}".encode() for name in "xy"}
        with self._until(death, is_torn) as fate:
            publish_files(self.store, DATASET, files, {"content_hash": content}, NOW)
        self.states = ends((published(state, content) for state in self.states), is_dead=fate.is_dead)

    @rule(tag=TAGS, version=st.integers(1, 4), death=DEATHS, is_torn=st.booleans())
    def tag(self, tag: str, version: int, death: int | None, is_torn: bool) -> None:
        with self._until(death, is_torn) as fate:
            try:
                move_tag(self.store, DATASET, tag, find_release(self.store, DATASET, str(version)).version, NOW)
            except UnknownVersion:
                assert all(version > len(state.contents) for state in self.states)
        self.states = ends((tagged(state, tag, version) for state in self.states), is_dead=fate.is_dead)

    @rule(tag=TAGS, death=DEATHS, is_torn=st.booleans())
    def roll_back(self, tag: str, death: int | None, is_torn: bool) -> None:
        with self._until(death, is_torn) as fate:
            try:
                roll_back(self.store, DATASET, tag, NOW)
            except (UnknownVersion, UsageError):
                assert any(len(rolled_back(state, tag)) == 1 for state in self.states)
        self.states = (
            ends((rolled_back(state, tag) for state in self.states if state.log(tag)), is_dead=fate.is_dead)
            or self.states
        )

    @rule(death=DEATHS, is_torn=st.booleans())
    def repair(self, death: int | None, is_torn: bool) -> None:
        with self._until(death, is_torn) as fate:
            repair_releases(self.store, datetime.now(UTC) + timedelta(days=2), RepairPolicy())
        self.states = ends((repaired(state) for state in self.states), is_dead=fate.is_dead)
        if not fate.is_dead:
            assert self.store.names("staged") == []

    @invariant()
    def is_as_one_of_the_possible(self) -> None:
        found = list_releases(self.store, DATASET)
        for version, release in enumerate(found, start=1):
            assert release.version == version
            assert release.manifest["parent"] == (version - 1 or None)
            assert read_file(self.store, release, "y.txt") == f"y of {release.content_hash}".encode()
        seen = tuple(release.content_hash for release in found), tags(self.store, DATASET)
        self.states = {state for state in self.states if state.visible == seen}
        assert self.states, seen
        assert [one for one in check_releases(self.store, is_deep=True) if one.kind.is_fault] == []

    def _until(self, death: int | None, is_torn: bool) -> "Fate":
        return Fate(self.store, death, is_torn)


class Fate:
    """Let a store's user die at a write, and know whether it did."""

    def __init__(self, store: BrittleStore, death: int | None, is_torn: bool) -> None:
        self.store, self.death, self.is_torn, self.is_dead = store, death, is_torn, False

    def __enter__(self) -> "Fate":
        self.store.left, self.store.is_torn = self.death, self.is_torn
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> bool:
        self.store.left = None
        self.is_dead = kind is Died
        return self.is_dead


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


def drive(machine: Any, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_releases_are_as_the_model_says() -> None:
    drive(Releases, examples=25, steps=20)


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
def test_releases_are_as_the_model_says_at_length() -> None:
    drive(Releases, examples=500, steps=40)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_lake_is_as_the_model_says_at_length() -> None:
    drive(WholeLake, examples=40, steps=12)
