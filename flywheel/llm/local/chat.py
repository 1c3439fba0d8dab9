"""Chat completions: read the request, ask the model's distribution, write the choices."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from uuid import uuid4

from flywheel.llm.local.answers import Sampling, TokenChance, choose, token_chances
from flywheel.llm.local.distribution import Distribution
from flywheel.llm.local.messages import BadMessages, Message, read_messages
from flywheel.llm.local.tokens import count_prompt, pieces
from flywheel.llm.local.wire import ApiError, Json, finite, read_number, read_whole

_MOST_CHOICES = 128  # OpenAI's bounds, as are the two below
_MOST_ALTERNATIVES = 20
_HOTTEST = 2.0
_NO_LIMIT = 1_000_000
_WIDEST_SEED = 2**63
_UNSUPPORTED = ("stream", "tools", "functions", "stop", "logit_bias", "audio")


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Hold what a chat request asks for; `alternatives` is None when no logprobs are wanted."""

    model: str
    messages: tuple[Message, ...]
    choice_count: int
    sampling: Sampling
    seed: int | None
    most_tokens: int
    alternatives: int | None


def read_chat(body: Json) -> ChatRequest:
    """Read a request body; raises ApiError that names the parameter at fault."""
    for name in _UNSUPPORTED:
        if body.get(name):
            raise ApiError(
                f"{name} is not supported by the local provider; leave it out.", 400, name, "unsupported_parameter"
            )
    model = body.get("model")
    if not isinstance(model, str):
        raise ApiError(f"model is {model!r}; expected the id of a model.", 400, "model")
    try:
        messages = read_messages(body.get("messages"))
    except BadMessages as error:
        raise ApiError(str(error), 400, "messages") from error
    limit = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    hot = read_number(body, "temperature", (0.0, _HOTTEST), 1.0)
    return ChatRequest(
        model=model,
        messages=messages,
        choice_count=read_whole(body, "n", (1, _MOST_CHOICES), 1),
        sampling=Sampling(hot, read_number(body, "top_p", (0.0, 1.0), 1.0)),
        seed=None if body.get("seed") is None else read_whole(body, "seed", (-_WIDEST_SEED, _WIDEST_SEED), 0),
        most_tokens=read_whole(body, limit, (1, _NO_LIMIT), _NO_LIMIT),
        alternatives=_read_alternatives(body),
    )


def _read_alternatives(body: Json) -> int | None:
    count = read_whole(body, "top_logprobs", (0, _MOST_ALTERNATIVES), 0)
    if body.get("logprobs"):
        return count
    if count:
        raise ApiError("top_logprobs needs logprobs to be true.", 400, "top_logprobs")
    return None


def answer_chat(request: ChatRequest, distribution: Distribution, created_at: int) -> Json:
    """Choose the answers and write the reply with its usage."""
    random = _random(request)
    places = [choose(distribution, request.sampling, random) for _ in range(request.choice_count)]
    choices = [_choice(request, distribution, place, number) for number, place in enumerate(places)]
    prompt = count_prompt(message.content for message in request.messages)
    written = sum(min(len(pieces(distribution.answers[place])), request.most_tokens) for place in places)
    return {
        "id": f"chatcmpl-{uuid4().hex}",
        "object": "chat.completion",
        "created": created_at,
        "model": request.model,
        "system_fingerprint": "fp_flywheel_local",
        "choices": choices,
        "usage": {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written},
    }


def _random(request: ChatRequest) -> Random:
    """Seed by the seed and the question, so that the same request gets the same answer."""
    if request.sampling.temperature == 0:
        return Random(0)
    turns = [(message.role, message.content) for message in request.messages]
    asked = json.dumps([request.seed, request.model, request.sampling.temperature, turns])
    return Random(hashlib.sha256(asked.encode()).digest())


def _choice(request: ChatRequest, distribution: Distribution, place: int, number: int) -> Json:
    answer = distribution.answers[place]
    tokens = pieces(answer)
    is_cut = len(tokens) > request.most_tokens
    logprobs = None
    if request.alternatives is not None:
        chances = list(token_chances(distribution, place, request.alternatives))[: request.most_tokens]
        logprobs = {"content": [_logprob(chance) for chance in chances], "refusal": None}
    content = "".join(tokens[: request.most_tokens]) if is_cut else answer
    return {
        "index": number,
        "message": {"role": "assistant", "content": content, "refusal": None},
        "logprobs": logprobs,
        "finish_reason": "length" if is_cut else "stop",
    }


def _logprob(chance: TokenChance) -> Json:
    return {**_token(chance.token, chance.logprob), "top_logprobs": _alternatives(chance.alternatives)}


def _alternatives(alternatives: Sequence[tuple[str, float]]) -> list[Json]:
    return [_token(token, logprob) for token, logprob in alternatives]


def _token(token: str, logprob: float) -> Json:
    encoded = list(token.encode("utf-8", "replace"))
    return {"token": token, "logprob": finite(logprob), "bytes": encoded}
