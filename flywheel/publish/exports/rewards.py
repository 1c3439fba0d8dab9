"""Verify answers against a release's corrections; `flywheel releases export --format rl` puts this file beside them.

It needs nothing but Python. `reward` is for TRL's GRPOTrainer, `compute_score` for verl. A prompt whose verifier is
`rubric` needs a judge that reads `extra_info["rubric"]`: `reward` gives None for it, which TRL leaves out.
"""

import json
import re

_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")


def reward(completions, reward_model, extra_info, **_):  # type: ignore[no-untyped-def]
    """Return 1.0, 0.0 or None for each completion, a text or a list of messages."""
    return [
        verified(_text(completion), wanted["ground_truth"], told["verifier"])
        for completion, wanted, told in zip(completions, reward_model, extra_info, strict=True)
    ]


def compute_score(data_source, solution_str, ground_truth, extra_info=None):  # type: ignore[no-untyped-def]
    """Return 1.0 or 0.0 for an answer; ValueError where only a judge can tell."""
    score = verified(solution_str, ground_truth, (extra_info or {}).get("verifier", "exact_match"))
    if score is None:
        raise ValueError(f"A prompt of {data_source!r} has no rule to verify it by: let a judge read its rubric.")
    return score


def verified(answer: str, wanted: str, verifier: str) -> float | None:
    """Return whether an answer is the wanted one by a verifier's rule, as 1.0 or 0.0; None where there is none."""
    if verifier == "rubric":
        return None
    if verifier == "numeric":
        return float(_last_number(answer) == _last_number(wanted))
    if verifier == "json_equal":
        return float(_json(answer) == _json(wanted))
    if verifier == "exact_match":
        return float(_plain(answer) == _plain(wanted))
    raise ValueError(f"There is no verifier {verifier!r}: exact_match, numeric, json_equal and rubric are known.")


def _text(completion: object) -> str:
    if isinstance(completion, list):
        return str(completion[-1]["content"]) if completion else ""
    return str(completion)


def _plain(text: str) -> str:
    return " ".join(text.split()).strip(" .!\"'`").casefold()


def _last_number(text: str) -> float | None:
    found = _NUMBER.findall(text)
    return float(found[-1].replace(",", "")) if found else None


def _json(text: str) -> object:
    fenced = re.sub(r"^\s*```(?:json)?\s*|\s*```\s*$", "", text)
    try:
        return json.loads(fenced)
    except json.JSONDecodeError:
        return text  # never equal to what is JSON
