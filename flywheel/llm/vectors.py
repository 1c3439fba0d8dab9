"""Ask an embeddings endpoint: each distinct text once, within a budget, written down before it is used."""

import asyncio
import base64
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from openai import APIError

from flywheel.core.errors import ProviderBusy, UsageError
from flywheel.core.ids import content_id
from flywheel.llm.client import ModelCard, Provider
from flywheel.llm.ledger import CachedAnswer, Call
from flywheel.llm.replies import refusal

Vectors = NDArray[np.float32]

_BATCH = 256  # texts a request: OpenAI takes 2,048, smaller servers less
_LONGEST_TEXT = 8_000  # characters; embedding models read some 8,000 tokens


def embed_texts(provider: Provider, model: str, texts: Sequence[str], budget_usd: float) -> Vectors:
    """Return one unit vector per text; what was embedded before comes from the ledger and costs nothing.

    Raises:
        UsageError: the texts would cost more than the budget, or the provider refuses the model.
        ProviderBusy: the provider is away, or its vectors are not what was asked for.

    """
    asked = _asked(texts)
    keys = {text: content_id("embedding", model, text) for text in asked}
    missing = [text for text in keys if provider.ledger.cached(keys[text]) is None]
    if missing:
        card = provider.cards().get(model, ModelCard(model, "", 0, 0))
        worst_usd = _worst_usd(card, missing)
        if worst_usd > budget_usd:
            raise UsageError(
                f"Embedding {len(missing)} texts with {model!r} may cost {worst_usd:.2f} USD and {budget_usd:.2f} "
                "are left of run_budget_usd. Raise it, or unset embedding_model."
            )
        asyncio.run(_fetch(provider, card, missing, keys))
    found = {text: _read(provider.ledger.cached(key)) for text, key in keys.items()}
    return np.array([found[text] for text in asked], np.float32).reshape(len(asked), -1)


def worst_cost(provider: Provider, model: str, texts: Sequence[str]) -> float:
    """Return what `embed_texts` would cost at most."""
    texts = [
        text for text in set(_asked(texts)) if provider.ledger.cached(content_id("embedding", model, text)) is None
    ]
    return _worst_usd(provider.cards().get(model, ModelCard(model, "", 0, 0)), texts) if texts else 0.0


def _asked(texts: Sequence[str]) -> list[str]:
    return [" ".join(text.split())[:_LONGEST_TEXT] or "-" for text in texts]


def _worst_usd(card: ModelCard, texts: Sequence[str]) -> float:
    return sum(len(text.encode()) for text in texts) * card.price_in / 1e6


async def _fetch(provider: Provider, card: ModelCard, texts: Sequence[str], keys: dict[str, str]) -> None:
    async with provider.client() as client:
        for start in range(0, len(texts), _BATCH):
            part = list(texts[start : start + _BATCH])
            try:
                reply = await client.embeddings.create(model=card.model, input=part, encoding_format="float")
            except APIError as failed:
                raise refusal(card.model, failed) from failed
            rows = [np.asarray(row.embedding, np.float32) for row in sorted(reply.data, key=lambda row: row.index)]
            if len(rows) != len(part) or len({row.shape for row in rows}) != 1:
                raise ProviderBusy(card.model, f"it sent {len(rows)} vectors for {len(part)} texts")
            tokens = reply.usage.prompt_tokens if reply.usage else sum(len(text) for text in part)
            call = Call(
                call_id=content_id("embedding", card.model, *(keys[text] for text in part)),
                model=card.model,
                purpose="embed",
                example_id=None,
                input_tokens=tokens,
                output_tokens=0,
                cost_usd=tokens * card.price_in / 1e6,
                called_at=datetime.now(UTC),
            )
            answers = {keys[text]: CachedAnswer(_written(row), None) for text, row in zip(part, rows, strict=True)}
            provider.ledger.record([call], answers)


def _written(row: Vectors) -> str:
    length = float(np.linalg.norm(row)) or 1.0
    return base64.b64encode((row / length).astype("<f4").tobytes()).decode()


def _read(answer: CachedAnswer | None) -> Vectors:
    return np.frombuffer(base64.b64decode(answer.content or "") if answer else b"", "<f4").astype(np.float32)
