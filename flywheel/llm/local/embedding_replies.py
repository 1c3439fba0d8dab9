"""Embedding requests: read the input, write vectors as numbers or as base64."""

import base64
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flywheel.llm.local.catalogue import EMBEDDING_MODEL
from flywheel.llm.local.embeddings import WIDTH, embed
from flywheel.llm.local.tokens import count_tokens
from flywheel.llm.local.wire import ApiError, Json, missing, read_whole

_MOST_TEXTS = 2_048  # OpenAI's bound on one request
_FORMATS = ("float", "base64")


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Hold what an embedding request asks for."""

    texts: tuple[str, ...]
    dimensions: int
    is_base64: bool


def read_embedding(body: Json) -> EmbeddingRequest:
    """Read a request body; raises ApiError that names the parameter at fault."""
    if body.get("model") != EMBEDDING_MODEL:
        raise missing("embedding model", str(body.get("model")), "model", "model_not_found")
    encoding = body.get("encoding_format", "float")
    if encoding not in _FORMATS:
        raise ApiError(f"encoding_format is {encoding!r}; expected float or base64.", 400, "encoding_format")
    dimensions = read_whole(body, "dimensions", (1, WIDTH), WIDTH)
    return EmbeddingRequest(_read_texts(body.get("input")), dimensions, encoding == "base64")


def answer_embedding(request: EmbeddingRequest) -> Json:
    """Embed the texts and write the reply with its usage."""
    rows = embed(request.texts, request.dimensions)
    data = [
        {"object": "embedding", "index": number, "embedding": _written(row, request.is_base64)}
        for number, row in enumerate(rows)
    ]
    tokens = sum(count_tokens(text) for text in request.texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": EMBEDDING_MODEL, "usage": usage}


def _read_texts(raw: object) -> tuple[str, ...]:
    texts = [raw] if isinstance(raw, str) else raw
    if not isinstance(texts, list) or not 0 < len(texts) <= _MOST_TEXTS:
        raise ApiError(f"input is {repr(raw)[:60]}; expected a text or 1 to {_MOST_TEXTS} texts.", 400, "input")
    for place, text in enumerate(texts):
        if not isinstance(text, str) or not text:
            raise ApiError(f"input[{place}] is {repr(text)[:60]}; expected a text that is not empty.", 400, "input")
    return tuple(texts)


def _written(row: NDArray[np.float32], is_base64: bool) -> str | list[float]:
    if is_base64:
        return base64.b64encode(row.astype("<f4").tobytes()).decode()
    return [float(number) for number in row]
