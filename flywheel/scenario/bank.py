"""The built-in scenario: what customers write to a bank's support desk.

Intents and phrasings are this project's own (bank.toml). Neighbouring intents share words on purpose and many
texts carry a sentence that says nothing about the intent, so that a model with few examples per intent is
mediocre and one with many is good: the room a flywheel needs.
"""

import random
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flywheel.scenario.query import Query
from flywheel.scenario.wording import with_case, with_loan_word, with_pii, with_typo

SYSTEM_PROMPT = "You route messages of bank customers. Answer with the name of exactly one queue and nothing else."
_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")
_TRIES_PER_TEXT = 30


@dataclass(frozen=True, slots=True)
class Style:
    """Say how often a text carries what; tuned so that 6 and 40 examples per intent differ by 20 points."""

    opener_rate: float = 0.3
    closer_rate: float = 0.25
    aside_rate: float = 0.3
    typo_rate: float = 0.25
    loan_rate: float = 0.08
    mixed_rate: float = 0.08
    pii_rate: float = 0.04


@dataclass(frozen=True, slots=True)
class _Phrasebook:
    openers: Sequence[str]
    closers: Sequence[str]
    asides: Sequence[str]
    slots: Mapping[str, Sequence[str]]
    loan: Mapping[str, Sequence[str]]
    intents: Mapping[str, Sequence[str]]


@cache
def _phrasebook() -> _Phrasebook:
    return _Phrasebook(**tomllib.loads(Path(__file__).with_name("bank.toml").read_text("utf-8")))


def intents() -> tuple[str, ...]:
    """Return the names of the scenario's intents, in the phrase book's order."""
    return tuple(_phrasebook().intents)


def generate_queries(seed: int, per_intent: int, *, style: Style | None = None) -> list[Query]:
    """Return `per_intent` queries of every intent, shuffled; the same seed gives the same list.

    Texts are unique while the phrase book can tell them apart (several hundred per intent). A larger
    `per_intent` with the same seed keeps the queries of the smaller one and adds to them.
    """
    queries: list[Query] = []
    for intent in intents():
        seen: set[str] = set()
        drawn = _queries_of(intent, random.Random(f"bank:{seed}:{intent}"), style or Style())
        queries += [_unseen(drawn, seen) for _ in range(per_intent)]
    random.Random(f"bank:{seed}:order").shuffle(queries)
    return queries


def _unseen(drawn: Iterator[Query], seen: set[str]) -> Query:
    query = next(drawn)
    for _ in range(_TRIES_PER_TEXT):
        if query.text.casefold() not in seen:
            break
        query = next(drawn)
    seen.add(query.text.casefold())
    return query


def _queries_of(intent: str, rng: random.Random, style: Style) -> Iterator[Query]:
    book = _phrasebook()
    others = [name for name in book.intents if name != intent]
    while True:
        said = _expand(rng.choice(book.intents[intent]), rng)
        is_mixed = rng.random() < style.mixed_rate
        if is_mixed:
            second = _expand(rng.choice(book.intents[rng.choice(others)]), rng)
            first, then = rng.sample((said, second), k=2)  # which one matters more is not in the text
            said = f"{first}{rng.choice((', and also ', '. Also, ', '; by the way, '))}{then}"
        said = _surrounded(said, style, rng)
        yield _worn(said, intent, is_mixed=is_mixed, wear=(style, rng))


def _expand(template: str, rng: random.Random) -> str:
    chosen = _CHOICE.sub(lambda found: rng.choice(found[1].split("|")), template)
    return _SLOT.sub(lambda found: rng.choice(_phrasebook().slots[found[1]]), chosen)


def _surrounded(said: str, style: Style, rng: random.Random) -> str:
    book = _phrasebook()
    parts = [said]
    if rng.random() < style.aside_rate:
        parts.insert(rng.randrange(2), _expand(rng.choice(book.asides), rng))
    if rng.random() < style.closer_rate:
        parts.append(_expand(rng.choice(book.closers), rng))
    opener = f"{rng.choice(book.openers)}, " if rng.random() < style.opener_rate else ""
    return opener + rng.choice((". ", ", ", " - ", ". ")).join(parts) + rng.choice(("", "", ".", "?", "??", "!"))


def _worn(said: str, intent: str, *, is_mixed: bool, wear: tuple[Style, random.Random]) -> Query:
    style, rng = wear
    loaned = with_loan_word(said, _phrasebook().loan, rng) if rng.random() < style.loan_rate else said
    cased = with_case(loaned, rng)
    slipped = with_typo(cased, rng) if rng.random() < style.typo_rate else cased
    has_pii = rng.random() < style.pii_rate
    text = with_pii(slipped, rng) if has_pii else slipped
    return Query(text, intent, slipped != cased, has_pii, loaned != said, is_mixed)
