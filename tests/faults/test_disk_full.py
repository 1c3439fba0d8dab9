"""A disk that takes no more: the error comes out, nothing is half there, and the next try succeeds."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flywheel.core.lake import Lake
from flywheel.core.releases import publish_files
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.publish.day import publish_day
from tests.faults.acts import correction

ROOT = Path(__file__).parents[2]
# a full disk without a disk to fill: files of this process may not grow beyond a megabyte
PUBLISHER = """
import resource, sys
from datetime import UTC, datetime
from flywheel.core.releases import publish_files
from flywheel.core.storage import FolderStore

resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
files = {"a.bin": b"a" * 900_000, "b.bin": b"b" * 1_100_000}
try:
    publish_files(FolderStore(sys.argv[1]), "corrections", files, {"content_hash": "two"}, datetime.now(UTC))
except OSError as full:
    print(type(full).__name__, full.errno)
"""


def test_a_publisher_without_room_leaves_the_version_before(
    tmp_path: Path, whole_releases: Callable[..., list[int]]
) -> None:
    store, now = FolderStore(str(tmp_path)), datetime(2026, 1, 9, tzinfo=UTC)
    publish_files(store, "corrections", {"a.bin": b"1"}, {"content_hash": "one"}, now)
    said = subprocess.run(
        [sys.executable, "-c", PUBLISHER, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert said.stdout == "OSError 27\n", said.stderr
    assert whole_releases(tmp_path) == [1]
    assert [str(path) for path in (tmp_path / "staged").rglob("*") if path.is_file()] == []
    files = {"a.bin": b"a" * 900_000, "b.bin": b"b" * 1_100_000}
    assert publish_files(store, "corrections", files, {"content_hash": "two"}, now).version == 2
    assert whole_releases(tmp_path) == [1, 2]


ON_TMPFS = """
import sys
from datetime import UTC, date, datetime
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.publish.day import publish_day
from tests.faults.acts import correction

settings = Settings(lake=sys.argv[1])
with Lake.open(settings) as lake:
    made = [correction(number) for number in range(20, 400)]
    lake.land("corrections", lake.typed("corrections", made))
    print("landed", flush=True)
    release = publish_day(lake, FolderStore(settings.lake_root), settings, date(2026, 1, 5), datetime.now(UTC))
    print("published", release.version)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of its own, of 16 MB; tests fill it and make it larger."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("free_kb", [40, *(pytest.param(more, marks=pytest.mark.slow) for more in (4, 150, 300))])
def test_a_lake_on_a_full_disk_says_so_and_goes_on_with_room(
    small_disk: Path, whole_releases: Callable[..., list[int]], free_kb: int
) -> None:
    settings = Settings(lake=str(small_disk / "lake"))
    with Lake.open(settings) as lake:
        lake.land("corrections", lake.typed("corrections", [correction(number) for number in range(20)]))
        publish_day(lake, FolderStore(settings.lake_root), settings, date(2026, 1, 5), datetime.now(UTC))
    room = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(b"x" * (room.f_bavail * room.f_bsize - free_kb * 1024))
    command = [sys.executable, "-c", ON_TMPFS, settings.lake]
    said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert said.returncode == 1, said.stdout
    told = said.stderr.splitlines()[-1]
    assert re.search(
        r"StoreBusy: .*its disk is full, or fails; make room|OSError: .*No space left on device", told
    ), told
    (small_disk / "ballast").unlink()
    assert whole_releases(Path(settings.lake_root)) == [1]
    with Lake.open(settings) as lake:
        assert lake.scalar("select count(*) from corrections") == (400 if "landed" in said.stdout else 20)
    again = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert again.stdout.split() == ["landed", "published", "2"]
    with Lake.open(settings) as lake:
        assert lake.frame("select count(*), count(distinct correction_id) from corrections").row(0) == (400, 400)
    assert whole_releases(Path(settings.lake_root)) == [1, 2]
