"""Objects in a folder: whole or not at all, and a name is created once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore, S3Store, Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(str(tmp_path))


def test_put_then_read(store: FolderStore) -> None:
    store.put("a/b.txt", b"one")
    store.put("a/b.txt", b"two")
    assert store.read("a/b.txt") == b"two"
    with store.open("a/b.txt") as stream:
        assert stream.read(2) == b"tw"


def test_put_new_creates_once(store: FolderStore) -> None:
    assert store.put_new("versions/1", b"mine")
    assert not store.put_new("versions/1", b"theirs")
    assert store.read("versions/1") == b"mine"
    assert store.names("versions") == ["versions/1"]


def test_put_new_has_one_winner_of_many(store: FolderStore) -> None:
    barrier = Barrier(16)

    def race(number: int) -> bool:
        barrier.wait(timeout=30)
        return store.put_new("versions/1", str(number).encode())

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(race, range(16)))
    assert won.count(True) == 1
    assert store.read("versions/1") == str(won.index(True)).encode()


def test_readers_see_whole_objects_only(store: FolderStore) -> None:
    size = 200_000
    store.put("x", b"0" * size)

    def write(digit: int) -> None:
        for _ in range(20):
            store.put("x", str(digit).encode() * size)

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, digit) for digit in (1, 2)]
        while not all(writer.done() for writer in writers):
            seen = store.read("x")
            assert len(seen) == size
            assert len(set(seen)) == 1
        assert [writer.result() for writer in writers] == [None, None]


def test_failed_put_leaves_the_older_object(store: FolderStore) -> None:
    store.put("x", b"old")
    with pytest.raises(TypeError):
        store.put("x", "not bytes")  # type: ignore[arg-type]
    assert store.read("x") == b"old"
    assert store.names("") == ["x"]


def test_names_are_sorted_and_leave_out_unfinished_files(store: FolderStore, tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a/1", "b/c/3"):
        store.put(name, b"")
    (tmp_path / "b" / ".2.unfinished").write_bytes(b"half")
    assert store.names("b") == ["b/1", "b/2", "b/c/3"]
    assert store.names("") == ["a/1", "b/1", "b/2", "b/c/3"]
    assert store.names("nowhere") == []


def test_missing_object_is_file_not_found(store: FolderStore) -> None:
    with pytest.raises(FileNotFoundError):
        store.read("nowhere")


def test_delete_removes_the_object(store: FolderStore) -> None:
    store.put("a/x", b"1")
    store.delete("a/x")
    assert store.names("a") == []


def test_root_decides_the_kind_of_store(tmp_path: Path) -> None:
    settings = Settings(lake=str(tmp_path))
    here: Store = open_store(settings)
    assert isinstance(here, FolderStore)
    assert here.url("a/x") == str(tmp_path / "a" / "x")
    assert isinstance(open_store(Settings(lake="s3://bucket/lake/")), S3Store)
    assert open_store(settings, "s3://bucket/lake").url("a/x") == "s3://bucket/lake/a/x"
