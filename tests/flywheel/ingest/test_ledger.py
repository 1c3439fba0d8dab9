"""What was read is not read again: unchanged files are not opened, files that grew are read on, others anew."""

import gzip
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.ingest.files import IngestReport, ingest_files
from flywheel.ingest.sources import new_logs

NOW = datetime(2026, 1, 6, 12, tzinfo=UTC)
Record = Callable[..., dict[str, Any]]
Read = Callable[..., IngestReport]
Write = Callable[..., Path]
Counts = Callable[[IngestReport], tuple[int, int, int, int]]
Counted = Callable[..., tuple[int, int, int, int]]


def as_lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


@pytest.fixture
def counted(memory: Lake, read: Read, counts: Counts) -> Counted:
    """Return what reads a log some hours after noon and counts what became of it."""
    return lambda log, hours=0: counts(read(memory, log, now=NOW + timedelta(hours=hours)))


def test_an_unchanged_file_is_not_opened(
    memory: Lake, read: Read, write_log: Write, record: Record, counts: Counts
) -> None:
    log = write_log(record(1), b"broken")
    assert counts(read(memory, log)) == (2, 1, 0, 1)
    told = log.stat()
    log.chmod(0)
    log.write_bytes(b"x" * told.st_size) if os.geteuid() == 0 else None
    os.utime(log, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert counts(read(memory, log)) == (0, 0, 0, 0)
    assert memory.scalar("select count(*) from sources") == 1


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_file_that_grew_is_read_on(
    memory: Lake, counted: Counted, write_log: Write, record: Record, pack: Callable[[bytes], bytes]
) -> None:
    first, second = as_lines(record(1), record(2)), as_lines(record(3))
    log = write_log()
    log.write_bytes(pack(first))
    assert counted(log) == (2, 2, 0, 0)
    log.write_bytes(pack(first) + pack(second + b"broken\n"))
    assert counted(log, hours=1) == (2, 1, 0, 1)
    assert memory.frame("select source_line, byte_offset from quarantine").rows() == [(4, len(first + second))]
    assert memory.scalar("select max(source_line) from raw_traces") == 3
    assert counted(log, hours=2) == (0, 0, 0, 0)


def test_an_unfinished_last_line_lands_when_it_is_finished(
    memory: Lake, read: Read, write_log: Write, record: Record, counts: Counts
) -> None:
    whole = as_lines(record(1), record(2), record(3))
    log = write_log()
    states = []
    for hour, end in enumerate((-200, -100, len(whole))):
        log.write_bytes(whole[:end])
        states.append(counts(read(memory, log, now=NOW + timedelta(hours=hour))))
        states.append(memory.frame("select reason, resolved_at is null from quarantine order by 2").rows())
    assert states == [
        (3, 2, 0, 1),
        [("unfinished_line", True)],
        (1, 0, 0, 1),
        [("unfinished_line", False), ("unfinished_line", True)],
        (1, 1, 0, 0),
        [("unfinished_line", False), ("unfinished_line", False)],
    ]
    assert memory.frame("select source_line from raw_traces order by 1").to_series().to_list() == [1, 2, 3]


def test_a_last_line_that_only_lacks_its_end_has_one_number(
    memory: Lake, read: Read, write_log: Write, record: Record, counts: Counts
) -> None:
    log = write_log()
    log.write_bytes(as_lines(record(1)).rstrip(b"\n"))
    assert counts(read(memory, log)) == (1, 1, 0, 0)
    log.write_bytes(as_lines(record(1), record(2)))
    assert counts(read(memory, log, now=NOW + timedelta(hours=1))) == (1, 1, 0, 0)
    assert memory.frame("select source_line from raw_traces order by 1").to_series().to_list() == [1, 2]


@pytest.mark.parametrize("change", ["other content", "shorter", "changed in place", "grown with another beginning"])
def test_a_file_that_is_another_one_is_read_anew(
    memory: Lake, counted: Counted, write_log: Write, record: Record, change: str
) -> None:
    log = write_log(record(1), b"broken", record(2), record(3))
    assert counted(log) == (4, 3, 0, 1)
    content = {
        "other content": as_lines(*[record(number) for number in range(10, 15)]),
        "shorter": as_lines(record(1)),
        "changed in place": log.read_bytes().replace(b"r-2", b"r-9"),
        "grown with another beginning": as_lines(record(7)) + log.read_bytes(),
    }[change]
    log.write_bytes(content)
    os.utime(log, (2e9, 2e9))
    expected = {
        "other content": (5, 5, 0, 0),
        "shorter": (1, 0, 1, 0),
        "changed in place": (4, 1, 2, 1),
        "grown with another beginning": (5, 1, 3, 1),
    }[change]
    assert counted(log, hours=1) == expected
    refused = memory.frame("select count(*) from quarantine where resolved_at is null").item()
    assert refused == expected[3]
    assert counted(log, hours=2) == (0, 0, 0, 0)


def test_a_format_named_later_reads_the_file_anew(memory: Lake, read: Read, write_log: Write, counts: Counts) -> None:
    log = write_log({"level": "info"})
    assert counts(read(memory, log)) == (1, 0, 0, 1)
    report = read(memory, log, log_format="openai", now=NOW + timedelta(hours=1))
    assert (report.format, *counts(report)) == ("openai", 1, 0, 0, 1)
    reasons = memory.frame("select reason, resolved_at is null from quarantine order by all").rows()
    assert reasons == [("missing_content", True), ("unknown_format", False)]


def test_only_new_files_are_listed_and_small_ones_go_together(
    memory: Lake, read: Read, write_log: Write, record: Record
) -> None:
    logs = [write_log(record(number), name=f"{number}.jsonl") for number in range(3)]
    folder = str(logs[0].parent)
    assert new_logs(memory, folder, "") == [[str(log) for log in logs]]
    read(memory, logs[1])
    assert new_logs(memory, folder, "") == [[str(logs[0]), str(logs[2])]]
    assert new_logs(memory, folder, "openai") == [[str(logs[0]), str(logs[2])]]
    assert new_logs(memory, f"{folder}/[12].jsonl", "") == [[str(logs[2])]]


def test_a_file_that_cannot_be_opened_does_not_stop_the_others(
    memory: Lake, write_log: Write, record: Record, counts: Counts
) -> None:
    log = write_log(record(1))
    gone = str(log.with_name("gone.jsonl"))
    reports = ingest_files(memory, [gone, str(log)], "", NOW, "")
    assert [counts(report) for report in reports] == [(1, 0, 0, 1), (1, 1, 0, 0)]
    assert memory.frame("select reason, source_file from quarantine").rows() == [("unreadable_file", gone)]
