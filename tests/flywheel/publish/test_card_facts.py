"""The facts of a card: the same when a release is published and when it is read back."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from flywheel.core.releases import read_file
from flywheel.publish.card import write_card
from flywheel.publish.card_facts import Card, Lengths, Mode, read_card, upper_bound
from flywheel.publish.verify import check_files, prove

if TYPE_CHECKING:
    from tests.flywheel.publish.conftest import Desk

Cards = Callable[..., Card]
Corrections = Callable[..., list[dict[str, Any]]]


def test_modes_count_each_side_and_what_is_new(card_facts_of: Cards, corrections: Corrections) -> None:
    rows = [
        *corrections([1, 2, 3], mode_name="a"),
        *corrections([4], mode_name="a", split="heldout"),
        *corrections([5, 6, 7, 8], mode_name="b"),
        *corrections([9], mode_name="b", split="retired"),
    ]
    card = card_facts_of(rows, parent_rows=[("0001", "train"), ("0005", "train"), ("0009", "train")])
    assert card.modes == (Mode("b", 4, 0, 1, 3), Mode("a", 3, 1, 0, 3))


def test_lengths_are_of_the_texts_there_are(card_facts_of: Cards, corrections: Corrections) -> None:
    rows = [row | {"chosen": "x" * length, "rejected": None} for length, row in enumerate(corrections(range(11)))]
    _, error, correction = card_facts_of(rows).lengths
    assert correction == Lengths("correction", 11, 1, 5, 9, 10)
    assert error == Lengths("error", 0, 0, 0, 0, 0)


def test_columns_that_an_old_release_lacks_are_unknown(card_facts_of: Cards) -> None:
    card = card_facts_of([{"correction_id": "1", "chosen": "x"}])
    assert card.counts["depth"] == (("none", 1),)
    assert card.costs == ()


@pytest.mark.parametrize(
    ("promised", "bound"),
    [
        ("at most 0.8", 0.8),
        ("at least 0 and at most 3", 3),
        ("below 0.01", 0.01),
        ("at least 1", None),
        ("unique", None),
    ],
)
def test_the_bound_is_read_off_the_promise(promised: str, bound: float | None) -> None:
    assert upper_bound(promised) == bound


def test_the_published_card_is_what_is_read_back(desk: "Desk") -> None:
    desk.correct(range(40))
    desk.released()
    desk.correct(range(40, 80), day=date(2026, 1, 6))
    release = desk.released(date(2026, 1, 6))
    card = read_card(desk.store, release)
    assert write_card(card) == read_file(desk.store, release, "card.md").decode()
    assert card.changes is not None
    assert (card.changes.added, card.changes.removed, card.changes.moved, card.changes.same) == (40, 0, 0, 40)
    assert {check.is_intact for check in check_files(desk.store, release)} == {True}
    assert {proof.is_kept for proof in prove(desk.store, release)} == {True}
