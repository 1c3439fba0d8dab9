"""Log records and files, and what reads them into a lake at a fixed moment."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.ingest.files import IngestReport, ingest_file

Record = dict[str, Any]
NOW = datetime(2026, 1, 6, 12, tzinfo=UTC)


def make_record(number: int, **changes: Any) -> Record:
    """Return one call; `changes` replace whole fields of the record, or its `query` and `output`."""
    query, output = changes.pop("query", f"where is my card {number}"), changes.pop("output", "card_lost")
    choice = {"index": 0, "message": {"role": "assistant", "content": output}, "finish_reason": "stop"}
    record = {
        "timestamp": "2026-01-05T10:00:00Z",
        "workload_id": "intent",
        "request": {"model": "m", "messages": [{"role": "user", "content": query}]},
        "response": {"id": f"r-{number}", "model": "m", "choices": [choice]},
    }
    return record | changes


@pytest.fixture
def record() -> Callable[..., Record]:
    return make_record


@pytest.fixture
def write_log(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes records, or lines as they are, to a log file of a name."""

    def write(*lines: Record | bytes, name: str = "a.jsonl", end: bytes = b"\n") -> Path:
        path = tmp_path / "logs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(
            b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + end for line in lines)
        )
        return path

    return write


@pytest.fixture
def memory() -> Lake:
    return Lake.in_memory()


@pytest.fixture
def read() -> Callable[..., IngestReport]:
    """Return what ingests a file at noon of 2026-01-06."""
    return lambda lake, path, **options: ingest_file(lake, str(path), **{"now": NOW, **options})


@pytest.fixture
def ingest(
    memory: Lake, read: Callable[..., IngestReport], write_log: Callable[..., Path]
) -> Callable[..., IngestReport]:
    """Return what writes lines to a log and reads it into `memory`."""
    return lambda *lines, name="a.jsonl", end=b"\n", **options: read(
        memory, write_log(*lines, name=name, end=end), **options
    )


@pytest.fixture
def counts() -> Callable[[IngestReport], tuple[int, int, int, int]]:
    return lambda report: (report.read, report.landed, report.duplicates, report.quarantined)
