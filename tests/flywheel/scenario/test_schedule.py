"""Held-back intents do not appear before their day, and then do."""

from collections import Counter
from datetime import date, timedelta

import pytest

from flywheel.core.errors import UsageError
from flywheel.scenario.query import Query
from flywheel.scenario.schedule import NewIntents, schedule

DAYS = [date(2026, 3, 1) + timedelta(days=number) for number in range(6)]
QUERIES = [Query(f"{intent} {number}", intent) for intent in ("a", "b", "c", "d") for number in range(50)]
NEW = NewIntents(frozenset({"c", "d"}), DAYS[4], share=0.25)


def counts(arrivals):
    return [sum(query.intent in NEW.intents for query in arrivals[day]) for day in DAYS]


def test_new_intents_wait_for_their_day():
    arrivals = schedule(QUERIES, DAYS, 20, NEW, 1)
    assert counts(arrivals) == [0, 0, 0, 0, 5, 5]
    assert [len(arrivals[day]) for day in DAYS] == [20] * 6


def test_without_new_intents_all_arrive_from_the_start():
    arrivals = schedule(QUERIES, DAYS[:1], 100, None, 1)
    assert {query.intent for query in arrivals[DAYS[0]]} == {"a", "b", "c", "d"}


def test_the_seed_decides_the_order():
    assert schedule(QUERIES, DAYS, 20, NEW, 1) == schedule(QUERIES, DAYS, 20, NEW, 1)
    assert schedule(QUERIES, DAYS, 20, NEW, 1) != schedule(QUERIES, DAYS, 20, NEW, 2)


def test_no_query_comes_twice_before_all_came_once():
    arrivals = schedule(QUERIES, DAYS[:2], 150, None, 1)
    asked = Counter(query.text for day in DAYS[:2] for query in arrivals[day])
    assert set(asked.values()) == {1, 2}
    assert len(asked) == 200


def test_an_unknown_intent_cannot_be_held_back():
    with pytest.raises(UsageError, match=r"\['z'\]"):
        schedule(QUERIES, DAYS, 20, NewIntents(frozenset({"z"}), DAYS[4]), 1)


def test_holding_everything_back_leaves_nothing_to_ask():
    with pytest.raises(UsageError, match="no query left"):
        schedule(QUERIES, DAYS, 20, NewIntents(frozenset("abcd"), DAYS[4]), 1)
