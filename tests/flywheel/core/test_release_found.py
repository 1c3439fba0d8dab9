"""One release is found by reading what it takes, and published under the number it names."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flywheel.core.errors import UnknownVersion, VersionTaken
from flywheel.core.releases import Release, find_release, newest_release, publish_files
from flywheel.core.storage import FolderStore
from flywheel.core.tags import move_tag

NOW = datetime(2026, 1, 2, 3, tzinfo=UTC)


class WatchedStore(FolderStore):
    """A folder that notes what is read and listed."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.looked: list[str] = []

    def read(self, name: str) -> bytes:
        self.looked.append(name)
        return super().read(name)

    def names(self, prefix: str) -> list[str]:
        self.looked.append(prefix)
        return super().names(prefix)


@pytest.fixture
def store(tmp_path: Path) -> WatchedStore:
    return WatchedStore(str(tmp_path))


def publish(store: FolderStore, text: str) -> Release:
    return publish_files(store, "d", {"train.txt": text.encode()}, {"content_hash": text}, NOW)


def test_one_release_is_found_by_reading_one_manifest(store: WatchedStore) -> None:
    for number in range(5):
        publish(store, f"text {number}")
    move_tag(store, "d", "prod", 2, NOW)
    manifest = "releases/d/{}/manifest.json".format
    store.looked.clear()
    assert find_release(store, "d", "3").version == 3
    assert store.looked == [manifest(3)]
    store.looked.clear()
    assert find_release(store, "d", "prod").version == 2
    assert store.looked == ["tags/d", "tags/d/latest/00000004.json", "tags/d/prod/00000000.json", manifest(2)]
    store.looked.clear()
    newest = newest_release(store, "d")
    assert newest is not None
    assert (newest.version, store.looked) == (5, ["releases/d", manifest(5)])
    assert newest_release(store, "other") is None


@pytest.mark.parametrize("wanted", ["0", "03", "9", "²", "nothing", "1/../1"])
def test_what_is_no_release_is_told_with_those_there_are(store: WatchedStore, wanted: str) -> None:
    for number in range(3):
        publish(store, f"text {number}")
    with pytest.raises(UnknownVersion) as caught:
        find_release(store, "d", wanted)
    assert "1, 2, 3, latest" in str(caught.value)


@pytest.mark.parametrize("version", [1, 2, 4])
def test_what_names_another_version_is_not_published(store: WatchedStore, version: int) -> None:
    publish(store, "one")
    publish(store, "two")
    with pytest.raises(VersionTaken):
        publish_files(store, "d", {"card.md": b"x"}, {"content_hash": "x", "version": version}, NOW)
    assert publish_files(store, "d", {"card.md": b"x"}, {"content_hash": "x", "version": 3}, NOW).version == 3
