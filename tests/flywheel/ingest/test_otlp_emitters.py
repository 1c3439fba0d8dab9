"""What real instrumentations wrote, each with content and without: tests/data/otlp/emit.py made the files.

Each drove the OpenAI client through the same calls: a question, one that asks for a tool, one with the tool's result,
a streamed one, a refused one, and an embedding, which is context.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.core.queries import find_query
from flywheel.ingest.files import ingest_file
from flywheel.ingest.formats import detect_format
from flywheel.ingest.hints import hint_for

FOLDER = Path(__file__).parents[2] / "data" / "otlp"
NOW = "2027-01-01 00:00:00+00"
Row = dict[str, Any]

# whether the emitter tells which tools were offered, and what it reports of a stream
EMITTERS = {
    "openai_v2": (False, (11, 2)),
    "openai_v2_latest": (False, (11, 2)),
    "openllmetry": (True, (11, 2)),
    "openllmetry_indexed": (True, (None, None)),
    "openinference": (True, (11, 2)),
}
SWITCHES = {
    "openai_v2": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
    "openai_v2_latest": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
    "openllmetry": "TRACELOOP_TRACE_CONTENT",
    "openllmetry_indexed": "TRACELOOP_TRACE_CONTENT",
    "openinference": "OPENINFERENCE_HIDE_INPUTS",
    "pydantic_ai": "include_content",
}
QUESTION = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": 'Capital of "Italy"?\nOne word.'},
]
ANSWER = 'Rome – "Roma"'


@pytest.fixture
def parsed(memory: Lake) -> Callable[[str], list[Row]]:
    """Return what makes rows of a file."""

    def parse(name: str) -> list[Row]:
        lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        memory.connection.execute(
            "create or replace temp table log_lines (source_line bigint, byte_offset bigint, record varchar)"
        )
        memory.connection.executemany("insert into log_lines values (?, 0, ?)", list(enumerate(lines, start=1)))
        rows = memory.frame(find_query("ingest", "otlp"), now=NOW).sort("source_line").to_dicts()
        return [row for row in rows if row["problem"] != "not_a_call"]

    return parse


@pytest.mark.parametrize("emitter", EMITTERS)
def test_calls_have_what_was_said(emitter: str, parsed: Callable[[str], list[Row]]) -> None:
    plain, tool, used, streamed, refused = parsed(f"{emitter}_on")
    assert [row["problem"] for row in (plain, tool, used, streamed, refused)] == [None] * 5
    assert (json.loads(plain["input"]), plain["output"]) == (QUESTION, ANSWER)
    assert (plain["model"], plain["app"], plain["finish_reason"], plain["error"]) == (
        "small-2026",
        "shop",
        "stop",
        None,
    )
    assert (plain["input_tokens"], plain["output_tokens"]) == (11, 7)
    assert plain["response_id"] == "chatcmpl-1"
    assert plain["latency_ms"] > 0
    assert (json.loads(streamed["input"]), streamed["output"]) == (QUESTION, "Rome")
    assert (streamed["input_tokens"], streamed["output_tokens"]) == EMITTERS[emitter][1]
    assert json.loads(refused["input"]) == QUESTION
    assert refused["output"] is None
    assert refused["error"] in ("BadRequestError", "openai.BadRequestError", "error")


@pytest.mark.parametrize("emitter", EMITTERS)
def test_tools_are_asked_for_and_answer(emitter: str, parsed: Callable[[str], list[Row]]) -> None:
    _, tool, used, _, _ = parsed(f"{emitter}_on")
    (asked,) = json.loads(tool["tool_calls"])
    assert (asked["id"], asked["name"], json.loads(asked["arguments"])) == ("call_1", "weather", {"city": "Rome"})
    assert (tool["output"], tool["finish_reason"]) == (None, "tool_calls")
    question, call, result = json.loads(used["input"])
    assert question == {"role": "user", "content": "Weather in Rome?"}
    assert (call["role"], call["content"], call["tool_calls"][0]["name"]) == ("assistant", "", "weather")
    assert result == {"role": "tool", "content": '{"sky": "clear"}', "tool_call_id": "call_1"}
    offered = json.loads(tool["tools"] or "[]")
    assert [each["name"] for each in offered] == (["weather"] if EMITTERS[emitter][0] else [])


def test_an_agents_tool_span_gives_the_result(parsed: Callable[[str], list[Row]]) -> None:
    first, second = parsed("pydantic_ai_on")
    (asked,) = json.loads(first["tool_calls"])
    assert (asked["name"], asked["result"], asked["error"]) == ("weather", "clear in Rome", None)
    assert second["output"] == ANSWER
    assert first["task"] == "concierge"
    assert first["conversation_id"] == second["conversation_id"] != first["aliases"][0].split(":")[0]


@pytest.mark.parametrize("emitter", SWITCHES)
def test_calls_without_content_say_which_switch_is_off(emitter: str, parsed: Callable[[str], list[Row]]) -> None:
    rows = parsed(f"{emitter}_off")
    assert [row["problem"] for row in rows] == ["missing_content"] * (2 if emitter == "pydantic_ai" else 5)
    lines = (FOLDER / f"{emitter}_off.jsonl").read_text(encoding="utf-8").splitlines()
    assert SWITCHES[emitter] in hint_for("missing_content", lines[rows[0]["source_line"] - 1])
    assert hint_for("clock_in_the_future", lines[0]) == hint_for("missing_content", "{}") == ""


@pytest.mark.parametrize(
    "record", ['{"resourceLogs": []}', '{"context.span_id": "a"}', '{"context": {}, "attributes": {}}']
)
def test_their_shapes_are_recognised(record: str) -> None:
    assert detect_format("a.jsonl", [record]) == "otlp"
    for path in FOLDER.glob("*.jsonl"):
        assert detect_format(str(path), path.read_text(encoding="utf-8").splitlines()) == "otlp"


def test_every_refused_span_of_a_line_has_a_row_in_quarantine(lake: Lake, tmp_path: Path) -> None:
    """A line is a request with several spans: as many rows as were counted, each with its own id."""
    requests = [json.loads(line) for line in (FOLDER / "openllmetry_off.jsonl").read_text().splitlines()]
    spans = [one for request in requests for one in request["resourceSpans"]]
    together = tmp_path / "together.jsonl"
    together.write_text(json.dumps({"resourceSpans": spans}) + "\n")
    report = ingest_file(lake, str(together), now=datetime(2027, 1, 1, tzinfo=UTC))
    assert report.quarantined > 1
    assert lake.scalar("select count(*) from quarantine") == report.quarantined
