"""The models of the demo: served, trained and measured through the real client."""

from collections.abc import Sequence

import orjson

from flywheel.core.records import Message
from flywheel.improve.evaluate import is_right
from flywheel.llm.client import Ask, Provider, Reply
from flywheel.llm.training import train
from flywheel.scenario import traffic
from flywheel.scenario.bank import SYSTEM_PROMPT
from flywheel.scenario.query import Query

SEED = 7


def train_on(provider: Provider, pairs: Sequence[tuple[str, str]], base_model: str) -> str:
    """Fine-tune on (text, label) pairs and return the model's id."""
    records = [
        {
            "messages": [
                {"role": "system", "content": SYSTEM_PROMPT},
                {"role": "user", "content": text},
                {"role": "assistant", "content": label},
            ]
        }
        for text, label in pairs
    ]
    return train(
        provider, b"".join(orjson.dumps(record) + b"\n" for record in records), base_model, seed=SEED
    ).model_id


def pairs_of(queries: Sequence[Query]) -> list[tuple[str, str]]:
    """Return queries as (text, true label)."""
    return [(query.text, query.intent) for query in queries]


def ask(provider: Provider, model: str, texts: Sequence[str], purpose: str) -> tuple[Reply, ...]:
    """Ask one model about every text."""
    asks = [Ask(model, (Message("system", SYSTEM_PROMPT), Message("user", text)), purpose) for text in texts]
    return provider.ask_all(asks).replies


def serve(provider: Provider, model: str, texts: list[str]) -> list[traffic.Reply]:
    """Answer production traffic with a model; what it says is what is logged."""
    return [
        traffic.Reply(
            content=reply.content or "",
            latency_ms=180 + 3 * len(text) % 140,  # the network of a product, invented
            input_tokens=len(text.split()) + 8,
            output_tokens=len((reply.content or "").split("_")),
            model=model,
            confidence=reply.confidence,
        )
        for text, reply in zip(texts, ask(provider, model, texts, "serve"), strict=True)
    ]


def grades(provider: Provider, model: str, test: Sequence[Query]) -> list[bool]:
    """Return whether a model is right about each test query."""
    replies = ask(provider, model, [query.text for query in test], "measure")
    return [is_right(reply.content, query.intent) for reply, query in zip(replies, test, strict=True)]
