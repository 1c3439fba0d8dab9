from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.mine.repeats import find_repeats

DAY = date(2026, 1, 5)
Land = Callable[..., int]

QUERIES = {
    "a": "I lost my card on the train to work this morning, what should I do now?",
    "b": "I lost my card on the train to work this morning, what should I do now",
    "c": "i lost my card on the train to work this morning - what should i do now?",
    "d": "I lost my card on the train to work this morning, what should I do now?",
    "e": "How much is a pound in euros today?",
    "f": "Please close my account.",
}


def failing(queries: dict[str, str | None], day: date = DAY) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    traces = [{"day": day, "trace_id": name, "query": query} for name, query in queries.items()]
    return traces, [{"day": day, "trace_id": name, "note": ""} for name in queries]


@pytest.fixture
def fail(land: Land) -> Callable[..., None]:
    def rows(queries: dict[str, str | None], day: date = DAY) -> None:
        for table, held in zip(("traces", "failures"), failing(queries, day), strict=True):
            land(table, held)

    return rows


def test_failures_in_nearly_the_same_words_are_one_problem(memory: Lake, fail: Callable[..., None]) -> None:
    fail(QUERIES)
    assert find_repeats(memory, DAY) == 3
    rows = memory.frame("select trace_id, group_id, is_representative, group_size from duplicates order by trace_id")
    assert rows.rows() == [
        ("a", "a", True, 4),
        ("b", "a", False, 4),
        ("c", "a", False, 4),
        ("d", "a", False, 4),
        ("e", "e", True, 1),
        ("f", "f", True, 1),
    ]


def test_failures_of_other_days_are_not_looked_at(memory: Lake, fail: Callable[..., None]) -> None:
    fail({"a": QUERIES["a"]})
    fail({"z": QUERIES["a"]}, date(2026, 1, 4))
    assert find_repeats(memory, DAY) == 1
    assert memory.frame("select trace_id from duplicates").rows() == [("a",)]


def test_traces_that_did_not_fail_are_not_grouped(memory: Lake, land: Land, fail: Callable[..., None]) -> None:
    fail({"a": QUERIES["a"]})
    land("traces", [{"day": DAY, "trace_id": "fine", "query": QUERIES["a"]}])
    assert find_repeats(memory, DAY) == 1


@pytest.mark.parametrize("queries", [{}, {"a": None}, {"a": ""}])
def test_a_day_with_nothing_to_compare_is_no_trouble(
    memory: Lake, fail: Callable[..., None], queries: dict[str, str | None]
) -> None:
    fail(queries)
    assert find_repeats(memory, DAY) == len(queries)


def test_looking_twice_finds_the_same(memory: Lake, fail: Callable[..., None]) -> None:
    fail(QUERIES)
    find_repeats(memory, DAY)
    first = memory.frame("select * from duplicates order by trace_id")
    assert find_repeats(memory, DAY, "again") == 3
    assert memory.frame("select * from duplicates order by trace_id").equals(first)
