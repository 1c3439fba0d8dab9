from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.route.day import route_day
from flywheel.route.policy import RoutingPolicy

DAY, BEFORE, AFTER = date(2026, 1, 5), date(2026, 1, 4), date(2026, 1, 6)
POLICY = RoutingPolicy(human_budget=4, overlap_share=0.0)
Land = Callable[..., int]


@pytest.fixture
def memory() -> Lake:
    return Lake.in_memory()


@pytest.fixture
def land(memory: Lake) -> Land:
    def rows(table: str, *rows: dict[str, Any]) -> int:
        return memory.land(table, memory.typed(table, rows))

    return rows


@pytest.fixture
def mined(memory: Lake, land: Land) -> Lake:
    """Return a lake with ten hard examples and two audits of a day, and one of the day before."""
    numbers = range(1, 13)
    traces = [{"trace_id": f"t{n}", "input": "[]", "query": "q", "output": f"o{n}", "task": "x"} for n in numbers]
    land("traces", *[{**row, "day": DAY} for row in traces], {**traces[0], "day": BEFORE, "trace_id": "t0"})
    examples = [
        {
            "day": DAY,
            "example_id": f"e{n}",
            "trace_id": f"t{n}",
            "purpose": "audit" if n > 10 else "hard",
            "hardness": 0.9 if n < 9 else 0.1,
            "novelty": 0.0,
            "rank": n,
        }
        for n in numbers
    ]
    land("hard_examples", *examples, {**examples[0], "day": BEFORE, "example_id": "e0", "trace_id": "t0"})
    return memory


def teach(land: Land, confidences: dict[str, float | None], **changes: Any) -> None:
    answer = {"day": DAY, "author_kind": "ai", "corrector": "teacher", "output": "x", **changes}
    rows = [{**answer, "answer_id": f"{name}-{value}", "example_id": name, "confidence": value} for name, value in
            confidences.items()]  # fmt: skip
    land("answers", *rows)


def reasons(lake: Lake, day: date = DAY) -> dict[str, str]:
    return dict(lake.frame("select example_id, reason from routes where day = $day", day=day).iter_rows())


def test_every_hard_example_of_the_day_is_decided_once(mined: Lake) -> None:
    assert route_day(mined, DAY, POLICY) == {"drop": 6, "human": 6}
    rows = mined.frame("select example_id, count(*) from routes where day = $day group by example_id", day=DAY).rows()
    assert sorted(rows) == sorted((f"e{number}", 1) for number in range(1, 13))
    assert mined.scalar("select count(*) from routes where day != $day", day=DAY) == 0


def test_routing_twice_leaves_the_same_rows(mined: Lake, land: Land) -> None:
    teach(land, {"e5": 0.9, "e6": 0.9})
    first_counts = route_day(mined, DAY, RoutingPolicy(human_budget=2))
    first = mined.frame("from routes order by example_id")
    assert route_day(mined, DAY, RoutingPolicy(human_budget=2), "again") == first_counts
    assert mined.frame("from routes order by example_id").equals(first)


def test_routing_again_with_more_answers_replaces_what_was_decided(mined: Lake, land: Land) -> None:
    land("corrector_trust", {"day": BEFORE, "corrector": "teacher", "is_trusted": True, "agreement": 0.8})
    route_day(mined, DAY, POLICY)
    teach(land, {"e1": 0.9})
    assert route_day(mined, DAY, POLICY) == {"ai": 1, "drop": 5, "human": 6}
    assert len(reasons(mined)) == mined.scalar("select count(*) from routes") == 12
    assert reasons(mined)["e1"] == "teacher_is_sure"


def test_what_nobody_judged_is_unproven_and_people_get_the_best(mined: Lake) -> None:
    route_day(mined, DAY, POLICY)
    found = reasons(mined)
    assert {found[f"e{number}"] for number in range(1, 5)} == {"teacher_unproven"}
    assert {found[f"e{number}"] for number in range(5, 9)} == {"human_budget_spent"}
    assert {found["e9"], found["e10"]} == {"too_easy"}
    assert {found["e11"], found["e12"]} == {"random_audit"}


def test_a_trusted_teacher_takes_what_it_is_sure_of(mined: Lake, land: Land) -> None:
    land("corrector_trust", {"day": BEFORE, "corrector": "teacher", "is_trusted": True, "agreement": 0.8})
    teach(land, {"e1": 0.9, "e2": 0.5, "e3": None})
    assert route_day(mined, DAY, POLICY) == {"ai": 2, "drop": 4, "human": 6}
    found = reasons(mined)
    assert [found[f"e{n}"] for n in (1, 2, 3, 4)] == [
        "teacher_is_sure",
        "teacher_is_unsure",
        "teacher_is_sure",
        "teacher_is_unsure",
    ]
    value = mined.scalar("select expected_value from routes where example_id = 'e1'")
    assert value == pytest.approx(0.9 * 0.8)


NO_TRUST = [
    [],
    [{"day": BEFORE, "corrector": "another model", "is_trusted": True, "agreement": 0.9}],
    [{"day": DAY, "corrector": "teacher", "is_trusted": True, "agreement": 0.9}],
    [{"day": AFTER, "corrector": "teacher", "is_trusted": True, "agreement": 0.9}],
    [
        {"day": date(2026, 1, 3), "corrector": "teacher", "is_trusted": True, "agreement": 0.9},
        {"day": BEFORE, "corrector": "teacher", "is_trusted": False, "agreement": 0.4},
    ],
]


@pytest.mark.parametrize("trust", NO_TRUST, ids=["none", "of another model", "of today", "of tomorrow", "lost"])
def test_trust_is_the_newest_verdict_of_a_day_before(mined: Lake, land: Land, trust: list[dict[str, Any]]) -> None:
    land("corrector_trust", *trust)
    teach(land, {"e1": 0.9})
    route_day(mined, DAY, POLICY)
    assert reasons(mined)["e1"] == "teacher_unproven"


@pytest.mark.parametrize("changes", [{"author_kind": "human"}, {"output": None}])
def test_only_answers_of_a_model_say_how_sure_it_is(mined: Lake, land: Land, changes: dict[str, Any]) -> None:
    land("corrector_trust", {"day": BEFORE, "corrector": "teacher", "is_trusted": True, "agreement": 0.8})
    teach(land, {"e2": 0.99})
    teach(land, {"e1": 0.99}, **changes)
    route_day(mined, DAY, POLICY)
    assert reasons(mined)["e1"] == "teacher_is_unsure"


def test_a_day_without_hard_examples_routes_nothing(memory: Lake) -> None:
    assert route_day(memory, DAY, POLICY) == {}
