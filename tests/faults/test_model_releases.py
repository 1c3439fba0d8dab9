"""Releases do what a simple model of them says, whatever is done in whatever order and wherever it dies."""

import shutil
import tempfile
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
)

from flywheel.core.errors import UnknownVersion, UsageError
from flywheel.core.release_check import check_releases
from flywheel.core.release_repair import repair_releases
from flywheel.core.releases import find_release, list_releases, publish_files, read_file
from flywheel.core.repair_steps import RepairPolicy
from flywheel.core.tags import move_tag, roll_back, tags
from tests.faults.brittle import BrittleStore, Fate, drive
from tests.faults.possible import State, ends, published, repaired, rolled_back, tagged

DATASET = "corrections"
NOW = datetime(2026, 1, 9, tzinfo=UTC)
TAGS = st.sampled_from(["latest", "prod", "canary"])
# before which of its writes a publisher dies; most never come there
DEATHS = st.one_of(st.none(), st.integers(0, 14))


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


def test_releases_are_as_the_model_says() -> None:
    drive(Releases, examples=25, steps=20)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_releases_are_as_the_model_says_at_length() -> None:
    drive(Releases, examples=500, steps=40)
