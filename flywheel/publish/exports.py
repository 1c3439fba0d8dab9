"""Write the rows the way trainers read them: OpenAI and TRL, chat form, one JSON object a line."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
import polars as pl

from flywheel.core.examples import read_messages

Row = Mapping[str, Any]


def _prompt(row: Row) -> list[dict[str, str]]:
    return [
        {"role": message.role, "content": message.content}
        for message in read_messages(row["input"])
        if message.content
    ]


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def openai_sft(row: Row) -> Iterator[dict[str, Any]]:
    """Yield a record for OpenAI's supervised fine-tuning."""
    yield {"messages": _prompt(row) + _said(row["chosen"])}


def openai_dpo(row: Row) -> Iterator[dict[str, Any]]:
    """Yield a record for OpenAI's direct preference optimisation."""
    if row["rejected"]:
        yield {
            "input": {"messages": _prompt(row), "tools": [], "parallel_tool_calls": True},
            "preferred_output": _said(row["chosen"]),
            "non_preferred_output": _said(row["rejected"]),
        }


def trl_sft(row: Row) -> Iterator[dict[str, Any]]:
    """Yield a conversational prompt-completion record for TRL's SFTTrainer."""
    yield {"prompt": _prompt(row), "completion": _said(row["chosen"])}


def trl_dpo(row: Row) -> Iterator[dict[str, Any]]:
    """Yield a conversational preference record for TRL's DPOTrainer."""
    if row["rejected"]:
        yield {"prompt": _prompt(row), "chosen": _said(row["chosen"]), "rejected": _said(row["rejected"])}


def trl_kto(row: Row) -> Iterator[dict[str, Any]]:
    """Yield unpaired records for TRL's KTOTrainer: the correction as desirable, the error as not."""
    yield {"prompt": _prompt(row), "completion": _said(row["chosen"]), "label": True}
    if row["rejected"]:
        yield {"prompt": _prompt(row), "completion": _said(row["rejected"]), "label": False}


FORMATS: Mapping[str, Callable[[Row], Iterator[dict[str, Any]]]] = {
    "openai-sft": openai_sft,
    "openai-dpo": openai_dpo,
    "trl-sft": trl_sft,
    "trl-dpo": trl_dpo,
    "trl-kto": trl_kto,
}


def export(rows: pl.DataFrame, form: str) -> bytes:
    """Return training rows (input, chosen, rejected) as JSONL in one of FORMATS."""
    write = FORMATS[form]
    lines = [orjson.dumps(record) for row in rows.iter_rows(named=True) for record in write(row)]
    return b"".join(line + b"\n" for line in lines)
