"""What is in quarantine may land later: after a fix in the log, or where a format came to be known."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.ingest.files import IngestReport
from flywheel.ingest.retry import Retried, retry_refused

LATER = datetime(2026, 1, 8, 12, tzinfo=UTC)
Record = Callable[..., dict[str, Any]]
Read = Callable[..., IngestReport]
Write = Callable[..., Path]


def refused(memory: Lake) -> list[Any]:
    return memory.frame("select source_line, reason, resolved_at from quarantine order by 1").rows()


def test_a_clock_that_was_ahead_lands_when_its_time_has_come(memory: Lake, ingest: Read, record: Record) -> None:
    report = ingest(record(1), record(2, timestamp="2026-01-08T10:00:00Z"), b"broken", record(3))
    (told,) = retry_refused(memory, LATER)
    assert told == Retried(report.source_file, tried=2, resolved=1, landed=1, refused=1)
    assert refused(memory) == [(2, "clock_in_the_future", LATER), (3, "invalid_json", None)]
    assert memory.frame("select source_line from raw_traces order by 1").to_series().to_list() == [1, 2, 4]
    (again,) = retry_refused(memory, LATER)
    assert (again.tried, again.resolved, again.landed, again.refused) == (1, 0, 0, 1)


@pytest.mark.parametrize("is_longer", [False, True])
def test_a_line_that_was_mended_in_its_log_lands(memory: Lake, ingest: Read, record: Record, is_longer: bool) -> None:
    good = json.dumps(record(2)).encode()
    broken = good[:-1] + b"," if not is_longer else good[:-7]
    log = Path(ingest(record(1), broken, record(3)).source_file)
    log.write_bytes(log.read_bytes().replace(broken + b"\n", good + b"\n"))
    os.utime(log, (2e9, 2e9))
    (told,) = retry_refused(memory, LATER)
    assert (told.tried, told.resolved, told.landed, told.refused) == (1, 1, 1, 0)
    assert refused(memory) == [(2, "invalid_json", LATER)]


def test_an_array_is_read_anew_as_a_whole(memory: Lake, ingest: Read, record: Record) -> None:
    late = record(2, timestamp="2026-01-08T10:00:00Z")
    ingest(json.dumps([record(1), late]).encode(), name="a.json", end=b"")
    (told,) = retry_refused(memory, LATER)
    assert (told.tried, told.resolved, told.landed, told.refused) == (1, 1, 1, 0)
    assert memory.scalar("select sum(duplicate_count) from sources") == 1


def test_one_or_those_of_a_reason_can_be_chosen(memory: Lake, ingest: Read, record: Record) -> None:
    ingest(b"broken", record(1, timestamp="2026-01-08T10:00:00Z"), record(2, timestamp="2026-01-08T10:00:00Z"))
    assert retry_refused(memory, LATER, reason="invalid_utf8") == []
    one = memory.scalar("select quarantine_id from quarantine where source_line = 3")
    assert [told.resolved for told in retry_refused(memory, LATER, quarantine_id=one[:12])] == [1]
    assert [told.resolved for told in retry_refused(memory, LATER, reason="clock_in_the_future")] == [1]
    assert [row[:2] for row in refused(memory) if row[2] is None] == [(1, "invalid_json")]


def test_a_source_that_is_gone_is_named(memory: Lake, ingest: Read) -> None:
    log = Path(ingest(b"broken").source_file)
    log.unlink()
    (told,) = retry_refused(memory, LATER)
    assert (told.tried, told.resolved, told.refused) == (1, 0, 1)
    assert told.problem is not None
    assert str(log) in told.problem


def test_a_whole_file_is_tried_again(memory: Lake, ingest: Read, record: Record) -> None:
    log = Path(ingest({"level": "info"}).source_file)
    log.write_text(json.dumps(record(1)))
    (told,) = retry_refused(memory, LATER, reason="unknown_format")
    assert (told.tried, told.resolved, told.landed) == (1, 1, 1)


def test_feedback_that_waited_finds_a_call_that_lands_late(memory: Lake, ingest: Read, record: Record) -> None:
    said = {"kind": "thumb", "value": -1, "target": "r-2"}
    ingest(record(1, feedback=[said]), record(2, timestamp="2026-01-08T10:00:00Z"))
    assert memory.scalar("select count(*) from raw_feedback where trace_id is null") == 1
    retry_refused(memory, LATER)
    found = memory.frame("select response_id from raw_feedback join raw_traces using (trace_id)")
    assert found.rows() == [("r-2",)]


def test_answers_in_quarantine_are_none_of_this(memory: Lake) -> None:
    row = {"day": LATER.date(), "quarantine_id": "q", "table_name": "answers", "source_file": "x", "source_line": 1}
    memory.land("quarantine", memory.typed("quarantine", [row]))
    assert retry_refused(memory, LATER) == []
