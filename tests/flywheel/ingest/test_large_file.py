"""A file larger than the memory it may take, with a line of 100 MB in it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flywheel.core.lake import Lake
from flywheel.core.settings import Settings

ROOT = Path(__file__).parents[3]
MB = 1_000_000
PEAK_BYTES = 1_000 * MB
INGEST = """
import sys
from datetime import UTC, datetime
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.ingest.files import ingest_file
with Lake.open(Settings(lake=sys.argv[1])) as lake:
    report = ingest_file(lake, sys.argv[2], now=datetime(2026, 1, 6, tzinfo=UTC))
print(report.read, report.landed, report.quarantined)
"""


def write_log(path: Path, size: int) -> int:
    """Write calls of 20 KB, and in the middle of them a line of 100 MB; return how many calls."""
    number = 0
    with path.open("wb") as log:
        while log.tell() < size:
            question = f"question {number} " + f"about my card number {number} " * 700
            call = {
                "timestamp": f"2026-01-0{number % 5 + 1}T10:00:00Z",
                "request": {"messages": [{"role": "user", "content": question}]},
                "response": {"id": f"r{number}", "choices": [{"message": {"content": "yes"}}]},
            }
            log.write(json.dumps(call).encode() + b"\n")
            number += 1
            if number == 1_000:
                log.write(b'{"a": "' + b"x" * (100 * MB) + b'"}\n')
    return number


def peak_of(*command: str) -> tuple[int, str]:
    """Run a process; return the most memory it held, in bytes, and what it printed."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        told = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024, told


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_memory_does_not_grow_with_the_file(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "large.jsonl"
    count = write_log(log, 2_000 * MB)
    peak, told = peak_of(sys.executable, "-c", INGEST, settings.lake, str(log))
    assert told.split() == [str(count + 1), str(count), "1"]
    assert peak <= PEAK_BYTES, f"{peak / MB:.0f} MB"
    with Lake.open(settings) as lake:
        assert lake.frame("select reason, source_line from quarantine").rows() == [("line_too_long", 1_001)]
