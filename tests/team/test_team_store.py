"""Objects on S3 keep the contract that objects in a folder keep: a name is created once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from flywheel.core.settings import Settings
from flywheel.core.storage import Store, open_store

pytestmark = [pytest.mark.team, pytest.mark.xdist_group("team")]


@pytest.fixture
def store(s3_settings: Settings) -> Store:
    return open_store(s3_settings)


def test_put_read_open_names_delete(store: Store) -> None:
    for name in ("b/2", "b/1", "a/1", "b/c/3"):
        store.put(name, b"first")
    store.put("a/1", b"one\ntwo\n")
    assert store.read("a/1") == b"one\ntwo\n"
    with store.open("a/1") as stream:
        assert list(stream) == [b"one\n", b"two\n"]
    assert store.names("b") == ["b/1", "b/2", "b/c/3"]
    assert store.names("") == ["a/1", "b/1", "b/2", "b/c/3"]
    assert store.names("nowhere") == []
    store.delete("a/1")
    assert store.names("a") == []


def test_missing_object_is_file_not_found(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        store.read("nowhere")
    with pytest.raises(FileNotFoundError), store.open("nowhere"):
        pass


def test_put_new_creates_once(store: Store) -> None:
    assert store.put_new("versions/1", b"mine")
    assert not store.put_new("versions/1", b"theirs")
    assert store.read("versions/1") == b"mine"


def test_put_new_has_one_winner_of_many(store: Store) -> None:
    barrier = Barrier(16)

    def race(number: int) -> bool:
        barrier.wait(timeout=30)
        return store.put_new("versions/1", str(number).encode())

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(race, range(16)))
    assert won.count(True) == 1
    assert store.read("versions/1") == str(won.index(True)).encode()
