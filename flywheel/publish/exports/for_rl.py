"""Prompts for reinforcement learning with verifiable rewards, in verl's form, which TRL's GRPOTrainer reads as well.

verl's columns (https://verl.readthedocs.io/en/latest/preparation/prepare_data.html) are data_source, prompt, ability,
reward_model and extra_info. GRPOTrainer wants `prompt` and hands all other columns to the reward function.
"""

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import orjson

from flywheel.publish.exports.conversation import for_templates
from flywheel.publish.exports.example import Example

_NUMBER = re.compile(r"[^\w-]{0,2}[-+]?\d[\d,]*(?:\.\d+)?\s?%?")  # a number with its currency or per cent
_LABEL_WORDS = 5  # a class name, a yes, a name; a sentence can be right in other words
_LABEL_CHARACTERS = 80


def verifier_of(chosen: str) -> str:
    """Return the strictest rule that an answer justifies: a number, JSON, a short label; else a rubric."""
    answer = chosen.strip()
    if _NUMBER.fullmatch(answer):
        return "numeric"
    if answer[:1] in ("{", "[") and _is_json(answer):
        return "json_equal"
    is_label = len(answer.split()) <= _LABEL_WORDS and len(answer) <= _LABEL_CHARACTERS
    return "exact_match" if is_label else "rubric"


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def rubric_of(example: Example) -> str:
    """Return what a judge is told: only what the row itself says."""
    criteria = ["+1: says the same as the reference answer, in whatever words."]
    if example.rejected:
        criteria.append("-1: makes the mistake of the rejected answer again.")
    if example.row.get("mode_name"):
        criteria.append(f"-1: shows the failure mode {example.row['mode_name']!r}.")
    return "\n".join(criteria)


def prompts(example: Example) -> Iterator[dict[str, Any]]:
    """Yield a prompt with its ground truth and the verifier it justifies."""
    verifier = verifier_of(example.chosen)
    task = example.row.get("task") or "none"
    yield {
        "data_source": f"flywheel/{task}",
        "prompt": for_templates(example.prompt),
        "ability": task,
        "reward_model": {"style": "model" if verifier == "rubric" else "rule", "ground_truth": example.chosen},
        "extra_info": {
            "correction_id": example.correction_id,
            "split": example.row["split"],
            "verifier": verifier,
            "rubric": rubric_of(example) if verifier == "rubric" else None,
            "rejected": example.rejected,
            "mode_name": example.row.get("mode_name"),
            "weight": example.weight,
        },
        **({"tools": list(example.tools)} if example.tools else {}),
    }


def reward_file(files: Mapping[str, str], base_model: str) -> dict[str, bytes]:
    """Return rewards.py, which verifies answers."""
    del files, base_model
    return {"rewards.py": resources.files(__package__).joinpath("rewards.py").read_bytes()}
