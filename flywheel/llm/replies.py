"""Read what a provider sent without trusting its shape, and say what kind of error a failure is."""

import json
import math
from dataclasses import dataclass
from typing import Any

from openai import APIError

from flywheel.core.errors import FlywheelError, ProviderBusy, UsageError

# request timeout, conflict, too many requests: what the openai client, too, tries again
_BUSY = frozenset({408, 409, 429})
_ROUNDING = 1e-6  # log-probabilities may be above 0 by as much


@dataclass(frozen=True, slots=True)
class Completion:
    """What a chat completion says; None where it says nothing that can be read."""

    reply_id: str | None
    content: str | None  # an answer that was cut off at its token limit is none
    confidence: float | None  # 0-1
    input_tokens: int | None
    output_tokens: int | None


def read_object(body: bytes) -> dict[str, Any] | None:
    """Return a reply's JSON object, or None when it is not one."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def read_completion(body: bytes) -> Completion | None:
    """Return what a reply says, or None when it is not even a JSON object."""
    reply = read_object(body)
    if reply is None:
        return None
    content = _at(reply, "choices", 0, "message", "content")
    is_whole = isinstance(content, str) and _at(reply, "choices", 0, "finish_reason") != "length"
    reply_id = reply.get("id")
    return Completion(
        reply_id=reply_id if isinstance(reply_id, str) and reply_id else None,
        content=_writable(content) if is_whole else None,
        confidence=_confidence(_at(reply, "choices", 0, "logprobs", "content")),
        input_tokens=_count(_at(reply, "usage", "prompt_tokens")),
        output_tokens=_count(_at(reply, "usage", "completion_tokens")),
    )


def refusal(model: str, failed: APIError) -> FlywheelError:
    """Return what a failed request means: trying again helps (away, busy, broken), or changing the call does."""
    status = getattr(failed, "status_code", None)
    if status is None or status in _BUSY or status >= 500:
        return ProviderBusy(model, str(failed))
    return UsageError(
        f"The provider refused a request to {model!r}: {failed.message.rstrip('.')}. Check the model's name, "
        "llm_base_url and llm_api_key."
    )


def _at(value: Any, *path: str | int) -> Any:
    """Return what is found along a path of keys and places, or None where the path ends early."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and len(value) > step else None
    return value


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _writable(text: str) -> str:
    """Return the text with half characters, which no file can hold, as question marks."""
    return text.encode("utf-8", "replace").decode()


def _confidence(tokens: Any) -> float | None:
    """Return the probability of the whole answer, the exponential of the sum of its tokens' log-probabilities."""
    if not isinstance(tokens, list) or not tokens:
        return None
    logs = [_at(token, "logprob") for token in tokens]
    if not all(isinstance(log, int | float) and log <= _ROUNDING for log in logs):
        return None
    return math.exp(min(0.0, sum(logs)))
