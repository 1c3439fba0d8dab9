"""What is wrong with a release is named, and what a killed publisher left is finished; nothing else is touched."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from flywheel.core.findings import Kind
from flywheel.core.release_check import check_releases
from flywheel.core.release_repair import repair_releases
from flywheel.core.releases import list_releases, publish_files
from flywheel.core.repair_steps import RepairPolicy, State
from flywheel.core.storage import FolderStore
from flywheel.core.tags import tags

NOW = datetime(2026, 1, 2, 3, tzinfo=UTC)
CHANGED = b"ONE"
Sabotage = Callable[[FolderStore], object]


class Killed(RuntimeError):
    """The publisher died here."""


class MortalStore(FolderStore):
    """A folder whose writer dies right before it writes a name that ends like this."""

    def __init__(self, root: str, end: str) -> None:
        super().__init__(root)
        self._end = end

    def put_new(self, name: str, data: bytes) -> bool:
        if name.endswith(self._end):
            raise Killed
        return super().put_new(name, data)


def publish(store: FolderStore, text: str) -> None:
    files = {"train.txt": text.encode(), "exports/chat.jsonl": b"about"}
    publish_files(store, "d", files, {"content_hash": text, "lake_version": 7}, NOW)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    made = FolderStore(str(tmp_path))
    publish(made, "one")
    return made


def kinds(store: FolderStore, *, is_deep: bool = True) -> list[tuple[str, str]]:
    return [(finding.kind.value, finding.object) for finding in check_releases(store, is_deep=is_deep)]


def repaired(store: FolderStore, policy: RepairPolicy = RepairPolicy(), now: datetime = NOW) -> list[tuple[str, str]]:  # noqa: B008 - frozen
    return [(step.state.value, step.object) for step in repair_releases(store, now, policy)]


def everything(store: FolderStore) -> dict[str, bytes]:
    return {name: store.read(name) for name in store.names("")}


def test_a_whole_release_is_clean(store: FolderStore) -> None:
    assert kinds(store) == []
    before = everything(store)
    assert repaired(store) == []
    assert everything(store) == before


@pytest.mark.parametrize(
    ("sabotage", "found"),
    [
        (lambda s: s.delete("releases/d/1/train.txt"), ("missing", "releases/d/1/train.txt")),
        (lambda s: s.put("releases/d/1/train.txt", b"o"), ("size", "releases/d/1/train.txt")),
        (lambda s: s.put("releases/d/1/train.txt", CHANGED), ("corrupted", "releases/d/1/train.txt")),
        (lambda s: s.delete("releases/d/1/manifest.json"), ("missing", "releases/d/1/manifest.json")),
        (lambda s: s.put("releases/d/1/manifest.json", b"{"), ("unreadable", "releases/d/1/manifest.json")),
        (lambda s: s.put("releases/d/9/x.txt", b""), ("missing", "releases/d/9/manifest.json")),
        (lambda s: s.put("tags/d/prod/00000000.json", b'{"version": 9}'), ("tag", "tags/d/prod/00000000.json")),
        (lambda s: s.put("tags/d/prod/00000000.json", b"{"), ("unreadable", "tags/d/prod/00000000.json")),
        (lambda s: s.put("claims/d/00000002.json", b"{"), ("unreadable", "claims/d/00000002.json")),
        (lambda s: s.put("staged/d/abc", b""), ("staged", "staged/d/abc")),
    ],
)
def test_each_sabotage_is_named(store: FolderStore, sabotage: Sabotage, found: tuple[str, str]) -> None:
    sabotage(store)
    # without its manifest a release is not there, so the tag that means it points nowhere
    others = [("tag", "tags/d/latest/00000000.json")] if found == ("missing", "releases/d/1/manifest.json") else []
    assert kinds(store) == [found, *others]


def test_only_a_deep_check_reads_the_files(store: FolderStore) -> None:
    store.put("releases/d/1/train.txt", CHANGED)
    assert kinds(store, is_deep=False) == []


def test_a_withdrawn_release_is_no_fault_once_no_tag_means_it(store: FolderStore) -> None:
    publish(store, "two")
    for name in store.names("releases/d/1"):
        store.delete(name)
    assert kinds(store) == []


def test_a_publish_that_died_is_unfinished_and_gets_finished(store: FolderStore) -> None:
    with pytest.raises(Killed):
        publish(MortalStore(store.root, "2/manifest.json"), "two")
    assert kinds(store) == [("unfinished", "claims/d/00000002.json")]
    planned = repaired(store, RepairPolicy(is_dry_run=True))
    assert planned == [("planned", "claims/d/00000002.json")]
    assert [release.version for release in list_releases(store)] == [1]
    assert repaired(store) == [("done", "claims/d/00000002.json")]
    assert [release.version for release in list_releases(store)] == [1, 2]
    assert tags(store, "d") == {"latest": 2}
    assert store.names("staged") == []
    assert kinds(store) == []
    assert repaired(store) == []


def test_staged_files_are_kept_as_long_as_somebody_may_need_them(store: FolderStore) -> None:
    with pytest.raises(Killed):
        publish(MortalStore(store.root, "00000002.json"), "two")  # staged, and did not come to claim
    left = store.names("staged")
    assert kinds(store) == [("staged", name) for name in left]
    written_at = datetime.fromtimestamp((Path(store.root) / left[0]).stat().st_mtime, UTC)
    assert repaired(store, now=written_at + timedelta(hours=1)) == [("left", name) for name in left]
    assert store.names("staged") == left
    assert repaired(store, now=written_at + timedelta(hours=25)) == [("done", name) for name in left]
    assert store.names("staged") == []


def test_what_a_complete_release_staged_goes_at_once(store: FolderStore) -> None:
    staged = orjson.loads(store.read("claims/d/00000001.json"))["staged"]["train.txt"]
    store.put(staged, b"one")
    assert kinds(store) == [("staged", staged)]
    assert repaired(store) == [("done", staged)]
    assert store.names("staged") == []


def test_a_claim_that_cannot_be_finished_names_what_it_lacks(store: FolderStore) -> None:
    with pytest.raises(Killed):
        publish(MortalStore(store.root, "2/manifest.json"), "two")
    for name in store.names("releases/d/2"):
        store.delete(name)
    gone, kept = store.names("staged")
    store.delete(gone)
    assert kinds(store) == [("missing", gone)]
    assert repaired(store, now=NOW + timedelta(days=9999)) == [("left", gone)]
    assert store.names("staged") == [kept]


def test_a_lost_manifest_is_written_again_from_its_claim(store: FolderStore) -> None:
    before = everything(store)
    store.delete("releases/d/1/manifest.json")
    assert repaired(store) == [("done", "releases/d/1/manifest.json")]
    assert everything(store) == before


def test_a_lost_manifest_of_changed_files_stays_lost(store: FolderStore) -> None:
    store.delete("releases/d/1/manifest.json")
    store.put("releases/d/1/train.txt", CHANGED)
    states = {step.object: step for step in repair_releases(store, NOW, RepairPolicy())}
    assert states["releases/d/1/manifest.json"].state is State.LEFT
    assert states["releases/d/1/manifest.json"].is_fault
    assert store.names("releases") == ["releases/d/1/exports/chat.jsonl", "releases/d/1/train.txt"]


def test_kinds_know_which_are_faults() -> None:
    assert {kind.value for kind in Kind if not kind.is_fault} == {
        "orphaned",
        "unfinished",
        "staged",
        "outside",
        "uncompacted",
    }
