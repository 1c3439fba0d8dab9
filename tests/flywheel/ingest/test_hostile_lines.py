"""One hostile line among a thousand good ones: the good ones land, whatever it is, and it is told what it was."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.examples import read_messages
from flywheel.core.lake import Lake
from flywheel.ingest.files import IngestReport

DAY = date(2026, 1, 5)
GOOD = 1_000
Read = Callable[..., IngestReport]
Write = Callable[..., Path]
Record = Callable[..., dict[str, Any]]


def call(**changes: Any) -> dict[str, Any]:
    """Return a call that is odd where it is said to be."""
    record = {
        "timestamp": "2026-01-05T10:00:00Z",
        "request": {"messages": [{"role": "user", "content": "hello"}]},
        "response": {"id": "odd", "choices": [{"message": {"content": "hi"}}]},
    }
    return record | changes


def answered(**changes: Any) -> dict[str, Any]:
    return call(response={"id": "odd", **changes})


def asked(messages: Any) -> dict[str, Any]:
    return call(request={"messages": messages})


REFUSED = {
    "bad utf-8": (b'{"user": "\xff\xfe"}', "invalid_utf8"),
    "lone surrogate": (json.dumps(call(user="?")).replace("?", "\\ud800").encode(), "invalid_json"),
    "truncated": (json.dumps(call()).encode()[:60], "invalid_json"),
    "nested 100k": (b"[" * 100_000, "invalid_json"),
    "NaN": (json.dumps(call(latency_ms=float("nan"))).encode(), "invalid_json"),
    "NUL": (b"\x00" * 512, "invalid_json"),
    "utf-16": (json.dumps(call()).encode("utf-16"), "invalid_utf8"),
    "33 MB": (b'{"a":"' + b"x" * (33 << 20) + b'"}', "line_too_long"),
    "no object": (b"[1, 2]", "not_an_object"),
    "empty object": ({}, "missing_content"),
    "another program's line": ({"level": "info", "msg": "started"}, "missing_content"),
    "no messages": (call(request={}), "missing_content"),
    "request is text": (call(request="hello"), "missing_content"),
    "messages are text": (asked("hello"), "missing_content"),
    "messages are numbers": (asked([{"role": "user", "content": "x"}, 1, None]), "missing_content"),
    "messages nested 900": (json.dumps(asked("?")).replace('"?"', "[" * 900 + "]" * 900).encode(), "missing_content"),
    "no response": (call(response=None), "missing_content"),
    "response is a list": (call(response=[1, 2]), "missing_content"),
    "error is false": (call(response=None, error=False), "missing_content"),
    "no timestamp": (call(timestamp=None), "missing_timestamp"),
    "timestamp is a list": (call(timestamp=[1]), "missing_timestamp"),
    "timestamp is text": (call(timestamp="yesterday"), "missing_timestamp"),
    "timestamp is nan": (call(timestamp="nan"), "missing_timestamp"),
    "timestamp is 1e30": (call(timestamp=1e30), "missing_timestamp"),
    "timestamp is -1e30": (call(timestamp=-1e30), "missing_timestamp"),
    "created is 2**70": (call(timestamp=None, response={"created": 2**70}), "missing_timestamp"),
    "clock a week ahead": (call(timestamp="2026-01-13T10:00:00Z"), "clock_in_the_future"),
    "year 9999": (call(timestamp="9999-12-31T23:59:59Z"), "clock_in_the_future"),
    "infinity": (call(timestamp="infinity"), "clock_in_the_future"),
    "clock never set": (call(timestamp=0), "clock_in_the_past"),
    "minus infinity": (call(timestamp="-infinity"), "clock_in_the_past"),
    "before Christ": (call(timestamp="4000-01-01 (BC) 00:00:00"), "clock_in_the_past"),
}
LANDED = {
    "duplicate keys": b'{"user": "a", "user": "b", ' + json.dumps(call()).encode()[1:],
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(call()).encode(),
    "carriage return": json.dumps(call()).encode() + b"\r",
    "escaped NUL": call(user="\0", conversation_id="\0", request={"messages": [{"role": "user", "content": "\0"}]}),
    "no character": call(user="\uffff\U0010ffff"),
    "nested 1000": json.dumps(call(extra="?")).replace('"?"', "[" * 1000 + "]" * 1000).encode(),
    "numbers are text": call(latency_ms="fast", cost_usd="-1", user=5, conversation_id=7, client_id=[1]),
    "int 2**70": answered(usage={"prompt_tokens": 2**70, "completion_tokens": -1}),
    "latency NaN as text": call(latency_ms="NaN", cost_usd="inf"),
    "content in parts": asked([{"role": "user", "content": [{"type": "text", "text": "hello"}]}]),
    "content is a number": asked([{"role": 5, "content": 7}]),
    "no message at all": asked([]),
    "choices are text": answered(choices="x"),
    "logprob is text": answered(choices=[{"message": {"content": "x"}, "logprobs": {"content": [{"logprob": "x"}]}}]),
    "logprob above 0": answered(choices=[{"message": {"content": "x"}, "logprobs": {"content": [{"logprob": 1e5}]}}]),
    "schema is text": call(request={"messages": [], "response_format": {"json_schema": {"schema": "x"}}}),
    "feedback is numbers": call(feedback=[1, "x", None]),
    "feedback is text": call(feedback="bad"),
    "feedback drifts": call(feedback=[{"kind": 5, "value": "down", "text": {"a": 1}, "occurred_at": "-infinity"}]),
    "error is a list": call(response=None, error=[1]),
    "response has no id": call(response={"id": "", "choices": []}),
}


@pytest.fixture(scope="module")
def good() -> list[bytes]:
    return [json.dumps(call(response={"id": f"r-{number}", "choices": []})).encode() for number in range(GOOD)]


@pytest.mark.parametrize("name", REFUSED)
def test_the_good_lines_land_and_the_hostile_one_is_kept_with_its_place(
    memory: Lake, ingest: Read, good: list[bytes], name: str
) -> None:
    hostile, reason = REFUSED[name]
    report = ingest(*good[:500], hostile, *good[500:])
    assert (report.read, report.landed, report.duplicates, report.quarantined) == (1_001, 1_000, 0, 1)
    assert memory.scalar("select count(*) from raw_traces") == GOOD
    kept = memory.frame(
        "select reason, source_file, source_line, byte_offset, raw, length(detail) > 0 from quarantine"
    )
    offset = sum(len(line) + 1 for line in good[:500])
    (row,) = kept.rows()
    assert (row[:4], row[5]) == ((reason, report.source_file, 501, offset), True)
    assert 0 < len(row[4]) <= 10_000


@pytest.mark.parametrize("hostile", LANDED.values(), ids=list(LANDED))
def test_what_is_odd_lands_beside_the_good_lines_and_can_be_built_on(
    memory: Lake, ingest: Read, good: list[bytes], hostile: Any
) -> None:
    report = ingest(*good[:500], hostile, *good[500:])
    assert (report.read, report.landed, report.duplicates, report.quarantined) == (1_001, 1_001, 0, 0)
    assert memory.build("traces", DAY) == GOOD + 1
    memory.build("feedback", DAY)
    memory.build("signals", DAY)
    odd = memory.frame("select input, confidence, latency_ms, cost_usd from traces where source_line = 501").row(0)
    assert isinstance(read_messages(odd[0]), tuple)
    assert odd[1:] == (None, None, None)


@pytest.mark.parametrize("name", ["empty object", "no object", "truncated", "nested 100k"])
def test_a_hostile_first_line_does_not_hide_the_format(ingest: Read, good: list[bytes], name: str) -> None:
    report = ingest(REFUSED[name][0], *good)
    assert (report.format, report.landed, report.quarantined) == ("openai", GOOD, 1)


def test_all_hostile_lines_together_cost_no_good_line(
    lake: Lake, read: Read, write_log: Write, record: Record
) -> None:
    hostile = [line for line, _ in REFUSED.values()]
    log = write_log(*[line for number, odd in enumerate(hostile) for line in (odd, record(number), b"", b"  \t")])
    report = read(lake, log)
    assert (report.read, report.landed, report.quarantined) == (2 * len(hostile), len(hostile), len(hostile))
    reasons = dict(lake.frame("select reason, count(*) from quarantine group by reason").iter_rows())
    assert reasons == {
        "invalid_utf8": 2,
        "invalid_json": 5,
        "line_too_long": 1,
        "not_an_object": 1,
        "missing_content": 10,
        "missing_timestamp": 7,
        "clock_in_the_future": 3,
        "clock_in_the_past": 3,
    }
    again = read(lake, log)
    assert (again.read, again.landed, again.duplicates, again.quarantined) == (0, 0, 0, 0)
    assert lake.scalar("select count(*) from quarantine") == len(hostile)
    assert lake.scalar("select count(*) from sources") == 1
