from collections.abc import Callable, Iterator
from datetime import date, timedelta
from math import exp, log
from random import Random
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.mine.labels import DAYS, FEWEST_TRACES, weigh_signals

DAY = date(2026, 1, 5)
Land = Callable[..., int]
# how often each signal fires on failures and on the rest; a signal that is good in one task is poor in the other
PLANTED = {
    "intent": {"thumbs_down": (0.60, 0.02), "rephrase": (0.50, 0.03), "invalid_structure": (0.40, 0.001)},
    "math": {"thumbs_down": (0.30, 0.10), "rephrase": (0.50, 0.03), "verifier_failed": (0.70, 0.01)},
}
PREVALENCE = {"intent": 0.20, "math": 0.40}


def traffic(task: str, count: int, random: Random, day: date = DAY) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield rows of `traces` and `signals`, by table."""
    for number in range(count):
        trace = {"day": day, "trace_id": f"{task}-{day}-{number}", "task": task}
        yield "traces", trace | {"requested_schema": "{}", "output": "1 + 1 = 2"}  # every signal can look
        failed = random.random() < PREVALENCE[task]
        for signal, rates in PLANTED[task].items():
            if random.random() < rates[0 if failed else 1]:
                yield "signals", {**trace, "signal": signal, "strength": 1.0}


def land_all(land: Land, rows: Iterator[tuple[str, dict[str, Any]]]) -> None:
    by_table: dict[str, list[dict[str, Any]]] = {}
    for table, row in rows:
        by_table.setdefault(table, []).append(row)
    for table, held in by_table.items():
        land(table, held)


def weights(lake: Lake, task: str) -> dict[str, dict[str, Any]]:
    rows = lake.frame("select * from signal_weights where task = $task", task=task).to_dicts()
    return {row["signal"]: row for row in rows}


def test_planted_rates_are_recovered_per_task(memory: Lake, land: Land) -> None:
    random = Random(3)
    land_all(land, traffic("intent", 6000, random))
    land_all(land, traffic("math", 6000, random))
    assert weigh_signals(memory, DAY) == 6
    for task, planted in PLANTED.items():
        found = weights(memory, task)
        assert set(found) == set(planted)
        for signal, (sensitivity, false_positive_rate) in planted.items():
            assert found[signal]["sensitivity"] == pytest.approx(sensitivity, abs=0.06), (task, signal)
            assert found[signal]["false_positive_rate"] == pytest.approx(false_positive_rate, abs=0.03), (
                task,
                signal,
            )
            assert found[signal]["prevalence"] == pytest.approx(PREVALENCE[task], abs=0.05)


def test_counts_and_weights_belong_together(memory: Lake, land: Land) -> None:
    land_all(land, traffic("intent", 500, Random(1)))
    weigh_signals(memory, DAY)
    for signal, row in weights(memory, "intent").items():
        fired = memory.scalar("select count(*) from signals where signal = $signal", signal=signal)
        assert row["fired_count"] == fired
        assert row["log_odds_fired"] > 0 > row["log_odds_silent"]


@pytest.mark.parametrize(("count", "expected"), [(FEWEST_TRACES - 1, 0), (FEWEST_TRACES, 1)])
def test_a_task_with_few_traces_keeps_the_prior(memory: Lake, land: Land, count: int, expected: int) -> None:
    traces = [{"day": DAY, "trace_id": f"t{number}", "task": "intent"} for number in range(count)]
    land("traces", traces)
    land("signals", [{**traces[0], "signal": "thumbs_down", "strength": 1.0}])
    assert weigh_signals(memory, DAY) == expected


def test_a_task_in_which_nothing_fired_has_no_weights(memory: Lake, land: Land) -> None:
    land("traces", [{"day": DAY, "trace_id": f"t{number}", "task": "quiet"} for number in range(200)])
    assert weigh_signals(memory, DAY) == 0


def test_a_signal_that_is_no_longer_there_is_not_weighed(memory: Lake, land: Land) -> None:
    land_all(land, traffic("intent", 200, Random(1)))
    land("signals", [{"day": DAY, "trace_id": f"intent-{DAY}-{n}", "signal": "retired"} for n in range(50)])
    weigh_signals(memory, DAY)
    assert "retired" not in weights(memory, "intent")


def test_only_the_last_ninety_days_count(memory: Lake, land: Land) -> None:
    for back in (DAYS, DAYS - 1, 0):
        day = DAY - timedelta(days=back)
        land_all(land, traffic("intent", 100, Random(back), day))
        weigh_signals(memory, day)
    fired = memory.scalar(
        "select count(*) from signals where signal = 'rephrase' and day > $day", day=DAY - timedelta(days=DAYS)
    )
    rows = memory.frame("select fired_count from signal_weights where signal = 'rephrase' and day = $day", day=DAY)
    assert rows.rows() == [(fired,)]


def test_days_before_count_and_days_after_do_not(memory: Lake, land: Land) -> None:
    before, after = date(2026, 1, 4), date(2026, 1, 6)
    for day in (before, DAY, after):
        land_all(land, traffic("intent", 300, Random(day.day), day))
        weigh_signals(memory, day)
    fired = memory.scalar("select count(*) from signals where signal = 'rephrase' and day <= $day", day=DAY)
    rows = memory.frame("select * from signal_weights where signal = 'rephrase' and day = $day", day=DAY).to_dicts()
    assert [row["fired_count"] for row in rows] == [fired]


def test_weighing_twice_leaves_the_same_rows(memory: Lake, land: Land) -> None:
    land_all(land, traffic("intent", 300, Random(2)))
    weigh_signals(memory, DAY)
    first = memory.frame("select * from signal_weights order by signal")
    assert weigh_signals(memory, DAY, "again") == 3
    assert memory.frame("select * from signal_weights order by signal").equals(first)


def test_a_day_without_traffic_has_no_weights(memory: Lake) -> None:
    assert weigh_signals(memory, DAY) == 0


def test_people_who_checked_correct_the_model(memory: Lake, land: Land) -> None:
    """A hand-over is planned for half of the calls, none of which failed: only people know."""
    random, before = Random(5), date(2026, 1, 4)
    for number in range(600):
        trace = {"day": DAY, "trace_id": f"t{number}", "task": "desk"}
        land("traces", [trace])
        if number % 2:
            land("signals", [trace | {"signal": "escalation", "strength": 1.0}])
    weigh_signals(memory, DAY)
    blind = weights(memory, "desk")["escalation"]
    checked = [
        {"day": before, "example_id": f"e{number}", "trace_id": f"t{number}", "is_failure": number % 20 == 0}
        for number in random.sample(range(600), 80)
    ]
    land("audits", checked)
    weigh_signals(memory, DAY)
    told = weights(memory, "desk")["escalation"]
    assert (blind["audited_count"], blind["slope"], blind["intercept"]) == (0, 1, 0)
    assert told["audited_count"] == 80
    assert p_fired(told) < 0.2 < p_fired(blind)


def p_fired(row: dict[str, Any]) -> float:
    odds = log(row["prevalence"] / (1 - row["prevalence"])) + row["log_odds_fired"]
    return 1 / (1 + exp(-row["intercept"] - row["slope"] * odds))


def test_who_could_not_look_is_not_counted(memory: Lake, land: Land) -> None:
    rows = [{"day": DAY, "trace_id": f"t{number}", "task": "desk"} for number in range(100)]
    land("traces", [row | {"requested_schema": "{}"} for row in rows[:40]] + rows[40:])
    land("signals", [row | {"signal": "invalid_structure", "strength": 1.0} for row in rows[:10]])
    weigh_signals(memory, DAY)
    found = weights(memory, "desk")["invalid_structure"]
    assert (found["fired_count"], found["looked_count"]) == (10, 40)
