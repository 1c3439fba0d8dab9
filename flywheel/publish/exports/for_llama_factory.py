"""LLaMA-Factory: JSONL in its sharegpt layout, `dataset_info.json` that describes it, and a training config.

Its `openai` layout is not used: the converter of 0.9.5 adds a line to every system prompt. In the sharegpt layout a
user or a result has to alternate with the assistant or a call; what does not is dropped by it with a warning only, so
it is refused here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from flywheel.publish.exports.conversation import Message
from flywheel.publish.exports.example import WITHDRAW, Example, Rules, check_chat
from flywheel.publish.exports.yaml_text import as_yaml

_USER_SIDE = ("user", "observation")
_ASSISTANT_SIDE = ("assistant", "function_call")
_JOINED = "\n\n"  # between messages of one side that follow each other
_RESULTS_JOINED = "\n</tool_response>\n<tool_response>\n"  # as its own converter joins results of parallel calls


def _turn(message: Message) -> Message:
    if "tool_calls" in message:
        calls = [{"name": call["name"], "arguments": call["arguments"]} for call in message["tool_calls"]]
        return {"role": "function_call", "content": orjson.dumps(calls[0] if len(calls) == 1 else calls).decode()}
    return {"role": {"tool": "observation"}.get(message["role"], message["role"]), "content": message["content"]}


def turns(prompt: list[Message]) -> list[Message]:
    """Return messages as it reads them: texts of one person, and results, that follow each other are joined."""
    joined: list[Message] = []
    for message in prompt:
        turn = _turn(message)
        if joined and turn["role"] == joined[-1]["role"] != "function_call":
            between = _RESULTS_JOINED if turn["role"] == "observation" else _JOINED
            joined[-1]["content"] += between + turn["content"]
        else:
            joined.append(turn)
    return joined


def sft(example: Example) -> Iterator[dict[str, Any]]:
    """Yield {messages[, tools]}, the correction last."""
    yield {"messages": [*turns(example.prompt), _said(example.chosen)], **_tools(example)}


def dpo(example: Example) -> Iterator[dict[str, Any]]:
    """Yield {messages, chosen, rejected[, tools]}."""
    answers = {"chosen": _said(example.chosen), "rejected": _said(example.rejected or "")}
    yield {"messages": turns(example.prompt), **answers, **_tools(example)}


def kto(example: Example) -> Iterator[dict[str, Any]]:
    """Yield {messages, label[, tools]}: the correction, and the error where it is known."""
    asked = turns(example.prompt)
    yield {"messages": [*asked, _said(example.chosen)], "label": True, **_tools(example)}
    if example.rejected:
        yield {"messages": [*asked, _said(example.rejected)], "label": False, **_tools(example)}


def _said(text: str) -> Message:
    return {"role": "assistant", "content": text}


def _tools(example: Example) -> dict[str, str]:
    """Return tool definitions as the JSON text it wants."""
    functions = [tool["function"] for tool in example.tools]
    return {"tools": orjson.dumps(functions).decode()} if functions else {}


def check(example: Example, form: str) -> None:
    """Hold the rules of all chats, and that the two sides take turns.

    Raises:
        DataError: the example breaks one of the rules.

    """
    check_chat(example, form)
    rules, remedy = Rules(form), f"{WITHDRAW}."
    for place, message in enumerate(example.prompt):
        is_either = not ("tool_calls" in message and message["content"])
        problem = f"message {place} both says something and calls a tool, and LLaMA-Factory keeps only the call"
        rules.hold(example, is_either, problem, remedy)
    asked = turns(example.prompt)
    for place, turn in enumerate(asked[1:] if asked[0]["role"] == "system" else asked):
        side = _ASSISTANT_SIDE if place % 2 else _USER_SIDE
        problem = f"turn {place} is of role {turn['role']!r}, expected {' or '.join(side)}: the sides must alternate"
        rules.hold(example, turn["role"] in side, problem, remedy)


_TAGS = {
    "role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant",
    "observation_tag": "observation", "function_tag": "function_call", "system_tag": "system",
}  # fmt: skip


def config(stage: str, columns: Mapping[str, str], files: Mapping[str, str], base_model: str) -> dict[str, bytes]:
    """Return dataset_info.json and llama_factory.yaml; `files` is split to file."""
    is_ranking = stage == "dpo"
    described = {
        f"flywheel_{split}": {
            "file_name": name,
            "formatting": "sharegpt",
            **({"ranking": True} if is_ranking else {}),
            "columns": {"messages": "messages", **columns},
            "tags": _TAGS,
        }
        for split, name in files.items()
    }
    training = {
        "model_name_or_path": base_model,
        "stage": stage,
        "do_train": "train" in files,
        "finetuning_type": "lora",
        "lora_target": "all",
        **({"pref_loss": "sigmoid"} if is_ranking else {}),
        "dataset_dir": ".",
        **({"dataset": "flywheel_train"} if "train" in files else {}),
        **({"eval_dataset": "flywheel_heldout"} if "heldout" in files else {}),
        "template": "qwen",
        "cutoff_len": 4096,
        **({"mask_history": True} if stage == "sft" else {}),  # only the last answer, the corrected one, is learned
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 8,
        "learning_rate": 0.0001,
        "num_train_epochs": 1.0,
        "output_dir": "outputs",
    }
    info = orjson.dumps(described, option=orjson.OPT_INDENT_2) + b"\n"
    return {"dataset_info.json": info, "llama_factory.yaml": as_yaml(training).encode()}
