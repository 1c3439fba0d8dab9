"""Objects that were cut short or changed where they lie: readers get an error that names them, and no wrong rows."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flywheel.core.errors import CorruptObject, DataError
from flywheel.core.releases import find_release, list_releases, publish_files, read_file
from flywheel.core.storage import FolderStore

NOW = datetime(2026, 1, 9, tzinfo=UTC)
Damage = Callable[[bytes], bytes]
DAMAGES: dict[str, Damage] = {
    "cut short": lambda data: data[: len(data) // 2],
    "empty": lambda _data: b"",
    "zeroed at the end": lambda data: data[:-20] + bytes(20),
    "a byte flipped": lambda data: data[:5] + bytes([data[5] ^ 0x40]) + data[6:],
    "another's": lambda _data: b"[]",
}


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(str(tmp_path))
    for text in ("one", "two"):
        publish_files(store, "corrections", {"a.txt": text.encode() * 20}, {"content_hash": text}, NOW)
    return store


def damage(store: FolderStore, name: str, how: str) -> None:
    store.put(name, DAMAGES[how](store.read(name)))


@pytest.mark.parametrize("how", DAMAGES)
def test_a_file_is_refused_by_name(store: FolderStore, how: str) -> None:
    damage(store, "releases/corrections/2/a.txt", how)
    with pytest.raises(CorruptObject, match=r"releases/corrections/2/a\.txt"):
        read_file(store, find_release(store, "corrections", "2"), "a.txt")
    assert read_file(store, find_release(store, "corrections", "1"), "a.txt") == b"one" * 20


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize(
    "name",
    [
        "releases/corrections/2/manifest.json",
        "tags/corrections/latest/00000001.json",
        "claims/corrections/00000002.json",
    ],
)
def test_what_says_where_things_are_is_refused_by_name(store: FolderStore, name: str, how: str) -> None:
    damage(store, name, how)

    def use() -> None:
        list_releases(store)
        find_release(store, "corrections", "latest")
        publish_files(store, "corrections", {"a.txt": b"3"}, {"content_hash": "three"}, NOW)

    with pytest.raises(DataError, match=name):
        use()
    assert find_release(store, "corrections", "1").content_hash == "one"
