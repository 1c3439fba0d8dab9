"""Ask any OpenAI-compatible provider: many questions at a time, within a budget, never twice for the same thing."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from openai import APIError, APIStatusError, AsyncOpenAI, DefaultAioHttpClient

from flywheel.core.errors import ProviderBusy
from flywheel.core.ids import content_id
from flywheel.core.records import Message
from flywheel.llm.ledger import CachedAnswer, Call, Ledger
from flywheel.llm.replies import Completion, read_completion, read_object, refusal

IN_FLIGHT = 32  # beyond this the openai client's own CPU is the limit on two cores
ROUND = 256  # calls between two looks at the budget
TRIES = 6  # the client backs off exponentially and honours Retry-After between them
MOST_TOKENS_OUT = 2048  # asked for as a limit, so that a call's cost has a bound; a longer answer is no answer
_READS = 3  # times a call is paid in the hope of a reply that is JSON


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

    def __init__(self, base_url: str, api_key: str, ledger: Ledger, tries: int = TRIES) -> None:
        self.base_url = base_url
        self._api_key = api_key
        self.ledger = ledger
        self._tries = tries

    def client(self) -> AsyncOpenAI:
        """Return the real client on its aiohttp transport, the cheapest of its transports per call."""
        return AsyncOpenAI(
            base_url=self.base_url, api_key=self._api_key, max_retries=self._tries, http_client=DefaultAioHttpClient()
        )

    def cards(self) -> dict[str, ModelCard]:
        """Return the provider's models; a model without a price costs nothing, which the ledger then shows.

        Raises:
            ProviderBusy: the provider does not answer, or not with a list of models.
            UsageError: the provider refuses to list them, e.g. for lack of a key.

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
                raw = await client.models.with_raw_response.list()
            except APIError as failed:
                if isinstance(failed, APIStatusError) and failed.status_code == 404:
                    return {}  # not every server lists its models; then nothing has a price
                raise refusal(self.base_url, failed) from failed
        page = read_object(raw.content)
        if page is None or "data" not in page:
            raise ProviderBusy(self.base_url, f"its list of models is {raw.content[:80]!r}")
        listed = page["data"] if isinstance(page["data"], list) else []  # null: a server without models
        entries = [entry for entry in listed if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
        return {entry["id"]: _card(entry["id"], entry) for entry in entries}

    async def _ask_all(self, asks: Sequence[Ask], budget_usd: float) -> Asked:
        cards = await self._cards()
        replies: list[Reply] = []
        spent = 0.0
        async with self.client() as client:
            while part := self._affordable(asks[len(replies) : len(replies) + ROUND], cards, budget_usd - spent):
                answered = await self._ask_round(client, part, cards)
                replies += answered
                spent += sum(reply.cost_usd for reply in answered)
        return Asked(tuple(replies), len(asks) - len(replies), spent)

    def _affordable(self, asks: Sequence[Ask], cards: dict[str, ModelCard], left_usd: float) -> Sequence[Ask]:
        """Return the first asks that cannot cost more than is left; what was paid before or is repeated is free."""
        seen: set[str] = set()
        for count, ask in enumerate(asks):
            if ask.request_hash not in seen and self.ledger.cached(ask.request_hash) is None:
                left_usd -= _worst_cost(ask, cards)
            if left_usd < 0:
                return asks[:count]
            seen.add(ask.request_hash)
        return asks

    async def _ask_round(self, client: AsyncOpenAI, part: Sequence[Ask], cards: dict[str, ModelCard]) -> list[Reply]:
        """Ask what is new, write down what was paid, then raise if one of them failed."""
        known = {ask.request_hash: self.ledger.cached(ask.request_hash) for ask in part}
        fresh: dict[str, Ask] = {}
        for ask in part:
            if known[ask.request_hash] is None:
                fresh.setdefault(ask.request_hash, ask)
        gate = asyncio.Semaphore(IN_FLIGHT)
        answered = await asyncio.gather(
            *[self._ask(client, gate, ask) for ask in fresh.values()], return_exceptions=True
        )
        paid = {
            ask.request_hash: _costed(ask, found, cards)
            for ask, found in zip(fresh.values(), answered, strict=True)
            if isinstance(found, Completion)
        }
        self._write_down(list(paid.values()))
        for found in answered:
            if isinstance(found, BaseException):
                raise found
        return [_reply(ask, paid, known[ask.request_hash]) for ask in part]

    async def _ask(self, client: AsyncOpenAI, gate: asyncio.Semaphore, ask: Ask) -> Completion:
        body = b""
        async with gate:
            for _ in range(_READS):
                try:
                    raw = await client.chat.completions.with_raw_response.create(
                        model=ask.model,
                        messages=[{"role": m.role, "content": m.content} for m in ask.messages],  # type: ignore[misc] # roles come from logs
                        temperature=0,
                        logprobs=True,
                        max_completion_tokens=MOST_TOKENS_OUT,
                    )
                except APIError as failed:
                    raise refusal(ask.model, failed) from failed
                body = raw.content
                said = read_completion(body)
                if said is not None:
                    return said
        raise ProviderBusy(ask.model, f"its reply is no JSON object: {body[:80]!r}")

    def _write_down(self, paid: list[tuple[Reply, Call]]) -> None:
        answers = {
            reply.ask.request_hash: CachedAnswer(reply.content, reply.confidence, reply.ask.example_id)
            for reply, _ in paid
        }
        if paid:
            self.ledger.record([call for _, call in paid], answers)


def _reply(ask: Ask, paid: dict[str, tuple[Reply, Call]], known: CachedAnswer | None) -> Reply:
    """Return the reply to an ask: its own, or what was said to the same request before."""
    if known is not None:
        return Reply(ask, known.content, known.confidence, 0.0, was_cached=True)
    said = paid[ask.request_hash][0]
    return said if said.ask is ask else Reply(ask, said.content, said.confidence, 0.0, was_cached=True)


def _card(model: str, extra: dict[str, Any]) -> ModelCard:
    return ModelCard(
        model=model,
        family=str(extra.get("family") or model.split("-", maxsplit=1)[0]),
        price_in=_price(extra.get("price_in_usd_per_million")),
        price_out=_price(extra.get("price_out_usd_per_million")),
    )


def _price(told: Any) -> float:
    return float(told) if isinstance(told, int | float) and told >= 0 else 0.0


def _worst_cost(ask: Ask, cards: dict[str, ModelCard]) -> float:
    """Return what a call can cost at most: a token has at least a byte, and a message a few for its role."""
    tokens_in = sum(len(message.content.encode("utf-8", "replace")) + 8 for message in ask.messages)
    return _cost(ask, cards, tokens_in, MOST_TOKENS_OUT)


def _cost(ask: Ask, cards: dict[str, ModelCard], tokens_in: int, tokens_out: int) -> float:
    card = cards.get(ask.model, ModelCard(ask.model, "", 0, 0))
    return (tokens_in * card.price_in + tokens_out * card.price_out) / 1e6


def _costed(ask: Ask, said: Completion, cards: dict[str, ModelCard]) -> tuple[Reply, Call]:
    """Return the reply and the ledger's line for it; a reply that does not say what it used costs the most it can."""
    tokens_in, tokens_out = said.input_tokens, said.output_tokens
    is_told = tokens_in is not None and tokens_out is not None
    cost = _cost(ask, cards, tokens_in or 0, tokens_out or 0) if is_told else _worst_cost(ask, cards)
    call = Call(
        call_id=content_id(ask.request_hash, said.reply_id),
        model=ask.model,
        purpose=ask.purpose,
        example_id=ask.example_id,
        input_tokens=tokens_in or 0,
        output_tokens=tokens_out or 0,
        cost_usd=cost,
        called_at=datetime.now(UTC),
    )
    return Reply(ask, said.content, said.confidence, cost, was_cached=False), call
