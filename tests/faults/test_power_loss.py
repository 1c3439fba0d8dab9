"""Rows are on the disk before a catalog names them: what a power loss takes is never what was acknowledged."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WRITER = """
import sys
from datetime import date
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings

DAY = date(2026, 1, 5)
rows = [{"day": DAY, "call_id": str(number), "cost_usd": 0.5} for number in range(5_000)]
with Lake.open(Settings(lake=sys.argv[1])) as lake:
    lake.land("spend", lake.typed("spend", rows))
    lake.replace("spend", DAY, lake.typed("spend", rows[:4_000]))
    with lake.together("two tables", "spend", "drift"):
        lake.land("drift", lake.typed("drift", [{"day": DAY, "column_name": str(number)} for number in range(5_000)]))
"""
_CALL = re.compile(r"(openat|fsync|fdatasync|unlink)\((?:AT_FDCWD[^,]*, )?(?:\d+<)?\"?([^\">]+)")


def test_files_are_synced_with_their_folders_before_the_catalog_commits(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed (Debian: apt-get install strace)")
    trace, lake = tmp_path / "trace", tmp_path / "lake"
    watched = ["strace", "-f", "-y", "-e", "trace=openat,fsync,fdatasync,unlink", "-o", str(trace)]
    subprocess.run([*watched, sys.executable, "-c", WRITER, str(lake)], check=True, capture_output=True)
    calls = [(made[1], Path(made[2])) for made in map(_CALL.search, trace.read_text().splitlines()) if made]
    written = {path for _, path in calls if path.suffix == ".parquet"}
    assert len(written) >= 3  # two of spend's, one of drift's
    syncs = [path for call, path in calls if call in ("fsync", "fdatasync")]
    last_commit = max(place for place, path in enumerate(syncs) if path.name.startswith("catalog.sqlite"))
    for path in written:
        assert path in syncs[:last_commit], f"{path} was never synced"
        place = syncs.index(path)
        assert path.parent in syncs[place:last_commit]
        assert path.parent.parent in syncs[place:last_commit]
        # between the file and the catalog that names it nothing else is committed
        named = next(at for at, one in enumerate(syncs[place:]) if one.name.startswith("catalog.sqlite"))
        assert path.parent in syncs[place : place + named]
