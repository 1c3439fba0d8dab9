"""What breaks a provider's rule is refused by the row's id, with what to do."""

from typing import Any

import orjson
import pytest

from flywheel.core.errors import DataError
from flywheel.publish.exports.example import read_example
from flywheel.publish.exports.formats import FORMATS

TOOL = {"type": "function", "function": {"name": "find"}}
USER, CALL = {"role": "user", "content": "hi"}, {"id": "c", "name": "find", "arguments": {"a": 1}}
ASKS = {"role": "assistant", "content": "", "tool_calls": [CALL]}
RESULT = {"role": "tool", "content": "r", "tool_call_id": "c"}
ALL = ["openai-sft", "openai-dpo", "trl-sft", "trl-kto-text", "axolotl-sft", "llama-factory-sft", "rl", "hf"]


def check(form: str, talk: list[dict[str, Any]], tools: Any = (), **row: Any) -> None:
    given = {"correction_id": "a7", "chosen": "yes", "rejected": "no", "weight": 1.0, **row}
    FORMATS[form].check(read_example(given | {"input": orjson.dumps(talk).decode()}, tools), form)


@pytest.mark.parametrize("form", ALL)
@pytest.mark.parametrize("talk", [[USER], [USER, ASKS, RESULT]])
def test_good_rows_pass(form: str, talk: list[dict[str, Any]]) -> None:
    check(form, talk, [TOOL])


@pytest.mark.parametrize("form", ALL)
@pytest.mark.parametrize(
    ("talk", "row", "problem"),
    [
        ([], {}, "no message"),
        ([{"role": "bot", "content": "x"}], {}, "role 'bot'"),
        ([USER, {"role": "assistant", "content": "x"}], {}, "ends with a message of the assistant"),
        ([USER, ASKS, USER], {}, "tool call 'c' was answered"),
        ([USER, RESULT], {}, "answers 'c', which no call"),
        ([USER], {"chosen": " "}, "chosen answer is empty"),
        ([USER], {"rejected": "yes"}, "same text"),
    ],
)
def test_bad_rows_are_named(form: str, talk: Any, row: dict[str, Any], problem: str) -> None:
    with pytest.raises(DataError, match=f"Correction 'a7' cannot be written as '{form}'.*{problem}.*--skip-broken"):
        check(form, talk, [TOOL], **row)


@pytest.mark.parametrize(
    ("form", "talk", "tools", "problem"),
    [
        ("openai-sft", [USER, ASKS, RESULT], [], "calls tool 'find', which no tool definition"),
        ("openai-dpo", [USER], [{"type": "function", "function": {"name": "a b"}}], "tool name 'a b'"),
        (
            "openai-sft",
            [USER, {**ASKS, "tool_calls": [{**CALL, "arguments": "not json"}]}, RESULT],
            [TOOL],
            "no JSON object",
        ),
        ("llama-factory-sft", [USER, {**ASKS, "content": "wait"}, RESULT], [TOOL], "both says something and calls"),
        ("llama-factory-sft", [{"role": "assistant", "content": "hi"}, USER], [], "sides must alternate"),
    ],
)
def test_rules_of_one_provider(form: str, talk: Any, tools: Any, problem: str) -> None:
    with pytest.raises(DataError, match=f"'a7'.*{problem}"):
        check(form, talk, tools)


@pytest.mark.parametrize(
    ("form", "facts", "problem"),
    [
        ("openai-sft", {"records": 9, "bytes": 1, "desirable": 0}, "9 records, expected at least 10"),
        ("openai-dpo", {"records": 10, "bytes": 600 * 2**20, "desirable": 0}, "expected at most 536870912"),
        ("trl-kto", {"records": 4, "bytes": 1, "desirable": 4}, "4 of 4 records are desirable"),
        ("llama-factory-kto", {"records": 4, "bytes": 1, "desirable": 0}, "0 of 4 records"),
        ("trl-sft", {"records": 0, "bytes": 0, "desirable": 0}, "no record is left"),
    ],
)
def test_rules_of_a_file(form: str, facts: dict[str, int], problem: str) -> None:
    with pytest.raises(DataError, match=f"train.jsonl cannot be written as '{form}'.*{problem}"):
        FORMATS[form].check_file(form, "train.jsonl", facts)
