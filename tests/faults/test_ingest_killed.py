"""Kill -9 of an ingest at several moments, each time started again: every trace and every refusal counts once."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.ingest.blocks import BLOCK_BYTES
from flywheel.ingest.files import ingest_file
from flywheel.ingest.reading import COMMIT_BYTES

INGEST = """
from datetime import UTC, datetime
from flywheel.core.settings import Settings
from flywheel.ingest.files import ingest_file

MortalLake.fate = Fate(sys.argv[3])
with MortalLake.open(Settings(lake=sys.argv[1])) as lake:
    print(ingest_file(lake, sys.argv[2], now=datetime(2026, 1, 6, tzinfo=UTC)))
"""
COUNT = 6_000  # lines of 10 KB: three blocks of 16 MiB, which are one commit, and a second one
BAD_EVERY, SAID_EVERY = 500, 50
# the moment, and how many commits are in the lake by then
MOMENTS = {
    "land raw_traces:1": 0,
    "land sources:1": 0,
    "commit read:1": 0,
    "land raw_feedback:2": 1,
    "land quarantine:1": 1,
    "commit read:1 ": 1,
}


def line(number: int) -> str:
    if number % BAD_EVERY == 0:
        return f"not json {number}"
    record = {
        "timestamp": f"2026-01-05T{number % 24:02d}:00:00Z",
        "request": {"messages": [{"role": "user", "content": f"question {number} " + "x" * 9_800}]},
        "response": {"id": f"r-{number}", "model": "m", "choices": [{"message": {"content": "hi"}}]},
        "feedback": [{"kind": "thumb", "value": -1}] if number % SAID_EVERY == 1 else [],
    }
    return json.dumps(record)


def commits_of(log: Path) -> list[list[str]]:
    """Return the lines of the first commit and those of the second."""
    content = log.read_bytes()
    end = content.rindex(b"\n", 0, (COMMIT_BYTES // BLOCK_BYTES + 1) * BLOCK_BYTES) + 1
    return [part.decode().splitlines() for part in (content[:end], content[end:])]


def test_each_line_counts_once(
    settings: Settings, tmp_path: Path, mortal_lake: str, killed: Callable[..., None]
) -> None:
    log = tmp_path / "day.jsonl"
    log.write_text("\n".join(map(line, range(COUNT))) + "\n")
    first, second = commits_of(log)
    good_counts = [0, sum(text.startswith("{") for text in first)]
    for moment, commit_count in MOMENTS.items():
        killed(mortal_lake + INGEST, settings.lake, str(log), moment.strip())
        with Lake.open(settings) as lake:
            counts = lake.frame("select count(*), count(distinct trace_id) from raw_traces").row(0)
        assert counts == (good_counts[commit_count], good_counts[commit_count]), moment
    with Lake.open(settings) as lake:
        report = ingest_file(lake, str(log), now=datetime(2026, 1, 6, tzinfo=UTC))
        assert (report.read, report.duplicates) == (len(second), 0)
        bad_count = COUNT // BAD_EVERY
        traces = lake.frame("select count(*), count(distinct source_line) from raw_traces").row(0)
        assert traces == (COUNT - bad_count, COUNT - bad_count)
        said_count = COUNT // SAID_EVERY
        assert lake.frame("select count(*), count(distinct trace_id) from raw_feedback").row(0) == (
            said_count,
            said_count,
        )
        assert lake.frame("select count(*), min(reason) from quarantine").row(0) == (bad_count, "invalid_json")
        told = "select sum(read_count), sum(landed_count), sum(duplicate_count), sum(quarantined_count) from sources"
        assert lake.frame(told).row(0) == (COUNT, COUNT - bad_count, 0, bad_count)
        assert ingest_file(lake, str(log), now=datetime(2026, 1, 7, tzinfo=UTC)).read == 0
