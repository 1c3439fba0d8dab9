"""Axolotl: JSONL and a config that points at it (https://docs.axolotl.ai/docs/dataset-formats/conversation.html)."""

from collections.abc import Iterator, Mapping
from typing import Any

from flywheel.publish.exports.conversation import for_openai, for_templates, said
from flywheel.publish.exports.example import Example
from flywheel.publish.exports.yaml_text import as_yaml

CONFIG = "axolotl.yaml"


def sft(example: Example) -> Iterator[dict[str, Any]]:
    """Yield {messages[, tools]}, each message with `train`: true for the last one, the corrected one, alone.

    Arguments of calls are JSON text: Axolotl reads them, and Arrow keeps one type for the column.
    """
    messages = [message | {"content": message.get("content", ""), "train": False} for message in _asked(example)]
    tools = {"tools": list(example.tools)} if example.tools else {}
    yield {"messages": [*messages, said(example.chosen)[0] | {"train": True}], **tools}


def _asked(example: Example) -> list[dict[str, Any]]:
    return for_openai(example.prompt)


def dpo(example: Example) -> Iterator[dict[str, Any]]:
    """Yield {messages, chosen, rejected} for `chat_template.default`."""
    yield {
        "messages": for_templates(example.prompt),
        "chosen": said(example.chosen)[0],
        "rejected": said(example.rejected or "")[0],
    }


_FIELDS = {
    "field_messages": "messages",
    "message_property_mappings": {"role": "role", "content": "content"},
}
_SFT = {
    "type": "chat_template",
    **_FIELDS,
    "roles_to_train": [],
    "message_field_training": "train",
    "train_on_eos": "turn",
}
_DPO = {
    "type": "chat_template.default",
    **_FIELDS,
    "field_chosen": "chosen",
    "field_rejected": "rejected",
    "roles": {"user": ["user"], "assistant": ["assistant"], "system": ["system"]},
}


def sft_config(files: Mapping[str, str], base_model: str) -> dict[str, bytes]:
    """Return axolotl.yaml for SFT; `files` is split to file."""
    return {CONFIG: as_yaml(_config(files, base_model, _SFT)).encode()}


def dpo_config(files: Mapping[str, str], base_model: str) -> dict[str, bytes]:
    """Return axolotl.yaml for DPO; `files` is split to file."""
    return {CONFIG: as_yaml({**_config(files, base_model, _DPO), "rl": "dpo"}).encode()}


def _config(files: Mapping[str, str], base_model: str, how: Mapping[str, Any]) -> dict[str, Any]:
    datasets = {split: [{"path": name, "ds_type": "json", "split": "train", **how}] for split, name in files.items()}
    return {
        "base_model": base_model,
        "chat_template": "tokenizer_default",
        **({"datasets": datasets["train"]} if "train" in datasets else {}),
        **({"test_datasets": datasets["heldout"]} if "heldout" in datasets else {}),
        "sequence_len": 4096,
        "adapter": "lora",
        "lora_r": 16,
        "lora_alpha": 32,
        "lora_target_linear": True,
        "micro_batch_size": 1,
        "gradient_accumulation_steps": 8,
        "num_epochs": 1,
        "learning_rate": 0.0001,
        "output_dir": "./outputs",
    }
