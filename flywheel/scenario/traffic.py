"""The shapes of simulated traffic: replies, log records in OpenAI's request/response form, and the truth.

The truth never enters a record: what was planted travels beside the log, keyed by the response's id.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = dict[str, object]

QUEUE_SCHEMA: Json = {
    "type": "json_schema",
    "json_schema": {
        "name": "queue",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"queue": {"type": "string"}},
            "required": ["queue"],
            "additionalProperties": False,
        },
    },
}


class FailureMode(StrEnum):
    """Name the ways in which a simulated call fails."""

    WRONG_LABEL = "wrong_label"
    WRONG_NUMBER = "wrong_number"
    ERROR = "error"
    REFUSAL = "refusal"
    BROKEN_JSON = "broken_json"


@dataclass(frozen=True, slots=True)
class Fault:
    """Say why a call got no response; `kind` becomes the log's error type, e.g. 'timeout'."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold what the model gave for one text; with `error` set there is no response, `content` is unused."""

    content: str
    latency_ms: int
    input_tokens: int
    output_tokens: int
    model: str
    finish_reason: str = "stop"
    error: Fault | None = None
    confidence: float | None = None  # probability of `content`, 0 to 1


@dataclass(frozen=True, slots=True)
class Truth:
    """Hold what really happened in one call; `expected` is the right answer, here mostly an intent."""

    request_id: str
    response_id: str | None  # None when the call got no response
    text: str
    expected: str
    answered: str | None
    is_failure: bool
    failure_mode: FailureMode | None
    is_poisoned: bool = False  # the feedback on it is an attacker's


@dataclass(frozen=True, slots=True)
class DayOfTraffic:
    """Hold one day's log records and, apart from them, the truth about each: same length, same order."""

    records: list[Json]
    truth: list[Truth]


@dataclass(frozen=True, slots=True)
class Call:
    """Hold one call of a model as the product's gateway saw it."""

    key: str  # unique among calls; ids are derived from it
    workload_id: str
    client_id: str
    conversation_id: str
    user: str
    started_at: datetime
    system_prompt: str
    text: str
    reply: Reply
    wants_json: bool = False
    metadata: Json = field(default_factory=dict)

    @property
    def request_id(self) -> str:
        """Return the gateway's id of the request."""
        return f"req-{_digest(self.key)}"

    @property
    def response_id(self) -> str | None:
        """Return the provider's id of the response, or None if there was none."""
        return None if self.reply.error else f"chatcmpl-{_digest(self.key)}"


def record_of(call: Call, feedback: Sequence[Json] = ()) -> Json:
    """Return the log record of one call: OpenAI's request and response bodies, extended with feedback."""
    fault = call.reply.error
    return {
        "timestamp": stamp(call.started_at),
        "workload_id": call.workload_id,
        "client_id": call.client_id,
        "request_id": call.request_id,
        "conversation_id": call.conversation_id,
        "user": call.user,
        "latency_ms": call.reply.latency_ms,
        "request": _request(call),
        "response": None if fault else _response(call),
        "error": {"type": fault.kind, "message": fault.message} if fault else None,
        "feedback": list(feedback),
    }


def stamp(moment: datetime) -> str:
    """Return a UTC moment as the log writes it, e.g. '2026-03-01T09:13:22.123456Z'."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def _request(call: Call) -> Json:
    body: Json = {
        "model": call.reply.model,
        "messages": [
            {"role": "system", "content": call.system_prompt},
            {"role": "user", "content": call.text},
        ],
        "temperature": 0,
    }
    if call.wants_json:
        body["response_format"] = QUEUE_SCHEMA
    if call.metadata:
        body["metadata"] = call.metadata
    return body


def _response(call: Call) -> Json:
    reply = call.reply
    return {
        "id": call.response_id,
        "object": "chat.completion",
        "created": int(call.started_at.timestamp()),
        "model": reply.model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": reply.content},
                "finish_reason": reply.finish_reason,
                "logprobs": _logprobs(reply),
            }
        ],
        "usage": {
            "prompt_tokens": reply.input_tokens,
            "completion_tokens": reply.output_tokens,
            "total_tokens": reply.input_tokens + reply.output_tokens,
        },
    }


def _logprobs(reply: Reply) -> Json | None:
    if reply.confidence is None:
        return None
    logprob = math.log(max(reply.confidence, 1e-9))  # log(0) has no JSON
    token = {
        "token": reply.content,
        "logprob": logprob,
        "bytes": list(reply.content.encode()),
        "top_logprobs": [],
    }
    return {"content": [token]}
