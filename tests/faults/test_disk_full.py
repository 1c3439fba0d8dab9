"""A disk that takes no more: the error comes out, nothing is half there, and the next try succeeds."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flywheel.core.releases import publish_files
from flywheel.core.storage import FolderStore

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
