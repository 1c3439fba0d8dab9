import json
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


LATER = date(2026, 1, 6)


def groups(lake: Lake, day: date) -> dict[str, str]:
    rows = lake.frame("select trace_id, group_id from duplicates where day = $day", day=day)
    return dict(rows.iter_rows())


def test_a_twin_of_an_earlier_day_keeps_its_group(memory: Lake, fail: Callable[..., None]) -> None:
    fail({"m": QUERIES["a"], "n": QUERIES["e"]})
    find_repeats(memory, DAY)
    fail({"a": QUERIES["c"], "b": QUERIES["b"] + " Please", "c": QUERIES["f"]}, LATER)
    assert find_repeats(memory, LATER) == 2
    assert groups(memory, LATER) == {"a": "m", "b": "m", "c": "c"}
    rows = memory.frame("select trace_id, group_size, first_seen from duplicates where day = $day", day=LATER)
    assert sorted(rows.rows()) == [("a", 2, DAY), ("b", 2, DAY), ("c", 1, LATER)]


def test_a_long_text_is_found_by_its_words(memory: Lake, fail: Callable[..., None]) -> None:
    words = [f"word{number * 7919 % 1000}" for number in range(120)]
    fail({"m": " ".join(words)})
    find_repeats(memory, DAY)
    fail({"a": " ".join([*words[:60], "other", *words[61:]]), "b": " ".join(words[::-1])}, LATER)
    find_repeats(memory, LATER)
    assert groups(memory, LATER) == {"a": "m", "b": "b"}


def test_texts_between_short_and_long_are_stored_both_ways(memory: Lake, fail: Callable[..., None]) -> None:
    fail({"m": " ".join(f"word{number}" for number in range(60))})
    find_repeats(memory, DAY)
    kinds = memory.frame(
        "select kind, octet_length(band_keys) as keys, octet_length(marks) as marks from text_sketches order by kind"
    )
    assert kinds.rows() == [("characters", 84, 126), ("words", 84, 126)]


def test_a_day_mined_again_does_not_meet_itself(memory: Lake, fail: Callable[..., None]) -> None:
    fail(QUERIES)
    find_repeats(memory, DAY)
    kept = memory.frame("from duplicates order by all"), memory.frame("from text_sketches order by all")
    find_repeats(memory, DAY, "again")
    again = memory.frame("from duplicates order by all"), memory.frame("from text_sketches order by all")
    assert all(first.equals(second) for first, second in zip(kept, again, strict=True))
    assert set(kept[0]["first_seen"]) == {DAY}


def test_late_failures_do_not_rename_a_group(memory: Lake, fail: Callable[..., None]) -> None:
    fail({"m": QUERIES["a"]})
    find_repeats(memory, DAY)
    fail({"a": QUERIES["b"]})
    find_repeats(memory, DAY)
    assert groups(memory, DAY) == {"m": "m", "a": "m"}


def test_later_days_are_not_looked_at(memory: Lake, fail: Callable[..., None]) -> None:
    fail({"m": QUERIES["a"]}, LATER)
    find_repeats(memory, LATER)
    fail({"a": QUERIES["a"]})
    find_repeats(memory, DAY)
    assert groups(memory, DAY) == {"a": "a"}


def test_an_equal_text_counts_before_an_older_near_one(memory: Lake, fail: Callable[..., None], land: Land) -> None:
    first, other = QUERIES["a"], "I lost my card on the train to work this evening, what should I do now my friend?"
    fail({"m": first})
    find_repeats(memory, DAY)
    fail({"n": other}, LATER)
    find_repeats(memory, LATER)
    between = first.replace("morning", "evening")
    fail({"x": between, "y": other}, date(2026, 1, 7))
    find_repeats(memory, date(2026, 1, 7))
    assert groups(memory, LATER) == {"n": "n"}
    assert groups(memory, date(2026, 1, 7)) == {"x": "n", "y": "n"}


def test_a_forgotten_text_is_found_by_its_equal_only(memory: Lake, fail: Callable[..., None]) -> None:
    fail({"m": QUERIES["a"]})
    find_repeats(memory, DAY)
    memory.connection.execute("delete from traces")
    fail({"a": QUERIES["a"], "b": QUERIES["a"] + " Please"}, LATER)
    find_repeats(memory, LATER)
    assert groups(memory, LATER) == {"a": "m", "b": "m"}
    fail({"c": QUERIES["a"] + " Please help"}, date(2026, 1, 7))
    memory.connection.execute("delete from traces where day < $day", {"day": date(2026, 1, 7)})
    find_repeats(memory, date(2026, 1, 7))
    assert groups(memory, date(2026, 1, 7)) == {"c": "c"}


def test_failures_without_a_query_are_no_twins_across_days(memory: Lake, fail: Callable[..., None]) -> None:
    fail({"m1": "", "m2": None})
    find_repeats(memory, DAY)
    fail({"m3": None}, LATER)
    find_repeats(memory, LATER)
    assert groups(memory, DAY) == {"m1": "m1", "m2": "m2"}
    assert groups(memory, LATER) == {"m3": "m3"}


def test_a_short_query_is_a_problem_of_its_own_after_another_history(memory: Lake, land: Land) -> None:
    said = {
        "a": "Shall I freeze the lost card?",
        "b": "Shall I tell you about rates?",
        "c": "Shall I freeze the lost card?",
    }
    for trace_id, offer in said.items():
        turns = [("system", "Be kind. " * 300), ("assistant", offer), ("user", "Yes, please.")]
        history = json.dumps([{"role": role, "content": content} for role, content in turns])
        land("traces", [{"day": DAY, "trace_id": trace_id, "query": "Yes, please.", "input": history}])
        land("failures", [{"day": DAY, "trace_id": trace_id, "note": ""}])
    find_repeats(memory, DAY)
    assert groups(memory, DAY) == {"a": "a", "b": "b", "c": "a"}


TWINS = {"a": QUERIES["a"], "b": QUERIES["b"]}


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("hard_examples", {"trace_id": "b", "purpose": "hard"}),
        ("corrections", {"trace_id": "b"}),
        ("feedback", {"trace_id": "b", "kind": "demonstration", "text": "Call us."}),
    ],
)
def test_the_member_that_was_worked_on_represents_its_group(
    memory: Lake, fail: Callable[..., None], land: Land, table: str, row: dict[str, Any]
) -> None:
    fail(TWINS)
    land(table, [{"day": DAY} | row])
    find_repeats(memory, DAY)
    assert memory.scalar("select trace_id from duplicates where is_representative") == "b"


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ({"p_failure": 0.6}, {"p_failure": 0.9}),
        ({"finish_reason": "length"}, {"finish_reason": "stop"}),
        ({"error": "timeout", "output": None}, {}),
        ({"input": '[{"role": "user", "content": "hi"}]'}, {"input": '[{"role": "user", "content": "longer"}]'}),
    ],
)
def test_the_better_member_represents_its_group(
    memory: Lake, land: Land, worse: dict[str, Any], better: dict[str, Any]
) -> None:
    for name, held in (("a", worse), ("b", better)):
        common = {"day": DAY, "trace_id": name, "query": TWINS[name], "output": "text", "p_failure": 0.5}
        land("traces", [common | held])
        land("failures", [common | held | {"note": ""}])
    find_repeats(memory, DAY)
    assert memory.scalar("select trace_id from duplicates where is_representative") == "b"


def test_an_audit_of_a_twin_does_not_make_it_the_representative(
    memory: Lake, fail: Callable[..., None], land: Land
) -> None:
    fail(TWINS)
    land("hard_examples", [{"day": DAY, "trace_id": "b", "purpose": "audit"}])
    find_repeats(memory, DAY)
    assert memory.scalar("select trace_id from duplicates where is_representative") == "a"
