"""Publishers at the same time, in processes of their own: versions in sequence, each whole, each content once."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from flywheel.core.lake import Lake
from flywheel.core.releases import list_releases
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.core.tags import tags
from tests.faults.race import Race

WholeReleases = Callable[..., list[int]]

PUBLISHER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from flywheel.core.errors import VersionTaken
from flywheel.core.releases import publish_files
from flywheel.core.storage import FolderStore

folder, texts = sys.argv[1], sys.argv[2:]
print("ready", flush=True)
sys.stdin.readline()
lost = 0
for text in texts:
    files = {f"{name}.txt": f"{name} of {text}".encode() * 500 for name in "abcd"}
    while True:
        try:
            publish_files(FolderStore(folder), "corrections", files, {"content_hash": text}, datetime.now(UTC))
            break
        except VersionTaken:
            lost += 1
print(lost)
"""
OF_A_DAY = """
import sys
from datetime import UTC, date, datetime
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.publish.day import publish_day

settings = Settings(lake=sys.argv[1])
with Lake.open(settings) as lake:
    print("ready", flush=True)
    sys.stdin.readline()
    release = publish_day(lake, FolderStore(settings.lake_root), settings, date(2026, 1, 6), datetime.now(UTC))
    print(release.version, release.content_hash)
"""


def test_different_content_is_versions_in_sequence_and_readers_see_whole_ones(
    tmp_path: Path, whole_releases: WholeReleases
) -> None:
    race = Race(PUBLISHER, *([str(tmp_path), *(f"{name}{number}" for number in range(6))] for name in "wxyz"))
    race.start()
    looked, before = 0, 0
    while race.is_on():
        seen = whole_releases(tmp_path)
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) >= before
        looked, before = looked + 1, len(seen)
    race.results()
    assert looked > 5
    store = FolderStore(str(tmp_path))
    found = list_releases(store, "corrections")
    assert whole_releases(tmp_path) == list(range(1, 25))
    assert sorted(release.content_hash for release in found) == sorted(f"{n}{i}" for n in "wxyz" for i in range(6))
    for release in found:
        assert store.read(f"{release.folder}/d.txt") == f"d of {release.content_hash}".encode() * 500
    assert (tags(store, "corrections"), store.names("staged")) == ({"latest": 24}, [])
    assert [release.manifest["parent"] for release in found] == [None, *range(1, 24)]


def test_the_same_content_is_one_version(tmp_path: Path, whole_releases: WholeReleases) -> None:
    race = Race(PUBLISHER, *([str(tmp_path), "same"] for _ in range(4)))
    race.start()
    while race.is_on():
        assert whole_releases(tmp_path) in ([], [1])
    assert race.results() == ["0"] * 4
    assert whole_releases(tmp_path) == [1]
    store = FolderStore(str(tmp_path))
    assert (store.names("tags"), store.names("staged")) == (["tags/corrections/latest/00000000.json"], [])


@pytest.mark.parametrize("count", [2])
def test_a_day_published_twice_at_once_is_one_version(
    settings: Settings, whole_releases: WholeReleases, count: int
) -> None:
    rows = [
        {
            "day": date(2026, 1, 5),
            "correction_id": f"{number:04x}",
            "answer_id": f"{number:04x}",
            "input": '[{"role": "user", "content": "hello"}]',
            "query": f"{number * 7919:x} {number * 104729:x}",
            "chosen": "refund",
            "author_kind": "human",
            "author_id": "ann",
            "depth": 0,
        }
        for number in range(10)
    ]
    with Lake.open(settings) as lake:
        lake.land("corrections", lake.typed("corrections", rows))
    race = Race(OF_A_DAY, *([settings.lake] for _ in range(count)))
    race.start()
    said = race.results()
    assert [line.split()[0] for line in said] == ["1"] * count
    assert len(set(said)) == 1
    assert whole_releases(Path(settings.lake_root)) == [1]
    with Lake.open(settings) as lake:
        assert lake.scalar("select count(*) from release_profiles") == 1
        assert lake.scalar("select count(*) = count(distinct gate_id) from gates") is True
