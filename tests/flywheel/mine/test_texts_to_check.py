import gzip
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flywheel.core.errors import UsageError
from flywheel.core.lake import Lake
from flywheel.mine.texts_to_check import lake_texts, read_texts

DAY = date(2026, 1, 5)
ROWS = [
    {"task_id": "t/1", "prompt": "Add two numbers.", "test": "assert"},
    {"task_id": None, "prompt": None, "test": ""},
]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "rows.parquet"])
def test_files_are_read_by_what_they_are(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    lines = "".join(f"{json.dumps(row)}\n" for row in ROWS)
    if name.endswith("parquet"):
        pl.DataFrame(ROWS).write_parquet(path)
    else:
        path.write_bytes(gzip.compress(lines.encode()) if name.endswith("gz") else lines.encode())
    assert read_texts(path).rows() == [("t/1", "Add two numbers."), ("2", "")]
    assert read_texts(path, ["prompt", "test"])["text"][0] == "Add two numbers.\nassert"


def test_what_was_said_in_messages_is_one_text(tmp_path: Path) -> None:
    path = tmp_path / "sft.jsonl"
    said = [{"role": "user", "content": "Half of it"}, {"role": "assistant", "content": "and the rest"}]
    path.write_text(json.dumps({"messages": said}) + "\n")
    assert read_texts(path).rows() == [("1", "Half of it\nand the rest")]


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ('{"a": 1}\n', [], "has no column one of text, question"),
        ('{"a": 1}\n', ["b"], "has no column b; it has a"),
        ("not json\n", [], "is neither JSON lines nor Parquet"),
    ],
)
def test_files_that_cannot_be_read_are_refused(tmp_path: Path, text: str, columns: list[str], message: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_texts(path, columns)


def test_a_conversation_and_its_answer_are_one_text(memory: Lake, land: Callable[..., int]) -> None:
    said = json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}])
    traces = {"a": "Because.", "b": None, "c": "Never checked."}
    land("traces", [{"day": DAY, "trace_id": name, "input": said, "output": held} for name, held in traces.items()])
    drawn = {"a": "hard", "b": "hard", "c": "audit"}
    land("hard_examples", [{"day": DAY, "example_id": n, "trace_id": n, "purpose": drawn[n]} for n in drawn])
    land("corrections", [{"day": DAY, "correction_id": "k", "trace_id": "a", "input": said, "chosen": "So."}])
    assert lake_texts(memory).select("source", "id", "text").rows() == [
        ("corrections", "k", "Be brief.\nWhy?\nSo."),
        ("hard_examples", "a", "Be brief.\nWhy?\nBecause."),
        ("hard_examples", "b", "Be brief.\nWhy?"),
    ]
