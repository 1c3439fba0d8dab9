"""A day's draw: what was drawn stays drawn, audits are only measured with, doubted failures go back to people."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.mine.selection import SelectionPolicy
from flywheel.mine.selection_day import Quota, choose_examples

DAY = date(2026, 1, 5)
BEFORE = DAY - timedelta(days=1)
Land = Callable[[str, list[dict[str, Any]]], int]
Failing = Callable[..., None]


@pytest.fixture
def failing(land: Land) -> Failing:
    """Return what lands a failing trace with everything that mining found out about it."""

    def one(trace_id: str, day: date = DAY, **facts: Any) -> None:
        group = {"group_id": facts.get("group_id", trace_id), "group_size": facts.get("group_size", 1)}
        mode_id = facts.get("mode_id", f"mode of {trace_id}")
        key = {"day": day, "trace_id": trace_id}
        said = {name: facts[name] for name in ("query", "input", "output", "confidence") if name in facts}
        land("traces", [key | said])
        land("failures", [key | {"p_failure": facts.get("p_failure", 0.9), "signals": ["thumbs_down"]}])
        land("duplicates", [key | group | {"is_representative": facts.get("is_representative", True)}])
        land("mode_members", [key | {"mode_id": mode_id}])
        size = {"size": 1, "total_size": facts.get("total_size", 1)}
        land("failure_modes", [{"day": day, "mode_id": mode_id} | size])

    return one


@pytest.fixture
def quiet(land: Land) -> Callable[..., None]:
    """Return what lands traces that nothing spoke against."""
    return lambda *ids, **said: land("traces", [{"day": DAY, "trace_id": trace_id, **said} for trace_id in ids])


def drawn(lake: Lake, *columns: str, day: date = DAY) -> list[tuple[Any, ...]]:
    listed = ", ".join(columns or ("purpose", "trace_id"))
    found = lake.frame(f"select {listed} from hard_examples where day = $day order by purpose, rank", day=day)  # noqa: S608
    return found.rows()


def test_budget_goes_round_the_modes(memory: Lake, failing: Failing) -> None:
    for trace_id, mode_id, p_failure in [("a1", "A", 0.9), ("a2", "A", 0.9), ("a3", "A", 0.9), ("b1", "B", 0.7)]:
        failing(trace_id, mode_id=mode_id, p_failure=p_failure)
    choose_examples(memory, DAY, Quota(2, 0))
    assert drawn(memory, "trace_id", "mode_id", "rank", "novelty") == [("a1", "A", 1, 1.0), ("b1", "B", 2, 1.0)]
    assert [row[0] for row in drawn(memory, "hardness")] == pytest.approx([0.78, 0.64])


def test_one_of_each_duplicate_group_and_the_one_that_stands_for_more_first(memory: Lake, failing: Failing) -> None:
    failing("a")
    failing("b", group_id="b", group_size=2)
    failing("c", group_id="b", group_size=2, is_representative=False)
    choose_examples(memory, DAY, Quota(10, 0))
    assert drawn(memory, "trace_id", "represents", "rank") == [("b", 2, 1), ("a", 1, 2)]


def test_the_same_words_are_one_problem_whatever_their_mode(memory: Lake, failing: Failing) -> None:
    failing("a", query="my card was stolen", p_failure=0.95)
    failing("b", query="My card was stolen!", p_failure=0.94)
    failing("c", query="exchange rate for yen", p_failure=0.6)
    choose_examples(memory, DAY, Quota(2, 0))
    assert drawn(memory, "trace_id", "round(nearest, 3)") == [("a", 1.0), ("c", 1.0)]


def test_what_earlier_days_chose_is_covered(memory: Lake, failing: Failing, land: Land) -> None:
    failing("old", BEFORE, query="my card was stolen")
    choose_examples(memory, BEFORE, Quota(1, 0))
    failing("a", query="my card was stolen today", p_failure=0.95)
    failing("c", query="exchange rate for yen", p_failure=0.6)
    choose_examples(memory, DAY, Quota(1, 0))
    assert drawn(memory) == [("hard", "c")]


def test_chosen_before_is_not_chosen_again(memory: Lake, failing: Failing, land: Land) -> None:
    failing("a", p_failure=1.0, mode_id="A", total_size=3)
    failing("b", p_failure=0.5, mode_id="A", total_size=3)
    land("hard_examples", [{"day": BEFORE, "example_id": "e", "trace_id": "a", "mode_id": "A", "purpose": "hard"}])
    choose_examples(memory, DAY, Quota(1, 0))
    assert drawn(memory, "trace_id", "rank", "round(novelty, 3)") == [("b", 1, 0.333)]


def test_an_audit_is_only_measured_with_and_does_not_eat_the_budget(
    memory: Lake, failing: Failing, quiet: Callable[..., None]
) -> None:
    failing("a", p_failure=0.9)  # drawn for audit: md5 of its id is smallest
    failing("b", p_failure=0.6)
    choose_examples(memory, DAY, Quota(1, 1))
    assert drawn(memory, "purpose", "trace_id", "rank", "hardness", "nearest") == [
        ("audit", "a", 1, 0.9, None),
        ("hard", "b", 1, pytest.approx(0.57), 1.0),
    ]


def test_traces_that_did_not_fail_are_audited_too(memory: Lake, quiet: Callable[..., None]) -> None:
    quiet("a", "b")
    choose_examples(memory, DAY, Quota(5, 2))
    assert drawn(memory, "purpose", "trace_id", "mode_id", "hardness") == [
        ("audit", "a", None, 0.0),
        ("audit", "b", None, 0.0),
    ]


@pytest.mark.parametrize("twin", [{"group_id": "a"}, {"query": " My CARD was stolen "}])
def test_a_twin_of_an_audit_is_not_learned_from(memory: Lake, failing: Failing, twin: dict[str, str]) -> None:
    failing("a", is_representative=False, query="my card was stolen")
    failing("b", **twin)
    failing("c", query="exchange rate")
    choose_examples(memory, DAY, Quota(5, 1))
    assert drawn(memory) == [("audit", "a"), ("hard", "c")]


@pytest.mark.parametrize(("route", "chosen"), [("human", ["c"]), ("drop", ["a", "c"])])
def test_a_problem_somebody_was_asked_on_an_earlier_day_is_not_asked_again(
    memory: Lake, failing: Failing, land: Land, route: str, chosen: list[str]
) -> None:
    failing("old", BEFORE, group_id="g")
    choose_examples(memory, BEFORE, Quota(1, 0))
    example_id = memory.scalar("select example_id from hard_examples")
    land("routes", [{"day": BEFORE, "example_id": example_id, "route": route}])
    failing("a", group_id="g")
    failing("c")
    choose_examples(memory, DAY, Quota(5, 0))
    assert sorted(row[1] for row in drawn(memory)) == chosen


def test_a_twin_of_an_earlier_audit_is_not_learned_from(memory: Lake, failing: Failing, land: Land) -> None:
    land("review_queue", [{"day": BEFORE, "example_id": "e", "query": "my card was stolen", "reason": "audit"}])
    land("audits", [{"day": BEFORE, "example_id": "f", "query": "exchange rate"}])
    failing("a", query="My card was stolen")
    failing("b", query="Exchange rate")
    failing("c", query="top up failed")
    choose_examples(memory, DAY, Quota(5, 0))
    assert drawn(memory) == [("hard", "c")]


@pytest.mark.parametrize("query", [None, "Yes, please."])
def test_an_audit_bars_no_failure_that_only_ends_like_it(memory: Lake, failing: Failing, query: str | None) -> None:
    asked = [("user", query)] if query else []
    for number in range(12):
        turns = [("assistant", f"Shall I do thing {number} of {number * 7919} now?"), *asked]
        history = json.dumps([{"role": role, "content": content} for role, content in turns])
        failing(f"t{number:02}", query=query, input=history, mode_id="m")
    choose_examples(memory, DAY, Quota(20, 2))
    assert [purpose for purpose, _ in drawn(memory)].count("hard") == 10


def test_audits_do_not_depend_on_what_failed(memory: Lake, failing: Failing, quiet: Callable[..., None]) -> None:
    with Lake.in_memory() as other:
        ids = [f"t{number}" for number in range(40)]
        other.land("traces", other.typed("traces", [{"day": DAY, "trace_id": one} for one in ids]))
        choose_examples(other, DAY, Quota(20, 8))
        expected = [row for row in drawn(other) if row[0] == "audit"]
    for one in ids[:15]:
        failing(one)
    quiet(*ids[15:])
    choose_examples(memory, DAY, Quota(20, 8))
    assert [row for row in drawn(memory) if row[0] == "audit"] == expected


def test_drawn_stays_drawn_and_only_the_room_left_is_filled(memory: Lake, failing: Failing, land: Land) -> None:
    failing("a", p_failure=0.99)
    failing("b", p_failure=0.99)
    failing("c")
    kept = {"day": DAY, "hardness": 0.5, "novelty": 1.0, "represents": 1, "rank": 1}
    land(
        "hard_examples",
        [
            kept | {"example_id": "audit_of_a", "trace_id": "a", "purpose": "audit"},
            kept | {"example_id": "hard_b", "trace_id": "b", "purpose": "hard", "mode_id": "m"},
        ],
    )
    choose_examples(memory, DAY, Quota(2, 1))
    assert drawn(memory, "purpose", "trace_id", "rank") == [("audit", "a", 1), ("hard", "b", 1), ("hard", "c", 2)]


def test_the_same_day_twice_is_the_same_rows_and_more_traffic_respects_the_budget(
    memory: Lake, failing: Failing, quiet: Callable[..., None]
) -> None:
    for number in range(30):
        failing(f"t{number}", query=f"question {number} about {number % 4}", p_failure=0.5 + number / 100)
    failing("doubted", query="odd one", output="right")
    quiet("q1", "q2", "q3", "q4", query="Odd one", output="Right")
    quota = Quota(20, 4)
    first = choose_examples(memory, DAY, quota), drawn(memory, "example_id", "purpose", "rank", "nearest")
    assert (choose_examples(memory, DAY, quota), drawn(memory, "example_id", "purpose", "rank", "nearest")) == first
    for number in range(30, 60):
        failing(f"t{number}", query=f"question {number} about {number % 4}", p_failure=0.99)
    assert choose_examples(memory, DAY, quota) == first[0] == 24
    assert drawn(memory, "example_id", "purpose", "rank", "nearest") == first[1]


@pytest.fixture
def doubted(failing: Failing, land: Land, quiet: Callable[..., None], request: pytest.FixtureRequest) -> None:
    """Land one sound failure, "z", and others that may be none, each for a reason of its own."""
    failing("z", query="top up failed", output="refund", confidence=0.4)
    failing("shown", query="cash machine kept my card", output="card_lost", confidence=0.4)
    edit = {"day": DAY, "trace_id": "shown", "kind": "edit"}
    land("feedback", [edit | {"feedback_id": text, "text": text} for text in ("cash", "card")])
    failing("corrected", query="how do I activate the card", output="Activate", confidence=0.4)
    correction = {"day": BEFORE, "correction_id": "c", "query": "How do I activate the card?", "chosen": "activate "}
    land("corrections", [correction])
    failing("usual", query="what is the rate", output="rate", confidence=0.4)
    quiet("q1", "q2", "q3", query="What is the rate", output="Rate", confidence=0.4)
    failing("sure", query="close my account", output="close", confidence=0.995, p_failure=0.6)


def test_doubted_failures_go_back_to_people_with_the_reason(memory: Lake, doubted: None) -> None:
    choose_examples(memory, DAY, Quota(10, 0), policy=SelectionPolicy(relabel_share=0.5))
    assert dict(drawn(memory, "trace_id", "reason")) == {
        "z": None,
        "shown": "demonstrations_disagree",
        "corrected": "contradicts_correction",
        "usual": "twins_not_failing",
        "sure": "too_sure_to_be_wrong",
    }
    assert [row for row in drawn(memory) if row[0] == "hard"] == [("hard", "z")]


def test_what_others_contradict_is_not_learned_from_even_when_the_relabel_queue_is_full(
    memory: Lake, doubted: None
) -> None:
    choose_examples(memory, DAY, Quota(20, 0))  # a share of 5 %: room for one
    assert [row for row in drawn(memory) if row[0] == "relabel"] == [("relabel", "corrected")]
    assert {row[1] for row in drawn(memory) if row[0] == "hard"} == {"z", "sure"}


def test_relabels_are_part_of_the_budget(memory: Lake, doubted: None) -> None:
    choose_examples(memory, DAY, Quota(2, 0), policy=SelectionPolicy(relabel_share=0.5))
    assert drawn(memory) == [("hard", "z"), ("relabel", "corrected")]


def test_a_model_that_is_sure_of_everything_makes_nothing_suspicious(memory: Lake, failing: Failing) -> None:
    for number in range(4):
        failing(f"t{number}", query=f"question {number}", confidence=0.995, p_failure=0.6)
    choose_examples(memory, DAY, Quota(10, 0), policy=SelectionPolicy(relabel_share=1.0))
    assert {row[0] for row in drawn(memory)} == {"hard"}


def test_a_day_without_traces_draws_nothing(memory: Lake) -> None:
    assert choose_examples(memory, DAY, Quota(10, 5)) == 0
