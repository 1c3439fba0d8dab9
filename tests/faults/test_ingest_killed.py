"""Kill -9 of an ingest at several moments, each time started again: every trace and every refusal counts once."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.ingest.files import ingest_file
from flywheel.ingest.lines import LINES_PER_BATCH

INGEST = """
from datetime import UTC, datetime
from flywheel.core.settings import Settings
from flywheel.ingest.files import ingest_file

MortalLake.fate = Fate(sys.argv[3])
with MortalLake.open(Settings(lake=sys.argv[1])) as lake:
    print(ingest_file(lake, sys.argv[2], now=datetime(2026, 1, 6, tzinfo=UTC)))
"""
COUNT = LINES_PER_BATCH + 500  # two batches
BAD_EVERY, SAID_EVERY = 1000, 100
# the moment, and how many traces have landed by then
MOMENTS = {
    "commit land raw_traces:1": 0,
    "land raw_feedback:1": LINES_PER_BATCH - LINES_PER_BATCH // BAD_EVERY,
    "land raw_traces:2": LINES_PER_BATCH - LINES_PER_BATCH // BAD_EVERY,
    "land sources:1": COUNT - COUNT // BAD_EVERY - 1,
}


def line(number: int) -> str:
    if number % BAD_EVERY == 0:
        return f"not json {number}"
    record = {
        "timestamp": f"2026-01-05T{number % 24:02d}:00:00Z",
        "request": {"messages": [{"role": "user", "content": f"question {number}"}]},
        "response": {"id": f"r-{number}", "model": "m", "choices": [{"message": {"content": "hi"}}]},
        "feedback": [{"kind": "thumb", "value": -1}] if number % SAID_EVERY == 1 else [],
    }
    return json.dumps(record)


def test_each_line_counts_once(
    settings: Settings, tmp_path: Path, mortal_lake: str, killed: Callable[..., None]
) -> None:
    log = tmp_path / "day.jsonl"
    log.write_text("\n".join(map(line, range(COUNT))) + "\n")
    for moment, landed in MOMENTS.items():
        killed(mortal_lake + INGEST, settings.lake, str(log), moment)
        with Lake.open(settings) as lake:
            counts = lake.frame("select count(*), count(distinct trace_id) from raw_traces").row(0)
        assert counts == (landed, landed), moment
    with Lake.open(settings) as lake:
        report = ingest_file(lake, str(log), now=datetime(2026, 1, 6, tzinfo=UTC))
        bad_count = COUNT // BAD_EVERY + 1
        assert (report.read, report.landed + report.duplicates, report.quarantined) == (
            COUNT,
            COUNT - bad_count,
            bad_count,
        )
        traces = lake.frame("select count(*), count(distinct source_line) from raw_traces").row(0)
        assert traces == (COUNT - bad_count, COUNT - bad_count)
        assert lake.frame("select count(*), count(distinct trace_id) from raw_feedback").row(0) == (205, 205)
        assert lake.frame("select count(*), min(reason) from quarantine").row(0) == (bad_count, "invalid_json")
        assert lake.scalar("select count(*) from sources") == 1
