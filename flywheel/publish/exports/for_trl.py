"""TRL's dataset formats (https://huggingface.co/docs/trl/dataset_formats), conversational and as plain text.

Conversational records hold messages, and the trainer applies the model's chat template. Text records hold the
conversation written out, `user: ...` on lines of its own, for models without a template. Both say which correction
they come from and what it weighs; TRL's trainers leave these two columns alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flywheel.publish.exports.conversation import for_templates, said, spoken
from flywheel.publish.exports.example import Example, bad_record

Record = dict[str, Any]


def sft(example: Example) -> Iterator[Record]:
    """Yield a prompt-completion record for SFTTrainer."""
    yield {"prompt": for_templates(example.prompt), "completion": said(example.chosen), **_beside(example)}


def preference(example: Example) -> Iterator[Record]:
    """Yield a preference record with its prompt, for DPOTrainer and RewardTrainer."""
    yield {
        "prompt": for_templates(example.prompt),
        "chosen": said(example.chosen),
        "rejected": said(example.rejected or ""),
        **_beside(example),
    }


def kto(example: Example) -> Iterator[Record]:
    """Yield unpaired records for KTOTrainer: the correction as desirable, the error, where known, as not."""
    prompt = for_templates(example.prompt)
    yield {"prompt": prompt, "completion": said(example.chosen), "label": True, **_beside(example)}
    if example.rejected:
        yield {"prompt": prompt, "completion": said(example.rejected), "label": False, **_beside(example)}


def _beside(example: Example) -> Record:
    tools = {"tools": list(example.tools)} if example.tools else {}
    return {**tools, "weight": example.weight, "correction_id": example.correction_id}


def as_prompt(example: Example) -> str:
    """Return the conversation as text that ends where the assistant goes on."""
    lines = [f"{message['role']}: {spoken(message)}" for message in example.prompt]
    return "\n\n".join([*lines, "assistant:"])


def sft_text(example: Example) -> Iterator[Record]:
    """Yield a prompt-completion record of two texts."""
    yield {"prompt": as_prompt(example), "completion": f" {example.chosen}", **_traced(example)}


def preference_text(example: Example) -> Iterator[Record]:
    """Yield a preference record of three texts."""
    answers = {"chosen": f" {example.chosen}", "rejected": f" {example.rejected}"}
    yield {"prompt": as_prompt(example), **answers, **_traced(example)}


def kto_text(example: Example) -> Iterator[Record]:
    """Yield unpaired records of texts."""
    yield {"prompt": as_prompt(example), "completion": f" {example.chosen}", "label": True, **_traced(example)}
    if example.rejected:
        yield {"prompt": as_prompt(example), "completion": f" {example.rejected}", "label": False, **_traced(example)}


def _traced(example: Example) -> Record:
    return {"weight": example.weight, "correction_id": example.correction_id}


def check_records(form: str, name: str, facts: Mapping[str, int]) -> None:
    """Hold that there is something to train on.

    Raises:
        DataError: there is nothing.

    """
    if not facts["records"]:
        raise bad_record(form, name, "no record is left", "Loosen the filters; the report says what they left out.")


def check_kto(form: str, name: str, facts: Mapping[str, int]) -> None:
    """Hold that both labels are there: without undesirable answers KTO has nothing to move away from.

    Raises:
        DataError: one is missing, or everything is.

    """
    check_records(form, name, facts)
    if not 0 < facts["desirable"] < facts["records"]:
        counted = f"{facts['desirable']} of {facts['records']} records are desirable, expected both kinds"
        raise bad_record(form, name, counted, "Include rows that have a rejected answer, or use trl-sft.")
