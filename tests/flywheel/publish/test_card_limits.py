"""Limits are read off the facts: each is told when it is one, and not otherwise."""

from collections.abc import Callable
from typing import Any

import pytest

from flywheel.publish.card_facts import Card
from flywheel.publish.card_limits import known_limits

Cards = Callable[..., Card]
Corrections = Callable[..., list[dict[str, Any]]]

MODEL = {"corrector": "large", "judged": 50, "agreement": 0.9, "agreement_low": 0.786, "judged_on": "2026-01-01"}
AGREED = "large agreed with people on 90% of 50 answers (at least 79%, 95 %)"


@pytest.fixture
def sound(card_facts_of: Cards, corrections: Corrections) -> Callable[..., Card]:
    """Return a maker of cards that nothing speaks against, but for what is given."""

    def make(rows: list[dict[str, Any]] | None = None, **facts: Any) -> Card:
        ann = [*corrections(range(100), mode_name="a"), *corrections(range(100, 500), mode_name="a", split="heldout")]
        by = [row | {"author_id": f"person {place % 3}"} for place, row in enumerate(ann)]
        given = {"consent": "terms", "parent_rows": [("x", "train")], **facts}
        return card_facts_of([*by, *(rows or [])], **given)

    return make


def test_nothing_is_said_without_a_reason(sound: Callable[..., Card]) -> None:
    assert known_limits(sound()) == []


def test_few_held_out_rows_make_an_accuracy_uncertain(card_facts_of: Cards, corrections: Corrections) -> None:
    rows = [*corrections(range(30)), *corrections(range(30, 40), split="heldout")]
    assert known_limits(card_facts_of(rows))[0] == (
        "10 held-out rows: an accuracy measured on them is uncertain by up to 26 points either way (95 %)."
    )
    assert known_limits(card_facts_of(corrections(range(30))))[0].startswith("Nothing is held out")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"mode_name": "b"}, "1 of 2 failure modes have fewer than 10 training rows: b (9)."),
        (
            {"mode_name": "b"},
            "Whether they were learned cannot be measured, no row is held out of 1 failure mode: b.",
        ),
        ({"mode_name": "b", "split": "heldout"}, "Held out and not taught: b."),
        ({"split": "retired", "mode_name": "a"}, "9 rows are retired"),
        ({"mode_name": None}, "9 rows belong to no failure mode."),
    ],
)
def test_modes_with_too_little(
    sound: Callable[..., Card], corrections: Corrections, more: dict[str, Any], told: str
) -> None:
    found = known_limits(sound(corrections(range(500, 509), author_id="bob", **more)))
    assert any(limit.startswith(told) for limit in found), found


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"consent": ""}, "No ground of consent is recorded (the setting consent)."),
        ({"parent_rows": []}, "It has no parent: drift is measured against nothing."),
        ({"profile": {"human_share": 0.4, "max_depth": 2}}, "Models wrote 60% of the training rows; generations of"),
        ({"judged_models": [MODEL], "day": "2026-01-31"}, f"{AGREED}."),
        ({"judged_models": [MODEL], "day": "2026-02-01"}, f"{AGREED}; they were last compared 31 days before this"),
    ],
)  # fmt: skip
def test_facts_that_speak_against_it(sound: Callable[..., Card], facts: dict[str, Any], told: str) -> None:
    (found,) = known_limits(sound(**facts))
    assert found.startswith(told)


def test_one_author_of_most_rows_is_named(card_facts_of: Cards, corrections: Corrections) -> None:
    rows = [*corrections(range(6)), *corrections(range(6, 10), author_id="bob")]
    assert "ann wrote 60% of the rows." in known_limits(card_facts_of(rows))


def test_what_could_not_be_measured_is_said(
    sound: Callable[..., Card], check_of: Callable[..., dict[str, Any]]
) -> None:
    checks = [check_of(suite="release_profiles", subject="label_drift", bound="at most 0.8")]
    (found,) = known_limits(sound(checks=checks, profile={"label_drift": None, "new_count": 7}))
    assert found.startswith("Not measured (7 new rows are too few")
    assert found.endswith(": label_drift.")


def test_rows_to_be_gone_are_counted(sound: Callable[..., Card]) -> None:
    assert known_limits(sound(), 1_200) == [
        "1,200 rows tell of somebody who was forgotten since: use a newer version."
    ]
