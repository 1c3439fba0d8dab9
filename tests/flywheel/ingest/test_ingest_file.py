import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.ingest.files import IngestReport, land_records
from flywheel.ingest.landing import Reading

NOW = datetime(2026, 1, 6, 12, tzinfo=UTC)
Read = Callable[..., IngestReport]
Write = Callable[..., Path]
Record = Callable[..., dict[str, Any]]
Counts = Callable[[IngestReport], tuple[int, int, int, int]]


def test_a_report_says_what_became_of_the_file(memory: Lake, read: Read, write_log: Write, record: Record) -> None:
    log = write_log(record(1), record(2, timestamp="2026-01-04T10:00:00Z"), b"", b"broken", record(1))
    assert read(memory, log, run_id="run-7") == IngestReport(
        source_file=str(log),
        format="openai",
        read=4,
        landed=2,
        duplicates=1,
        quarantined=1,
        redacted=0,
        days=("2026-01-04", "2026-01-05"),
    )
    kept = memory.frame("select read_count, landed_count, duplicate_count, quarantined_count, run_id from sources")
    assert kept.row(0) == (4, 2, 1, 1, "run-7")


def test_a_record_becomes_a_row(memory: Lake, read: Read, write_log: Write, record: Record) -> None:
    log = write_log(record(1, conversation_id="c", client_id="shop", user="ann", latency_ms=12, cost_usd=0.5))
    read(memory, log)
    row = memory.frame("select * from raw_traces").row(0, named=True)
    expected = {
        "day": date(2026, 1, 5),
        "response_id": "r-1",
        "conversation_id": "c",
        "started_at": datetime(2026, 1, 5, 10, tzinfo=UTC),
        "app": "shop",
        "task": "intent",
        "output": "card_lost",
        "latency_ms": 12.0,
        "cost_usd": 0.5,
        "source_file": str(log),
        "source_line": 1,
    }
    assert {name: row[name] for name in expected} == expected
    assert "ann" not in row["actor_hash"]


def test_reading_again_adds_nothing(lake: Lake, read: Read, write_log: Write, record: Record, counts: Counts) -> None:
    log = write_log(*[record(number, feedback=[{"kind": "thumb", "value": -1}]) for number in range(3)], b"broken")
    assert counts(read(lake, log)) == (4, 3, 0, 1)
    assert counts(read(lake, log, now=NOW + timedelta(days=1))) == (0, 0, 0, 0)
    held = [len(lake.frame(f"from {name}")) for name in ("raw_traces", "raw_feedback", "quarantine")]
    assert held == [3, 3, 1]
    assert lake.scalar("select count(*) from sources") == 1


def test_the_same_trace_in_two_files_is_one(
    memory: Lake, read: Read, write_log: Write, record: Record, counts: Counts
) -> None:
    first, second = write_log(record(1), record(2)), write_log(record(2), record(3), name="b.jsonl")
    assert [counts(read(memory, log)) for log in (first, second)] == [(2, 2, 0, 0), (2, 1, 1, 0)]
    places = memory.frame("select response_id, source_file from raw_traces order by response_id").rows()
    assert places == [("r-1", str(first)), ("r-2", str(first)), ("r-3", str(second))]


def test_retries_with_one_response_id_are_one(
    memory: Lake, read: Read, write_log: Write, record: Record, counts: Counts
) -> None:
    log = write_log(record(1), record(1, timestamp="2026-01-05T10:00:03Z", latency_ms=3000))
    assert counts(read(memory, log)) == (2, 1, 1, 0)


def test_calls_without_an_id_are_told_apart_by_what_they_say(
    memory: Lake, read: Read, write_log: Write, record: Record, counts: Counts
) -> None:
    lost = {"response": None, "error": {"type": "timeout"}}
    lines = [record(1, **lost), record(2, **lost), record(2, **lost)]
    log = write_log(*lines, record(3, response={"id": ""}), record(4, response={"id": ""}))
    assert counts(read(memory, log)) == (5, 4, 1, 0)


ERRORS = [
    ({"error": {"type": "timeout", "message": "no answer"}}, "timeout"),
    ({"error": {"message": "no answer"}}, "no answer"),
    ({"error": "timeout"}, "timeout"),
    ({"error": {"code": 7}}, "unknown"),
    ({"error": True}, "unknown"),
]


@pytest.mark.parametrize(("changes", "told"), ERRORS)
def test_a_call_without_a_response_lands_with_its_error(
    memory: Lake, ingest: Read, record: Record, changes: dict[str, Any], told: str
) -> None:
    ingest(record(1, response=None, **changes))
    assert memory.frame("select error, output, model from raw_traces").rows() == [(told, None, "m")]


@pytest.mark.parametrize("changes", [{}, {"error": None}, {"error": ""}])
def test_a_call_that_succeeded_has_no_error(
    memory: Lake, ingest: Read, record: Record, changes: dict[str, Any]
) -> None:
    ingest(record(1, **changes))
    assert memory.scalar("select error from raw_traces") is None


TIMES = [
    ("2026-01-05T23:30:00Z", datetime(2026, 1, 5, 23, 30, tzinfo=UTC)),
    ("2026-01-05T23:30:00-02:00", datetime(2026, 1, 6, 1, 30, tzinfo=UTC)),
    ("2026-01-05 23:30:00", datetime(2026, 1, 5, 23, 30, tzinfo=UTC)),
    ("2026-01-05", datetime(2026, 1, 5, tzinfo=UTC)),
    (1767655800, datetime(2026, 1, 5, 23, 30, tzinfo=UTC)),
    (1767655800.25, datetime(2026, 1, 5, 23, 30, 0, 250_000, tzinfo=UTC)),
    ("1767655800", datetime(2026, 1, 5, 23, 30, tzinfo=UTC)),
    (1767655800250, datetime(2026, 1, 5, 23, 30, 0, 250_000, tzinfo=UTC)),
    ("2026-01-07T11:59:00Z", datetime(2026, 1, 7, 11, 59, tzinfo=UTC)),
]


@pytest.mark.parametrize(("timestamp", "started_at"), TIMES)
def test_times_are_read_as_utc_and_name_the_day(
    memory: Lake, ingest: Read, record: Record, timestamp: Any, started_at: datetime
) -> None:
    report = ingest(record(1, timestamp=timestamp))
    assert memory.frame("select started_at, day from raw_traces").rows() == [(started_at, started_at.date())]
    assert report.days == (str(started_at.date()),)


def test_without_a_timestamp_the_response_says_when(memory: Lake, ingest: Read, record: Record) -> None:
    told = record(1, timestamp=None)
    told["response"]["created"] = 1767607200
    ingest(told)
    assert memory.scalar("select started_at from raw_traces") == datetime(2026, 1, 5, 10, tzinfo=UTC)


ELSEWHERE = """
import sys
from datetime import UTC, datetime
from flywheel.core.lake import Lake
from flywheel.ingest.files import ingest_file
lake = Lake.in_memory()
ingest_file(lake, sys.argv[1], now=datetime(2026, 1, 6, tzinfo=UTC))
print(*[row[0] for row in lake.frame("select day from raw_traces union all select day from raw_feedback").rows()])
"""


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_days_do_not_depend_on_where_the_machine_is(write_log: Write, record: Record, zone: str) -> None:
    said = [{"kind": "thumb", "value": 1}]
    log = write_log(
        record(1, timestamp="2026-01-05T23:30:00Z", feedback=said), record(2, timestamp="2026-01-05T00:30:00")
    )
    root = Path(__file__).parents[3]
    elsewhere = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(log)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=root,
        env={"TZ": zone, "PATH": "", "PYTHONPATH": str(root)},
    )
    assert elsewhere.stdout.split() == ["2026-01-05"] * 3


def test_feedback_lands_once_and_late_feedback_has_its_traces_day(
    memory: Lake, ingest: Read, record: Record, counts: Counts
) -> None:
    early = {"kind": "thumb", "value": -1, "user": "ann", "occurred_at": "2026-01-05T10:01:00Z"}
    late = {"kind": "edit", "text": "refund", "occurred_at": 1767783600}
    ingest(record(1, feedback=[early]))
    again = ingest(record(1, feedback=[early, late]), name="late.jsonl", now=NOW + timedelta(days=2))
    assert counts(again) == (1, 0, 1, 0)
    rows = memory.frame("select day, kind, value, text, occurred_at from raw_feedback order by occurred_at").rows()
    assert rows == [
        (date(2026, 1, 5), "thumb", -1.0, None, datetime(2026, 1, 5, 10, 1, tzinfo=UTC)),
        (date(2026, 1, 5), "edit", None, "refund", datetime(2026, 1, 7, 11, tzinfo=UTC)),
    ]
    assert memory.frame("select trace_id from raw_traces").equals(
        memory.frame("select distinct trace_id from raw_feedback")
    )


SAID = [
    ({"kind": "thumb", "value": 1}, [("thumb", 1.0)]),
    ([{"kind": "thumb", "value": True}, {"kind": "comment", "text": "x"}], [("comment", None), ("thumb", 1.0)]),
    ([{"value": 1}, 1, None], []),
    ([{"kind": "rating", "value": "NaN"}], [("rating", None)]),
    ([], []),
    (None, []),
]


@pytest.mark.parametrize(("said", "heard"), SAID)
def test_feedback_is_heard_with_or_without_a_list_around_it(
    memory: Lake, ingest: Read, record: Record, said: Any, heard: list[tuple[str, float | None]]
) -> None:
    ingest(record(1, feedback=said))
    found = memory.frame("select kind, value, occurred_at from raw_feedback order by kind").rows()
    assert [row[:2] for row in found] == heard
    assert all(row[2] == datetime(2026, 1, 5, 10, tzinfo=UTC) for row in found)


def test_carriage_returns_and_a_missing_last_line_end_change_nothing(
    memory: Lake, read: Read, write_log: Write, record: Record, counts: Counts
) -> None:
    log = write_log(record(1), record(2), end=b"\r\n")
    log.write_bytes(log.read_bytes().removesuffix(b"\r\n"))
    assert counts(read(memory, log)) == (2, 2, 0, 0)


def test_an_empty_file_is_a_reading_of_nothing(memory: Lake, ingest: Read, counts: Counts) -> None:
    report = ingest()
    assert (counts(report), report.format, report.days) == ((0, 0, 0, 0), "unknown", ())
    assert memory.scalar("select count(*) from sources") == 1


def test_a_file_of_broken_lines_lands_all_of_them_in_quarantine(memory: Lake, ingest: Read, counts: Counts) -> None:
    assert counts(ingest(b"a", b"b", b"a")) == (3, 0, 0, 3)
    assert memory.frame("select source_line, raw from quarantine order by 1").rows() == [(1, "a"), (2, "b"), (3, "a")]


def test_a_log_of_another_program_is_refused_as_a_whole(
    memory: Lake, read: Read, write_log: Write, counts: Counts
) -> None:
    log = write_log({"level": "info"}, {"prompt": "hello"})
    assert counts(read(memory, log)) == (1, 0, 0, 1)
    (row,) = memory.frame("select reason, source_line, byte_offset, raw, detail from quarantine").rows()
    assert row[:4] == ("unknown_format", None, None, '{"level": "info"}')
    assert "docs/formats.md" in row[4]
    assert counts(read(memory, log)) == (0, 0, 0, 0)


def test_a_named_format_is_not_guessed(ingest: Read) -> None:
    report = ingest({"level": "info"}, log_format="openai")
    assert (report.format, report.quarantined) == ("openai", 1)


def test_a_file_that_is_not_there_is_named(memory: Lake, read: Read, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.jsonl"):
        read(memory, tmp_path / "nowhere.jsonl")


def test_a_file_longer_than_a_batch_is_one_reading(ingest: Read, counts: Counts) -> None:
    lines = [b'{"timestamp":1767607200,"request":{"messages":[]},"response":{"id":"%d"}}' % n for n in range(20_001)]
    assert counts(ingest(*lines, lines[0])) == (20_002, 20_001, 1, 0)


def test_records_that_come_from_no_file_land_as_one_version(lake: Lake, record: Record, counts: Counts) -> None:
    reading = Reading("otlp://gateway", NOW, "run-1")
    before = lake.version()
    texts = [json.dumps(record(1)), "broken", json.dumps(record(1)), json.dumps(record(2))]
    assert counts(land_records(lake, texts, "openai", reading)) == (4, 2, 1, 1)
    assert lake.version() == before + 1
    assert lake.frame("select source_file, source_line from quarantine").rows() == [("otlp://gateway", 2)]
    assert lake.frame("select read_count, landed_count, run_id from sources").rows() == [(4, 2, "run-1")]
