"""Releases: whole or not there, numbered without gaps, never written over; tags that remember where they pointed."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from flywheel.core.errors import BadSetting, CorruptObject, UnknownVersion, UsageError, VersionTaken
from flywheel.core.names import check_dataset
from flywheel.core.releases import Release, find_release, list_releases, publish_files, read_file
from flywheel.core.storage import FolderStore
from flywheel.core.tags import move_tag, tags

NOW = datetime(2026, 1, 2, 3, tzinfo=UTC)
HOSTILE = ["../x", "a/b", "", ".", "..", "/etc", "a\\b", "a\n", "7", "a" * 65, "é", "a b"]


class WatchedStore(FolderStore):
    """A folder that notes what is written, and lets something happen right before the n-th write."""

    def __init__(self, root: str, before: tuple[int, Callable[[], object]] = (0, lambda: None)) -> None:
        super().__init__(root)
        self.written: list[str] = []
        self._before = before

    def put(self, name: str, data: bytes) -> None:
        self._note(name)
        super().put(name, data)

    def put_new(self, name: str, data: bytes) -> bool:
        self._note(name)
        return super().put_new(name, data)

    def _note(self, name: str) -> None:
        self.written.append(name)
        if len(self.written) == self._before[0]:
            self._before[1]()


@pytest.fixture
def store(tmp_path: Path) -> WatchedStore:
    return WatchedStore(str(tmp_path))


def publish(store: FolderStore, text: str, dataset: str = "d") -> Release:
    files = {"train.txt": text.encode(), "exports/a.txt": text.upper().encode()}
    return publish_files(store, dataset, files, {"content_hash": text, "rows": {"train": 1}}, NOW)


def contents(store: FolderStore, version: str) -> tuple[bytes, bytes]:
    release = find_release(store, "d", version)
    return read_file(store, release, "train.txt"), read_file(store, release, "exports/a.txt")


def tag_log(store: FolderStore, tag: str) -> list[int]:
    return [orjson.loads(store.read(name))["version"] for name in store.names(f"tags/d/{tag}")]


def test_a_release_is_its_files_and_a_manifest_about_them(store: WatchedStore) -> None:
    release = publish(store, "one")
    assert (release.version, release.folder, release.created_at) == (1, "releases/d/1", "2026-01-02T03:00:00+00:00")
    assert contents(store, "1") == (b"one", b"ONE")
    assert release.manifest == {
        "content_hash": "one",
        "rows": {"train": 1},
        "dataset": "d",
        "version": 1,
        "parent": None,
        "created_at": "2026-01-02T03:00:00+00:00",
        "files": {
            "exports/a.txt": {
                "bytes": 3,
                "sha256": "2192e8955d5e1ad1651f2f0c637e6f1ac82855747a5f42f978db28669595dc21",
            },
            "train.txt": {
                "bytes": 3,
                "sha256": "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed",
            },
        },
    }
    assert store.names("releases") == [
        f"releases/d/1/{name}" for name in ("exports/a.txt", "manifest.json", "train.txt")
    ]


def test_the_manifest_is_written_after_the_files_and_before_the_tag(store: WatchedStore) -> None:
    publish(store, "one")
    last = store.written[-4:]
    assert set(last[:2]) == {"releases/d/1/train.txt", "releases/d/1/exports/a.txt"}
    assert last[2:] == ["releases/d/1/manifest.json", "tags/d/latest/00000000.json"]


def test_nothing_is_left_beside_a_release(store: WatchedStore) -> None:
    publish(store, "one")
    assert store.names("staged") == []


def test_the_same_content_again_is_the_version_it_was(store: WatchedStore) -> None:
    first = publish(store, "one")
    written_count = len(store.written)
    assert publish(store, "one") == first
    assert len(store.written) == written_count
    publish(store, "two")
    assert [release.version for release in list_releases(store)] == [1, 2]


def test_going_back_to_older_content_is_a_new_version(store: WatchedStore) -> None:
    hashes = [publish(store, text).content_hash for text in ("one", "two", "one")]
    assert [release.content_hash for release in list_releases(store)] == hashes
    assert tags(store, "d")["latest"] == 3  # who follows latest no longer gets what was withdrawn


def test_versions_have_no_gaps_and_know_their_parent(store: WatchedStore) -> None:
    for number in range(11):
        publish(store, f"text {number}")
    publish(store, "alone", dataset="other")
    found = [(release.dataset, release.version, release.manifest["parent"]) for release in list_releases(store)]
    assert found == [("d", 1, None), *[("d", number, number - 1) for number in range(2, 12)], ("other", 1, None)]
    assert [release.dataset for release in list_releases(store, "other")] == ["other"]


def test_a_folder_without_a_manifest_is_no_release(store: WatchedStore) -> None:
    store.put("releases/d/1/train.txt", b"half")
    assert list_releases(store) == []
    with pytest.raises(UnknownVersion):
        find_release(store, "d", "1")
    assert publish(store, "one").version == 1
    assert contents(store, "1") == (b"one", b"ONE")


def test_a_manifest_deeper_down_is_no_release(store: WatchedStore) -> None:
    store.put("releases/d/1/exports/manifest.json", b"{}")
    assert list_releases(store) == []


@pytest.mark.parametrize("wanted", ["1", "latest", "prod"])
def test_a_release_is_found_by_number_and_tag(store: WatchedStore, wanted: str) -> None:
    publish(store, "one")
    move_tag(store, "d", "prod", 1, NOW)
    assert find_release(store, "d", wanted).content_hash == "one"


@pytest.mark.parametrize("wanted", ["3", "v1", "01", "²", "", "../d/1"])
def test_an_unknown_version_is_told_what_there_is(store: WatchedStore, wanted: str) -> None:
    publish(store, "one")
    publish(store, "two")
    with pytest.raises(UnknownVersion, match="It has: 1, 2, latest") as refused:
        find_release(store, "d", wanted)
    assert repr(wanted) in str(refused.value)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_flipped_byte_is_refused(store: WatchedStore, tmp_path: Path, place: int) -> None:
    release = publish(store, "one")
    data = bytearray(b"one")
    data[place] ^= 1
    (tmp_path / "releases" / "d" / "1" / "train.txt").write_bytes(data)
    with pytest.raises(CorruptObject, match=r"releases/d/1/train\.txt has sha256"):
        read_file(store, release, "train.txt")


def test_latest_follows_each_new_version(store: WatchedStore) -> None:
    pointed = []
    for text in ("one", "two", "two", "one", "three"):
        publish(store, text)
        pointed.append(tags(store, "d")["latest"])
    assert pointed == [1, 2, 2, 3, 4]
    assert tag_log(store, "latest") == [1, 2, 3, 4]


def test_a_tag_keeps_where_it_pointed(store: WatchedStore) -> None:
    for text in ("one", "two"):
        publish(store, text)
    for version in (1, 2, 2, 1):
        move_tag(store, "d", "prod", version, NOW)
    assert (tags(store, "d"), tag_log(store, "prod")) == ({"latest": 2, "prod": 1}, [1, 2, 1])


def test_a_tag_with_many_entries_points_at_the_newest(store: WatchedStore) -> None:
    for number in range(12):
        move_tag(store, "d", "prod", number, NOW)
    assert tags(store, "d") == {"prod": 11}


def test_a_rollback_is_not_undone_by_publishing_the_same_again(store: WatchedStore) -> None:
    for text in ("one", "two"):
        publish(store, text)
    move_tag(store, "d", "latest", 1, NOW)
    publish(store, "two")
    assert tags(store, "d") == {"latest": 1}
    publish(store, "three")
    assert tags(store, "d") == {"latest": 3}


def test_a_slow_publisher_does_not_move_latest_back(tmp_path: Path) -> None:
    quick = FolderStore(str(tmp_path))
    manifest_then_tag = 7  # two files staged, the claim, two files, the manifest, the tag
    slow = WatchedStore(str(tmp_path), before=(manifest_then_tag, lambda: publish(quick, "two")))
    assert publish(slow, "one").version == 1
    assert slow.written[manifest_then_tag - 1] == "tags/d/latest/00000000.json"
    assert (tags(quick, "d"), tag_log(quick, "latest")) == ({"latest": 2}, [2])


@pytest.mark.parametrize("write", [1, 2, 3])
def test_another_publisher_first_is_told_and_harms_nobody(tmp_path: Path, write: int) -> None:
    quick = FolderStore(str(tmp_path))
    slow = WatchedStore(str(tmp_path), before=(write, lambda: publish(quick, "quick")))
    with pytest.raises(VersionTaken, match="Version 1 of 'd'"):
        publish(slow, "slow")
    assert contents(quick, "1") == (b"quick", b"QUICK")
    assert publish(quick, "slow").version == 2
    assert contents(quick, "2") == (b"slow", b"SLOW")
    assert quick.names("staged") == []


@pytest.mark.parametrize("write", [1, 2, 3, 4, 5, 6, 7])
def test_the_same_content_from_two_publishers_is_one_version(tmp_path: Path, write: int) -> None:
    quick = FolderStore(str(tmp_path))
    slow = WatchedStore(str(tmp_path), before=(write, lambda: publish(quick, "same")))
    assert publish(slow, "same").version == 1
    assert [release.version for release in list_releases(quick)] == [1]
    assert contents(quick, "latest") == (b"same", b"SAME")
    assert quick.names("staged") == []


@pytest.mark.parametrize("write", [4, 5, 6])
def test_what_is_claimed_is_finished_by_whoever_comes_next(tmp_path: Path, write: int) -> None:
    quick = FolderStore(str(tmp_path))
    slow = WatchedStore(str(tmp_path), before=(write, lambda: publish(quick, "two")))
    assert publish(slow, "one").version == 1
    assert [contents(quick, version) for version in ("1", "2")] == [(b"one", b"ONE"), (b"two", b"TWO")]
    assert tags(quick, "d") == {"latest": 2}


def test_a_version_somebody_removed_is_not_given_out_again(store: WatchedStore) -> None:
    publish(store, "one")
    publish(store, "two")
    for name in store.names("releases/d/2"):
        store.delete(name)
    assert publish(store, "three").version == 3


@pytest.mark.parametrize(("parent", "newest"), [(None, 2), (1, 2), (3, 2)])
def test_what_builds_on_another_parent_is_not_published(store: WatchedStore, parent: int | None, newest: int) -> None:
    publish(store, "one")
    publish(store, "two")
    with pytest.raises(VersionTaken, match=f"Version {newest} of"):
        publish_files(store, "d", {"train.txt": b"x"}, {"content_hash": "x", "parent": parent}, NOW)
    assert publish_files(store, "d", {"train.txt": b"x"}, {"content_hash": "x", "parent": 2}, NOW).version == 3


@pytest.mark.parametrize("name", HOSTILE)
def test_a_dataset_name_that_is_no_name_is_refused(store: WatchedStore, name: str) -> None:
    for call in (
        lambda: publish(store, "one", dataset=name),
        lambda: list_releases(store, name),
        lambda: find_release(store, name, "1"),
        lambda: tags(store, name),
        lambda: move_tag(store, name, "prod", 1, NOW),
    ):
        with pytest.raises(BadSetting) as refused:
            call()
        assert repr(name) in str(refused.value)
    assert store.written == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_tag_name_that_is_no_name_is_refused(store: WatchedStore, name: str) -> None:
    with pytest.raises(UsageError) as refused:
        move_tag(store, "d", name, 1, NOW)
    assert repr(name) in str(refused.value)
    assert store.written == []


@pytest.mark.parametrize("name", ["corrections", "a", "support-v2.1_x", "A" * 64])
def test_usual_names_are_taken(store: WatchedStore, name: str) -> None:
    assert check_dataset(name) == name
    publish(store, "one")
    move_tag(store, "d", name, 1, NOW)
    assert find_release(store, "d", name).version == 1
