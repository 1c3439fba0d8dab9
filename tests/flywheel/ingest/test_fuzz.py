"""Whatever bytes come as a log: nothing crashes, and read = landed + duplicates + quarantined."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flywheel.core.lake import Lake
from flywheel.core.scratch import Scratch
from flywheel.ingest.blocks import Place
from flywheel.ingest.files import ingest_file
from flywheel.ingest.lines import line_blocks
from flywheel.ingest.streams import PlainStream
from flywheel.ingest.strict import checked

NOW = datetime(2026, 1, 6, 12, tzinfo=UTC)
NAMES = ["a.jsonl", "a.json", "a.csv", "a.log", "a.parquet", "a.eval", "a.jsonl.gz", "a.jsonl.zst", "a.json.gz", "a"]
_SECONDS = count()  # no two readings are at once
fuzzed = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
messages = values | st.lists(st.fixed_dictionaries({}, optional={"role": values, "content": values}), max_size=3)
records = st.fixed_dictionaries(
    {},
    optional={
        "timestamp": values | st.just("2026-01-05T10:00:00Z"),
        "request": values
        | st.fixed_dictionaries({}, optional={"messages": messages, "model": values, "tools": values}),
        "response": values
        | st.fixed_dictionaries({}, optional={"id": values, "choices": values, "usage": values, "created": values}),
        "error": values,
        "feedback": values | st.lists(st.fixed_dictionaries({}, optional={"kind": values, "value": values})),
        "user": values,
        "conversation_id": values,
    },
)
# pieces of JSON and of what breaks it, in any order
tokens = st.sampled_from(
    [b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\n", b"\r\n", b" ", b"\0", b"\xff", b"\xef\xbb\xbf", b"NaN",
     b"-Infinity", b"nan", b"1e999", b"01", b"null", b"true", b'"a"', b"\\ud800", b"\\u0000", b'{"request":', b"1"]
)  # fmt: skip
soups = st.lists(tokens, max_size=30).map(b"".join)


def as_zip(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("samples/1.json", content)
    return packed.getvalue()


def as_parquet(content: bytes) -> bytes:
    packed = io.BytesIO()
    pq.write_table(pa.table({"request": [content], "id": [1]}), packed)
    return packed.getvalue()


PACKERS: list[Callable[[bytes], bytes]] = [
    bytes,
    gzip.compress,
    lambda content: bytes(pa.compress(content, codec="zstd", asbytes=True)),
    as_zip,
    as_parquet,
]


@pytest.fixture(scope="module")
def one_lake() -> Iterator[Lake]:
    with Lake.in_memory() as opened:
        yield opened


def check(lake: Lake, folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.write_bytes(content)
    for log_format in ("", "openai"):
        before = lake.scalar("select count(*) from raw_traces")
        report = ingest_file(lake, str(path), now=NOW + timedelta(seconds=next(_SECONDS)), log_format=log_format)
        assert report.read == report.landed + report.duplicates + report.quarantined
        assert min(report.read, report.landed, report.duplicates, report.quarantined) >= 0
        assert lake.scalar("select count(*) from raw_traces") - before == report.landed
    again = ingest_file(lake, str(path), now=NOW + timedelta(seconds=next(_SECONDS)))
    assert (again.read, again.landed, again.quarantined) == (0, 0, 0)


@fuzzed
@given(st.sampled_from(NAMES), st.binary(max_size=300) | soups)
@example("a.jsonl", b"\xef\xbb\xbf")
@example("a.csv", b'"')
@example("a.json", b"[" * 5000)
def test_any_bytes_under_any_name(one_lake: Lake, tmp_path: Path, name: str, content: bytes) -> None:
    check(one_lake, tmp_path, name, content)


@fuzzed
@given(st.sampled_from(PACKERS), soups | st.binary(max_size=200), st.data())
def test_any_container_with_some_bytes_changed(
    one_lake: Lake, tmp_path: Path, pack: Callable[[bytes], bytes], content: bytes, data: st.DataObject
) -> None:
    packed = bytearray(pack(content))
    for _ in range(data.draw(st.integers(0, 4)) if packed else 0):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(packed)))
    check(one_lake, tmp_path, "a.jsonl", bytes(packed[:end]))


@fuzzed
@given(st.lists(records, max_size=5))
@example([{"timestamp": 1767607200, "request": {"messages": [{"content": [None]}]}, "response": {"choices": [1]}}])
def test_any_record_that_looks_like_a_call(one_lake: Lake, tmp_path: Path, said: list[dict[str, Any]]) -> None:
    check(one_lake, tmp_path, "a.jsonl", b"\n".join(json.dumps(one).encode("utf-8", "surrogatepass") for one in said))


@settings(fuzzed, max_examples=400)
@given(st.lists(soups, min_size=1, max_size=20))
def test_in_bulk_the_same_is_json_as_one_by_one(one_lake: Lake, lines: list[bytes]) -> None:
    lines = [line.replace(b"\n", b"").replace(b"\r", b"") for line in lines]
    with Scratch(one_lake) as scratch:
        blocks = [
            checked(scratch, block)
            for block in line_blocks(PlainStream(io.BytesIO(b"\n".join(lines) + b"\n")), Place())
        ]
    kept = [int(number) for block in blocks for number in block.source_lines]
    assert kept == [number for number, line in enumerate(lines, start=1) if is_object(line)]


def is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line.removeprefix(b"\xef\xbb\xbf").strip()), dict)
    except orjson.JSONDecodeError:
        return False
