"""The rows as trainers read them, to the byte, and as the trainers' own loaders see them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flywheel.publish.exports.stored import FORMATS, export

Row = dict[str, Any]
Corrections = Callable[..., list[Row]]

TALK = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": 'Où est "ma" carte?\n'},
    {"role": "assistant", "content": None},
    {"role": "user", "content": "hello?"},
]
ROW = {"input": json.dumps(TALK), "rejected": "refund", "chosen": "card_lost"}
PROMPT = (
    '[{"role":"system","content":"Be kind."},{"role":"user","content":"Où est \\"ma\\" carte?\\n"},'
    '{"role":"user","content":"hello?"}]'
)
SAID = '{"role":"assistant","content":"%s"}'
GOOD, BAD = f"[{SAID % 'card_lost'}]", f"[{SAID % 'refund'}]"
ASKED = f'{{"messages":{PROMPT},"tools":[],"parallel_tool_calls":true}}'
LINES = {
    "openai-sft": [f'{{"messages":{PROMPT[:-1]},{GOOD[1:]}}}'],
    "openai-dpo": [f'{{"input":{ASKED},"preferred_output":{GOOD},"non_preferred_output":{BAD}}}'],
    "trl-sft": [f'{{"prompt":{PROMPT},"completion":{GOOD}}}'],
    "trl-dpo": [f'{{"prompt":{PROMPT},"chosen":{GOOD},"rejected":{BAD}}}'],
    "trl-kto": [
        f'{{"prompt":{PROMPT},"completion":{GOOD},"label":true}}',
        f'{{"prompt":{PROMPT},"completion":{BAD},"label":false}}',
    ],
}
RECORDS_WITHOUT_AN_ERROR = {"openai-sft": 1, "openai-dpo": 0, "trl-sft": 1, "trl-dpo": 0, "trl-kto": 1}


def frame(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={"input": pl.String, "rejected": pl.String, "chosen": pl.String})


def test_there_is_an_example_of_each_format() -> None:
    assert set(FORMATS) == set(LINES) == set(RECORDS_WITHOUT_AN_ERROR)


@pytest.mark.parametrize("form", LINES)
def test_a_row_to_the_byte(form: str) -> None:
    assert export(frame(ROW), form).decode() == "".join(f"{line}\n" for line in LINES[form])


@pytest.mark.parametrize("form", LINES)
@pytest.mark.parametrize("rejected", [None, ""])
def test_a_correction_without_an_error_has_no_bad_side(form: str, rejected: str | None) -> None:
    lines = export(frame(ROW | {"rejected": rejected}), form).splitlines()
    assert len(lines) == RECORDS_WITHOUT_AN_ERROR[form]


@pytest.mark.parametrize("form", LINES)
def test_no_rows_are_no_bytes(form: str) -> None:
    assert export(frame(), form) == b""


def test_parts_of_a_message_stay_text_so_that_a_column_has_one_type() -> None:
    parts = [{"type": "text", "text": "hi"}]
    (line,) = export(frame(ROW | {"input": json.dumps([{"role": "user", "content": parts}])}), "trl-sft").splitlines()
    assert json.loads(line)["prompt"] == [{"role": "user", "content": '[{"type":"text","text":"hi"}]'}]


@pytest.mark.parametrize("form", LINES)
def test_loaders_read_what_was_written(form: str, tmp_path: Path, corrections: Corrections) -> None:
    from datasets import load_dataset

    said = ["a\nb\u2028c", "ünï ☂", '"quoted" \\ back', "<script>"]
    rows = [row for number, text in enumerate(said) for row in corrections([number], chosen=text)]
    (tmp_path / "rows.jsonl").write_bytes(export(pl.DataFrame(rows), form))
    expected = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_bytes().splitlines()]
    loaded = load_dataset(
        "json", data_files=str(tmp_path / "rows.jsonl"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert loaded.to_list() == expected
    assert pl.read_ndjson(tmp_path / "rows.jsonl").to_dicts() == expected
    assert expected[0][next(iter(expected[0]))] is not None


CALLED = [
    {"role": "user", "content": "where is it?"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "c1", "name": "find", "arguments": {"order": 7}}],
    },
    {"role": "tool", "content": "", "tool_call_id": "c1", "name": "find"},
]


def test_tool_calls_and_their_results_stay_in_openai_shape() -> None:
    (line,) = export(frame(ROW | {"input": json.dumps(CALLED)}), "openai-sft").splitlines()
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"order":7}'}}
    assert json.loads(line)["messages"] == [
        {"role": "user", "content": "where is it?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "content": "", "tool_call_id": "c1"},
        {"role": "assistant", "content": "card_lost"},
    ]


def test_tool_calls_and_their_results_stay_as_chat_templates_read_them() -> None:
    (line,) = export(frame(ROW | {"input": json.dumps(CALLED)}), "trl-sft").splitlines()
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": {"order": 7}}}
    assert json.loads(line)["prompt"] == [
        {"role": "user", "content": "where is it?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "", "tool_call_id": "c1", "name": "find"},
    ]
