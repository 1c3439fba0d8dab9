"""Ask any OpenAI-compatible provider: many questions at a time, within a budget, never twice for the same thing."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, DefaultAioHttpClient, RateLimitError

from flywheel.core.errors import ProviderBusy, UsageError
from flywheel.core.ids import content_id
from flywheel.core.records import Message
from flywheel.llm.ledger import CachedAnswer, Call, Ledger

IN_FLIGHT = 32  # beyond this the openai client's own CPU is the limit on two cores
ROUND = 256  # calls between two looks at the budget
TRIES = 6  # the client backs off exponentially and honours Retry-After between them


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known about a model: whose it is and what it costs."""

    model: str
    family: str
    price_in: float  # USD per million input tokens
    price_out: float  # USD per million output tokens


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to one model."""

    model: str
    messages: tuple[Message, ...]
    purpose: str
    example_id: str | None = None

    @property
    def request_hash(self) -> str:
        """Return the identity of the request: everything the answer depends on."""
        spoken = [f"{message.role}\0{message.content}" for message in self.messages]
        return content_id(self.model, "temperature=0", *spoken)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, or why nothing did."""

    ask: Ask
    content: str | None
    confidence: float | None
    cost_usd: float
    was_cached: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """Replies in the order of the questions that were asked; the rest was stopped by the budget."""

    replies: tuple[Reply, ...]
    unasked_count: int
    spent_usd: float


class Provider:
    """One OpenAI-compatible endpoint with a ledger in front of it."""

    def __init__(self, base_url: str, api_key: str, ledger: Ledger) -> None:
        self.base_url = base_url
        self._api_key = api_key
        self.ledger = ledger

    def client(self) -> AsyncOpenAI:
        """Return the real client on its aiohttp transport, the cheapest of its transports per call."""
        return AsyncOpenAI(
            base_url=self.base_url, api_key=self._api_key, max_retries=TRIES, http_client=DefaultAioHttpClient()
        )

    def cards(self) -> dict[str, ModelCard]:
        """Return the provider's models; a model without a price costs nothing, which the ledger then shows.

        Raises:
            ProviderBusy: the provider does not answer.

        """
        return asyncio.run(self._cards())

    def family_of(self, model: str) -> str:
        """Return the family of a model; one the provider does not list is a family of its own."""
        card = self.cards().get(model)
        return card.family if card else model

    def ask_all(self, asks: Sequence[Ask], budget_usd: float = math.inf) -> Asked:
        """Ask everything, stop before the budget is passed, keep what was answered.

        Raises:
            ProviderBusy: the provider stayed busy or away through all tries.
            UsageError: the provider refused a request as wrong, e.g. an unknown model.

        """
        return asyncio.run(self._ask_all(asks, budget_usd))

    async def _cards(self) -> dict[str, ModelCard]:
        async with self.client() as client:
            try:
                listed = [model async for model in client.models.list()]
            except APIError as failed:
                raise ProviderBusy(self.base_url, str(failed)) from failed
        return {model.id: _card(model.id, model.model_extra or {}) for model in listed}

    async def _ask_all(self, asks: Sequence[Ask], budget_usd: float) -> Asked:
        cards = await self._cards()
        replies: list[Reply] = []
        spent = 0.0
        gate = asyncio.Semaphore(IN_FLIGHT)
        async with self.client() as client:
            for start in range(0, len(asks), ROUND):
                part = asks[start : start + ROUND]
                if spent + sum(_worst_cost(ask, cards) for ask in part if not self._known(ask)) > budget_usd:
                    break
                answered = await asyncio.gather(*[self._ask(client, gate, ask) for ask in part])
                costed = [_costed(ask, raw, cards) for ask, raw in zip(part, answered, strict=True)]
                self._write_down(costed)
                replies += [reply for reply, _ in costed]
                spent += sum(reply.cost_usd for reply, _ in costed)
        return Asked(tuple(replies), len(asks) - len(replies), spent)

    def _known(self, ask: Ask) -> bool:
        return self.ledger.cached(ask.request_hash) is not None

    async def _ask(self, client: AsyncOpenAI, gate: asyncio.Semaphore, ask: Ask) -> Any:
        cached = self.ledger.cached(ask.request_hash)
        if cached is not None:
            return cached
        async with gate:
            try:
                return await client.chat.completions.create(
                    model=ask.model,
                    messages=[{"role": m.role, "content": m.content} for m in ask.messages],  # type: ignore[misc] # roles come from logs
                    temperature=0,
                    logprobs=True,
                )
            except (APIConnectionError, RateLimitError) as away:
                raise ProviderBusy(ask.model, str(away)) from away
            except APIStatusError as refused:
                if refused.status_code >= 500:
                    raise ProviderBusy(ask.model, str(refused)) from refused
                raise UsageError(f"The provider refused a request to {ask.model!r}: {refused.message}.") from refused

    def _write_down(self, costed: list[tuple[Reply, Call | None]]) -> None:
        calls = [call for _, call in costed if call is not None]
        answers = {
            reply.ask.request_hash: CachedAnswer(reply.content, reply.confidence)
            for reply, call in costed
            if call is not None
        }
        if calls:
            self.ledger.record(calls, answers)


def _card(model: str, extra: dict[str, Any]) -> ModelCard:
    return ModelCard(
        model=model,
        family=str(extra.get("family") or model.split("-", maxsplit=1)[0]),
        price_in=float(extra.get("price_in_usd_per_million") or 0),
        price_out=float(extra.get("price_out_usd_per_million") or 0),
    )


def _worst_cost(ask: Ask, cards: dict[str, ModelCard]) -> float:
    """Return an upper estimate of a call's cost: four characters a token in, 256 tokens out."""
    card = cards.get(ask.model, ModelCard(ask.model, "", 0, 0))
    characters = sum(len(message.content) for message in ask.messages)
    return (characters / 4 * card.price_in + 256 * card.price_out) / 1e6


def _costed(ask: Ask, raw: Any, cards: dict[str, ModelCard]) -> tuple[Reply, Call | None]:
    """Return the reply and the ledger's line for it; a cached answer costs nothing and has no line."""
    if isinstance(raw, CachedAnswer):
        return Reply(ask, raw.content, raw.confidence, 0.0, was_cached=True), None
    usage, card = raw.usage, cards.get(ask.model, ModelCard(ask.model, "", 0, 0))
    tokens_in, tokens_out = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    cost = (tokens_in * card.price_in + tokens_out * card.price_out) / 1e6
    choice = raw.choices[0] if raw.choices else None
    content = choice.message.content if choice else None
    call = Call(
        call_id=raw.id or content_id(ask.request_hash, ask.example_id),
        model=ask.model,
        purpose=ask.purpose,
        example_id=ask.example_id,
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        cost_usd=cost,
        called_at=datetime.now(UTC),
    )
    return Reply(ask, content, _confidence(choice), cost, was_cached=False), call


def _confidence(choice: Any) -> float | None:
    """Return the probability of the whole answer, the exponential of the sum of its tokens' log-probabilities."""
    if choice is None or choice.logprobs is None or not choice.logprobs.content:
        return None
    return math.exp(sum(token.logprob for token in choice.logprobs.content))
