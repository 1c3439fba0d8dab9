from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.mine.modes import ModePolicy
from flywheel.mine.named import name_modes

FIRST = date(2026, 1, 5)
SECOND, THIRD = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
Fail = Callable[..., None]

CARDS = [f"card_lost | my card was stolen in {place}" for place in ("Rome", "Oslo", "Bern", "Kiel", "Graz", "Linz")]
RATES = [f"fx_fee | which exchange rate applies to {money}" for money in ("euro", "yen", "pound", "krone", "zloty")]
QUIRKS = ["one | unrelated quirk", "two | something else entirely", "three | strange behaviour"]


@pytest.fixture
def fail(land: Callable[..., int]) -> Fail:
    """Return what lands failures on a day, each written `answer | query`; users rejected all of them."""

    def rows(day: date, *written: str) -> None:
        for number, text in enumerate(written):
            output, query = text.split(" | ")
            trace = {"day": day, "trace_id": f"{day}-{number:03}"}
            land("traces", [trace | {"output": output, "query": query, "task": "desk"}])
            land("signals", [trace | {"signal": "thumbs_down", "strength": 1.0, "evidence": "down"}])
            land("failures", [trace | {"note": query, "p_failure": 0.9, "signals": ["thumbs_down"]}])

    return rows


def modes(lake: Lake, day: date) -> dict[str, dict[str, Any]]:
    """Return the day's modes by the place of the first failure in them."""
    rows = lake.frame("select * exclude (run_id) from failure_modes where day = $day", day=day).to_dicts()
    members = dict(
        lake.frame(
            "select mode_id, min(trace_id) from mode_members where day = $day group by mode_id", day=day
        ).iter_rows()
    )
    return {members[row["mode_id"]]: row for row in sorted(rows, key=lambda row: members[row["mode_id"]])}


def test_failures_become_named_modes(memory: Lake, fail: Fail) -> None:
    fail(FIRST, *CARDS, *RATES)
    assert name_modes(memory, FIRST) == 2
    cards, rates = modes(memory, FIRST).values()
    assert (cards["size"], rates["size"]) == (6, 5)
    assert cards["name"] == "answers card_lost"
    assert rates["name"] == "answers fx_fee"
    assert cards["description"].startswith("Answers `card_lost` (100%) where users write of card")
    assert rates["description"].endswith("Noticed by thumbs_down.")
    assert {mode["status"] for mode in (cards, rates)} == {"open"}
    assert {mode["trend"] for mode in (cards, rates)} == {None}
    assert {mode["first_seen"] for mode in (cards, rates)} == {FIRST}


def test_a_mode_keeps_its_id_name_and_place_on_later_days(memory: Lake, fail: Fail) -> None:
    fail(FIRST, *CARDS, *RATES)
    name_modes(memory, FIRST)
    fail(SECOND, *[note.replace("stolen", "taken") for note in CARDS[:3]], *RATES, *RATES)
    assert name_modes(memory, SECOND) == 2
    before, after = list(modes(memory, FIRST).values()), list(modes(memory, SECOND).values())
    kept = ("mode_id", "name", "description", "first_seen")
    assert [[mode[name] for name in kept] for mode in after] == [[mode[name] for name in kept] for mode in before]
    assert [(mode["size"], mode["total_size"], mode["trend"]) for mode in after] == [(3, 9, 0.5), (10, 15, 2.0)]


def test_a_new_mode_appears_beside_the_known_ones(memory: Lake, fail: Fail) -> None:
    fail(FIRST, *CARDS)
    name_modes(memory, FIRST)
    fail(SECOND, *CARDS[:2], *RATES)
    assert name_modes(memory, SECOND) == 2
    cards, rates = modes(memory, SECOND).values()
    assert cards["mode_id"] == next(iter(modes(memory, FIRST).values()))["mode_id"]
    assert (rates["first_seen"], rates["trend"], rates["size"], rates["total_size"]) == (SECOND, None, 5, 5)


def test_a_mode_that_stayed_away_is_known_when_it_comes_back(memory: Lake, fail: Fail) -> None:
    for day, notes in ((FIRST, CARDS), (SECOND, RATES), (THIRD, CARDS)):
        fail(day, *notes)
        name_modes(memory, day)
    (first,), (third,) = modes(memory, FIRST).values(), modes(memory, THIRD).values()
    assert third["mode_id"] == first["mode_id"]
    assert (third["trend"], third["total_size"]) == (1.0, 12)


def test_anecdotes_go_to_other_and_other_has_no_centroid(memory: Lake, fail: Fail) -> None:
    fail(FIRST, *QUIRKS[:2])
    assert name_modes(memory, FIRST) == 1
    (other,) = modes(memory, FIRST).values()
    assert (other["mode_id"], other["name"], other["size"], other["centroid"]) == ("other", "other", 2, [])
    fail(SECOND, *QUIRKS[:2], *CARDS)
    name_modes(memory, SECOND)
    other = next(mode for mode in modes(memory, SECOND).values() if mode["mode_id"] == "other")
    assert (other["first_seen"], other["trend"], other["total_size"]) == (FIRST, 1.0, 4)


def test_every_failure_has_exactly_one_mode(memory: Lake, fail: Fail) -> None:
    fail(FIRST, *CARDS, *QUIRKS, *RATES)
    name_modes(memory, FIRST)
    members = memory.frame("select trace_id, mode_id from mode_members order by trace_id")
    assert members["trace_id"].to_list() == [f"2026-01-05-{number:03}" for number in range(14)]
    sizes = dict(memory.frame("select mode_id, size from failure_modes").iter_rows())
    assert dict(members.group_by("mode_id").len().iter_rows()) == sizes


def test_a_day_has_at_most_twenty_modes_and_other(memory: Lake, fail: Fail) -> None:
    fail(FIRST, *[f"label{number % 60} | word{number % 60} thing" for number in range(300)])
    assert name_modes(memory, FIRST) <= 21
    assert memory.scalar("select count(*) from failure_modes where mode_id != 'other'") == 20


def test_naming_twice_leaves_the_same_rows(memory: Lake, fail: Fail) -> None:
    fail(FIRST, *CARDS, *RATES, *QUIRKS)
    name_modes(memory, FIRST)
    tables = ("from failure_modes order by mode_id", "from mode_members order by trace_id")
    first = [memory.frame(table) for table in tables]
    name_modes(memory, FIRST, "again")
    assert all(memory.frame(table).equals(held) for table, held in zip(tables, first, strict=True))


def test_two_lakes_name_the_same_day_alike(fail: Fail, memory: Lake) -> None:
    fail(FIRST, *CARDS, *RATES)
    name_modes(memory, FIRST)
    with Lake.in_memory() as other:
        for table in ("traces", "signals", "failures"):
            other.land(table, memory.frame(f"select * exclude (run_id) from {table} order by trace_id desc"))  # noqa: S608
        name_modes(other, FIRST)
        ids = "select mode_id, name from failure_modes order by mode_id"
        assert other.frame(ids).equals(memory.frame(ids))


def test_a_day_mined_again_with_late_failures_keeps_the_ids(memory: Lake, fail: Fail) -> None:
    fail(FIRST, *CARDS[:4], *RATES[:4])
    name_modes(memory, FIRST)
    ids = {mode["name"]: mode["mode_id"] for mode in modes(memory, FIRST).values()}
    fail(FIRST, *CARDS[:4], *RATES[:4], *CARDS[4:], RATES[4])
    name_modes(memory, FIRST)
    assert {mode["name"]: mode["mode_id"] for mode in modes(memory, FIRST).values()} == ids
    assert [mode["size"] for mode in modes(memory, FIRST).values()] == [6, 5]


def test_the_space_is_fitted_once_there_is_enough_and_the_modes_move_into_it(memory: Lake, fail: Fail) -> None:
    fail(FIRST, *CARDS, *RATES)
    name_modes(memory, FIRST)
    fail(SECOND, *CARDS * 4, *RATES * 4)
    name_modes(memory, SECOND)
    spaces = memory.frame("select day, any_value(space_id) from failure_modes group by day order by day").rows()
    assert spaces[0] == (FIRST, "hashed")
    assert spaces[1] == (SECOND, memory.scalar("select any_value(space_id) from note_spaces"))
    first, second = modes(memory, FIRST), modes(memory, SECOND)
    assert {mode["mode_id"] for mode in first.values()} == {mode["mode_id"] for mode in second.values()}


def test_a_mode_is_measured_and_ranked(memory: Lake, fail: Fail, land: Callable[..., int]) -> None:
    fail(FIRST, *CARDS, *RATES)
    land("traces", [{"day": FIRST, "trace_id": f"fine-{number}"} for number in range(89)])
    land(
        "feedback",
        [
            {"day": FIRST, "feedback_id": f"f{n}", "trace_id": f"{FIRST}-{n:03}", "kind": "edit", "text": "x"}
            for n in range(6)
        ],
    )
    name_modes(memory, FIRST)
    cards, rates = modes(memory, FIRST).values()
    assert cards["prevalence"] == pytest.approx(6 * 0.9 / 100)
    assert cards["prevalence_low"] < cards["prevalence"] < cards["prevalence_high"]
    assert cards["severity"] == pytest.approx(0.7)
    assert (cards["fixability"], rates["fixability"]) == (1.0, 0.5)
    assert cards["worth"] == pytest.approx(0.054 * 0.7)
    assert 0 < cards["worth_low"] < cards["worth"]
    assert (cards["rank"], rates["rank"]) == (1, 2)
    assert cards["signals"] == ["thumbs_down"]
    assert sorted(cards["examples"]) == [f"{FIRST}-{number:03}" for number in range(6)]


def test_a_mode_that_stays_away_is_closed_and_has_regressed_when_it_is_back(memory: Lake, fail: Fail) -> None:
    later, last = FIRST + timedelta(days=7), FIRST + timedelta(days=8)
    for day, notes in ((FIRST, CARDS), (later, RATES), (last, CARDS)):
        fail(day, *notes)
        name_modes(memory, day)
    rows = memory.frame("select day, status, size from failure_modes where name like '%card%' order by day").rows()
    assert rows == [(FIRST, "open", 6), (later, "closed", 0), (last, "regressed", 6)]


def test_a_corrected_mode_says_so_from_the_next_day_on(memory: Lake, fail: Fail, land: Callable[..., int]) -> None:
    fail(FIRST, *CARDS)
    name_modes(memory, FIRST)
    mode_id = memory.scalar("select mode_id from failure_modes")
    corrections = [{"day": FIRST, "correction_id": "x", "mode_id": None}]
    land("corrections", [*corrections, {"day": FIRST, "correction_id": "y", "mode_id": mode_id}])
    fail(SECOND, *CARDS, *RATES)
    name_modes(memory, SECOND)
    assert [mode["status"] for mode in modes(memory, SECOND).values()] == ["corrected", "open"]


def test_a_day_without_failures_has_no_modes(memory: Lake) -> None:
    assert name_modes(memory, FIRST) == 0


def test_the_policy_says_how_small_a_mode_may_be(memory: Lake, fail: Fail) -> None:
    fail(FIRST, *CARDS)
    name_modes(memory, FIRST, policy=ModePolicy(smallest=7))
    assert [mode["name"] for mode in modes(memory, FIRST).values()] == ["other"]
