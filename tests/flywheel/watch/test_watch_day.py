from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.watch.day import WatchPolicy, watch_day

DAY = date(2026, 1, 8)
POLICY = WatchPolicy()
COLUMNS = ["confidence", "error", "latency_ms", "output", "query", "query_length"]
Row = dict[str, Any]
Change = Callable[[Row, Random], Row]
Week = Callable[..., None]
NEWS = "how do I verify my identity with a passport photo for the new account"


def found(lake: Lake, day: date = DAY) -> dict[str, Row]:
    rows = lake.frame(
        "select * exclude (run_id) from drift where day = $day order by column_name", day=day
    ).to_dicts()
    return {row["column_name"]: row for row in rows}


def verdicts(lake: Lake, day: date = DAY) -> dict[str, str]:
    return {name: row["verdict"] for name, row in found(lake, day).items()}


def test_a_usual_day_is_ok_in_every_column(memory: Lake, week: Week) -> None:
    week()
    assert watch_day(memory, DAY, POLICY) == []
    assert verdicts(memory) == dict.fromkeys(COLUMNS, "ok")
    query = found(memory)["query"]
    assert (query["reference_from"], query["reference_to"]) == (date(2026, 1, 1), date(2026, 1, 7))
    assert (query["reference_count"], query["current_count"]) == (1050, 600)


def some(share: float, **changes: Any) -> Change:
    """Return what changes a share of the calls."""
    return lambda row, random: row | (changes if random.random() < share else {})


PLANTED: dict[str, tuple[Change, str]] = {
    "query": (
        lambda row, random: row | ({"query": NEWS[: len(row["query"])]} if random.random() < 0.3 else {}),
        "more of: ",
    ),
    "query_length": (lambda row, _: row | {"query": row["query"] + " 12345678"}, "mean "),
    "latency_ms": (lambda row, _: row | {"latency_ms": row["latency_ms"] * 1.3}, "mean "),
    "error": (some(0.1, error="rate_limit"), "rate_limit 0.0 % -> "),
    "output": (some(0.3, output="refund"), "refund "),
    "confidence": (lambda row, _: row | {"confidence": row["confidence"] * 0.9}, "mean 0."),
}


@pytest.mark.parametrize("column", PLANTED)
def test_planted_drift_is_found_in_its_column(memory: Lake, week: Week, column: str) -> None:
    change, explanation = PLANTED[column]
    week(change)
    assert watch_day(memory, DAY, POLICY) == [column]
    row = found(memory)[column]
    assert (row["verdict"], row["value"] > row["bound"], row["p_adjusted"] < 0.05) == ("drift", True, True)
    assert explanation in row["explanation"]


def test_a_difference_too_small_to_matter_is_no_drift(
    memory: Lake, land: Callable[..., int], day_of: Callable[..., list[Row]]
) -> None:
    land(day_of(date(2026, 1, 7), "w", 5000))
    land(day_of(DAY, "w", 5000, some(0.015, error="timeout")))
    assert watch_day(memory, DAY, POLICY) == []
    row = found(memory)["error"]
    assert (row["verdict"], row["p_adjusted"] < 0.05, row["value"] < row["bound"]) == ("ok", True, True)


@pytest.mark.parametrize("count", [0, 1, 499])
def test_too_few_rows_are_insufficient_and_no_alarm(memory: Lake, week: Week, count: int) -> None:
    week(lambda row, _: row | {"query": NEWS, "output": "?", "latency_ms": 9e9, "error": None}, count)
    assert watch_day(memory, DAY, POLICY) == []
    assert verdicts(memory) == dict.fromkeys(COLUMNS, "insufficient")
    assert found(memory)["query"]["value"] is None


def test_the_first_day_has_no_reference(
    memory: Lake, land: Callable[..., int], day_of: Callable[..., list[Row]]
) -> None:
    land(day_of(DAY, "w", 600))
    assert watch_day(memory, DAY, POLICY) == []
    assert set(verdicts(memory).values()) == {"insufficient"}
    assert found(memory)["error"]["reference_from"] is None


def test_users_who_ask_again_do_not_look_like_news(
    memory: Lake, week: Week, land: Callable[..., int], day_of: Callable[..., list[Row]]
) -> None:
    week()
    again = day_of(DAY, "w", 500)
    later = [row | {"trace_id": f"again-{row['trace_id']}", "turn": 2, "query": NEWS, "output": "?"} for row in again]
    land(later)
    assert watch_day(memory, DAY, POLICY) == []


def test_a_promotion_does_not_alarm_on_what_it_changes_on_purpose(memory: Lake, week: Week) -> None:
    week(lambda row, _: row | {"model": "m-2", "output": "other words", "confidence": 0.1})
    assert watch_day(memory, DAY, POLICY) == []
    told = verdicts(memory)
    assert (told["output"], told["confidence"]) == ("insufficient", "insufficient")
    assert {told[name] for name in ("query", "query_length", "latency_ms", "error")} == {"ok"}


def test_answers_are_compared_again_once_the_new_model_has_served_for_days(
    memory: Lake, land: Callable[..., int], day_of: Callable[..., list[Row]]
) -> None:
    def served(row: Row, _: Random) -> Row:
        return row | {"model": "m-2", "output": "other words"}

    for back in range(7, 0, -1):
        land(day_of(DAY - timedelta(days=back), "v", 150, served if back < 5 else None))
    land(day_of(DAY, "v", 600, lambda row, _: row | {"model": "m-2"}))
    assert watch_day(memory, DAY, POLICY) == ["output"]


def test_calls_whose_log_names_no_model_are_compared_with_their_like(
    memory: Lake, land: Callable[..., int], day_of: Callable[..., list[Row]]
) -> None:
    for back in range(7, -1, -1):
        output = {"model": None} | ({"output": "refund"} if back == 0 else {})
        land(day_of(DAY - timedelta(days=back), "w", 150 if back else 600, lambda row, _, o=output: row | o))
    assert watch_day(memory, DAY, POLICY) == ["output"]


def test_failed_calls_have_no_answers_to_compare(memory: Lake, week: Week) -> None:
    week(lambda row, _: row | ({"output": None, "confidence": None} if row["error"] else {}))
    assert watch_day(memory, DAY, POLICY) == []


def test_an_unknown_answer_is_a_category(memory: Lake, week: Week) -> None:
    week(lambda row, r: row | ({"output": None} if r.random() < 0.2 else {}))
    assert watch_day(memory, DAY, POLICY) == ["output"]
    assert "null 0.0 % -> " in found(memory)["output"]["explanation"]


def test_watching_twice_leaves_the_same_rows(memory: Lake, week: Week) -> None:
    week(lambda row, _: row | {"latency_ms": row["latency_ms"] * 1.5})
    assert watch_day(memory, DAY, POLICY) == ["latency_ms"]
    first = memory.frame("from drift order by column_name")
    assert watch_day(memory, DAY, POLICY, "again") == ["latency_ms"]
    assert memory.frame("from drift order by column_name").equals(first)


def test_days_outside_the_window_are_no_reference(
    memory: Lake, week: Week, land: Callable[..., int], day_of: Callable[..., list[Row]]
) -> None:
    week()
    land(day_of(date(2025, 12, 31), "w", 2000, lambda row, _: row | {"latency_ms": 1.0}))
    land(day_of(date(2026, 1, 9), "w", 2000, lambda row, _: row | {"latency_ms": 1.0}))
    assert watch_day(memory, DAY, POLICY) == []
    assert found(memory)["latency_ms"]["reference_count"] == 1050


def test_of_a_large_day_the_same_rows_are_always_taken(memory: Lake, week: Week) -> None:
    week(count=900)
    policy = WatchPolicy(most_rows=550)
    watch_day(memory, DAY, policy)
    first = found(memory)
    assert first["latency_ms"]["current_count"] == 550
    watch_day(memory, DAY, policy)
    assert found(memory) == first
