"""A week of simulated traffic in a lake without storage; nothing drifts unless it is told to."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from flywheel.core.lake import Lake

DAY = date(2026, 1, 8)
TOPICS = {
    "card_lost": "card lost stolen wallet missing train block replace yesterday shop",
    "refund": "refund money back order return shop purchase item arrived late",
    "exchange_rate": "exchange rate euro dollar convert pound daily wrong fee abroad",
    "top_up": "top up balance transfer bank salary pending failed cash cheque",
}
Row = dict[str, Any]


def make_call(random: Random) -> Row:
    """Return what one opening of a conversation looks like."""
    topic = random.choice(list(TOPICS))
    words = random.choices(TOPICS[topic].split(), k=random.randint(3, 9))
    return {
        "turn": 1,
        "model": "m-1",
        "query": " ".join(["please help with my", *words]),
        "output": topic if random.random() < 0.9 else random.choice(list(TOPICS)),
        "confidence": random.betavariate(8, 2),
        "latency_ms": random.lognormvariate(5, 0.4),
        "error": "timeout" if random.random() < 0.02 else None,
    }


def make_day(day: date, seed: str, count: int, change: Callable[[Row, Random], Row] | None = None) -> list[Row]:
    random = Random(f"{seed}:{day}")
    rows = []
    for number in range(count):
        row = make_call(random)
        started_at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        place = {"day": day, "trace_id": f"{day}-{number}", "started_at": started_at}
        rows.append(place | (change(row, random) if change else row))
    return rows


@pytest.fixture
def memory() -> Lake:
    return Lake.in_memory()


@pytest.fixture
def land(memory: Lake) -> Callable[..., int]:
    return lambda rows: memory.land("traces", memory.typed("traces", rows))


@pytest.fixture
def week(land: Callable[..., int]) -> Callable[..., None]:
    """Return what lands seven days of traffic and the day after them, in which calls are changed."""

    def rows(change: Callable[[Row, Random], Row] | None = None, count: int = 600, seed: str = "w") -> None:
        for back in range(7, 0, -1):
            land(make_day(DAY - timedelta(days=back), seed, 150))
        land(make_day(DAY, seed, count, change))

    return rows


@pytest.fixture
def day_of() -> Callable[..., list[Row]]:
    """Return the maker of one day's calls."""
    return make_day
