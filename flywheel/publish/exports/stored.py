"""What each release stores of its training rows: OpenAI and TRL, chat form, one JSON object a line."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
import polars as pl

from flywheel.publish.exports.conversation import for_openai, for_templates, read_conversation, said

Row = Mapping[str, Any]


def _openai_prompt(row: Row) -> list[dict[str, Any]]:
    return for_openai(read_conversation(row["input"]))


def _prompt(row: Row) -> list[dict[str, Any]]:
    return for_templates(read_conversation(row["input"]))


def openai_sft(row: Row) -> Iterator[dict[str, Any]]:
    """Yield a record for OpenAI's supervised fine-tuning."""
    yield {"messages": _openai_prompt(row) + said(row["chosen"])}


def openai_dpo(row: Row) -> Iterator[dict[str, Any]]:
    """Yield a record for OpenAI's direct preference optimisation."""
    if row["rejected"]:
        yield {
            "input": {"messages": _openai_prompt(row), "tools": [], "parallel_tool_calls": True},
            "preferred_output": said(row["chosen"]),
            "non_preferred_output": said(row["rejected"]),
        }


def trl_sft(row: Row) -> Iterator[dict[str, Any]]:
    """Yield a conversational prompt-completion record for TRL's SFTTrainer."""
    yield {"prompt": _prompt(row), "completion": said(row["chosen"])}


def trl_dpo(row: Row) -> Iterator[dict[str, Any]]:
    """Yield a conversational preference record for TRL's DPOTrainer."""
    if row["rejected"]:
        yield {"prompt": _prompt(row), "chosen": said(row["chosen"]), "rejected": said(row["rejected"])}


def trl_kto(row: Row) -> Iterator[dict[str, Any]]:
    """Yield unpaired records for TRL's KTOTrainer: the correction as desirable, the error as not."""
    yield {"prompt": _prompt(row), "completion": said(row["chosen"]), "label": True}
    if row["rejected"]:
        yield {"prompt": _prompt(row), "completion": said(row["rejected"]), "label": False}


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
