"""What the demo's world holds: customer queries with their true intents, and who knows them."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from flywheel.core.errors import CorruptObject, MissingPart
from flywheel.core.settings import Settings
from flywheel.scenario import bank, datasets
from flywheel.scenario.query import Query
from flywheel.scenario.schedule import NewIntents, schedule

SEED = 11
TURNS = 3
DAYS_PER_TURN = 2
QUERIES_PER_DAY = 600  # drift needs 500 a side
SEEDS_PER_INTENT = 6  # what production was trained on
TEACHER_PER_INTENT = 60  # what the larger model has seen elsewhere
TEST_COUNT = 1_000  # true labels nobody in the loop sees; 3 points are resolved
NEW_INTENT_SHARE = 0.15  # of intents, that nobody asks about before NEW_FROM
NEW_TRAFFIC_SHARE = 0.30  # of queries, from then on
FIRST_DAY = date(2026, 3, 2)
NEW_FROM = FIRST_DAY + timedelta(days=2)


@dataclass(frozen=True, slots=True)
class World:
    """Queries by what they are used for; no text is in two of them."""

    description: str
    seeds: tuple[Query, ...]
    teacher: tuple[Query, ...]
    test: tuple[Query, ...]
    arrivals: dict[date, list[Query]]
    new_intents: frozenset[str]

    @property
    def labels(self) -> tuple[str, ...]:
        """All intents."""
        return tuple(sorted({query.intent for query in self.test}))

    def days_of(self, turn: int) -> list[date]:
        """Return the days of a turn, counted from 1."""
        return sorted(self.arrivals)[(turn - 1) * DAYS_PER_TURN : turn * DAYS_PER_TURN]


def build_world(settings: Settings, only_scenario: bool) -> World:
    """Return the best world there is data for: Banking77 from folder, cache or download, else the scenario."""
    found = None if only_scenario else find_set("banking77", settings)
    if found is None:
        train = bank.generate_queries(SEED, 160)
        test = bank.generate_queries(SEED + 1, 20)
        return _world("the built-in scenario of a bank's support desk (simulated)", train, test)
    train, test = datasets.load_banking77(found.path)
    return _world(f"Banking77, real customer queries (from {found.origin})", train, test)


def find_set(name: str, settings: Settings) -> datasets.Found | None:
    """Return a public data set from the folder, the cache or its public source, or None without a network."""
    cache = settings.cache.expanduser()
    found = datasets.find(name, settings.data, cache)
    if found is not None:
        return found
    try:
        return datasets.fetch(name, cache)
    except (MissingPart, CorruptObject):
        return None


def _world(description: str, train: list[Query], test: list[Query]) -> World:
    rng = random.Random(SEED)
    intents = sorted({query.intent for query in train})
    new = frozenset(rng.sample(intents, round(NEW_INTENT_SHARE * len(intents))))
    by_intent: dict[str, list[Query]] = {intent: [] for intent in intents}
    for query in rng.sample(train, len(train)):
        by_intent[query.intent].append(query)
    seeds: list[Query] = []
    teacher: list[Query] = []
    traffic: list[Query] = []
    for intent, queries in by_intent.items():
        seed_count, teacher_count = (0, 0) if intent in new else (SEEDS_PER_INTENT, TEACHER_PER_INTENT)
        seeds += queries[:seed_count]
        teacher += queries[seed_count : seed_count + teacher_count]
        traffic += queries[seed_count + teacher_count :]
    days = [FIRST_DAY + timedelta(days=n) for n in range(TURNS * DAYS_PER_TURN)]
    arrivals = schedule(traffic, days, QUERIES_PER_DAY, NewIntents(new, NEW_FROM, NEW_TRAFFIC_SHARE), SEED)
    sampled = rng.sample(test, min(TEST_COUNT, len(test)))
    return World(description, tuple(seeds), tuple(teacher), tuple(sampled), arrivals, new)
