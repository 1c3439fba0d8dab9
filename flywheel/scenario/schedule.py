"""Which queries arrive on which day; intents can be held back until they first appear: a drift event."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from flywheel.core.errors import UsageError
from flywheel.scenario.query import Query


@dataclass(frozen=True, slots=True)
class NewIntents:
    """Say which intents nobody asks about before `from_day`, and their share of traffic from then on."""

    intents: frozenset[str]
    from_day: date
    share: float = 0.2


def schedule(
    queries: Sequence[Query], days: Sequence[date], per_day: int, new: NewIntents | None, seed: int
) -> dict[date, list[Query]]:
    """Return `per_day` queries for each day; `new` intents appear from their day on, and never before.

    A query comes back only after all others of its deck were asked. Raises UsageError if an intent to hold
    back is in no query, or if nothing is left to ask before it appears.
    """
    held = new.intents if new else frozenset()
    unknown = held - {query.intent for query in queries}
    if unknown:
        raise UsageError(f"No query has the intents {sorted(unknown)!r}; hold back intents that the queries have.")
    rng = random.Random(f"schedule:{seed}")
    known = deck([query for query in queries if query.intent not in held], rng)
    fresh = deck([query for query in queries if query.intent in held], rng)
    arrivals = {}
    for day in days:
        fresh_count = round(per_day * new.share) if new and day >= new.from_day else 0
        today = [next(fresh) for _ in range(fresh_count)] + [next(known) for _ in range(per_day - fresh_count)]
        rng.shuffle(today)
        arrivals[day] = today
    return arrivals


def deck(queries: Sequence[Query], rng: random.Random) -> Iterator[Query]:
    """Deal the queries in random order, again and again; raise UsageError if there are none."""
    while queries:
        yield from rng.sample(queries, len(queries))
    raise UsageError("There is no query left to ask; hold back fewer intents or bring more queries.")
