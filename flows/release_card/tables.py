"""The facts of a release as tables of text, for its page."""

from collections.abc import Mapping, Sequence
from typing import Any

from flows.demo.rows import Table
from flows.demo.wording import MISSING, dollars, words
from flywheel.publish.card_facts import Card

_PROMISE = ("Promise", "About", "Severity", "Observed", "Promised", "Verdict")


def identity_table(facts: Sequence[tuple[str, str]]) -> Table:
    """Return what a release is."""
    return Table("What it is", ("Fact", "Value"), tuple(facts), ("Fact", "Value"))


def origins_table(card: Card) -> Table:
    """Return all counts of rows by where they came from."""
    rows = tuple((kind, name, f"{count:,}") for kind, counted in card.counts.items() for name, count in counted)
    return Table("All of them", ("By", "Name", "Rows"), rows, ("By", "Name"))


def modes_table(card: Card) -> Table:
    """Return all failure modes with their rows by side."""
    rows = tuple(
        (mode.name, *(f"{count:,}" for count in (mode.train, mode.heldout, mode.retired, mode.added)))
        for mode in card.modes
    )
    return Table("All failure modes", ("Mode", "Train", "Held out", "Retired", "New"), rows, ("Mode",))


def lengths_table(card: Card) -> Table:
    """Return how long texts are."""
    rows = tuple(
        (text.text, *(f"{count:,}" for count in (text.rows, text.low, text.middle, text.high, text.most)))
        for text in card.lengths
    )
    head = ("Text", "Rows", "10 % are at most", "Half", "90 %", "Longest")
    return Table("Lengths in characters", head, rows, ("Text",))


def drift_table(card: Card) -> Table:
    """Return what was measured against the reference, with threshold and verdict."""
    rows = tuple(
        (
            words(one.measure),
            _number(one.value),
            _number(one.bound),
            one.severity,
            _verdict(one.value, one.is_kept),
            one.meaning,
        )
        for one in card.drift
    )
    head = ("Measure", "Value", "At most", "Severity", "Verdict", "What it is")
    return Table("Statistics and thresholds", head, rows, ("Measure", "Severity", "Verdict", "What it is"))


def checks_table(caption: str, checks: Sequence[Mapping[str, Any]]) -> Table:
    """Return promises with what was observed."""
    rows = tuple(
        (
            f"{check['suite']}: {words(check['expectation'].removeprefix('expect_'))}",
            check["subject"],
            check["severity"],
            check["observed"],
            check["bound"],
            "✓ kept" if check["is_success"] else "✗ broken",
        )
        for check in checks
    )
    return Table(caption, _PROMISE, rows, _PROMISE)


def costs_table(card: Card) -> Table:
    """Return what was paid for answers, by route and who wrote them."""
    rows = tuple(
        (
            cost["route"],
            cost["author_kind"],
            f"{cost['answers']:,}",
            f"{cost['rows']:,}",
            dollars(cost["cost_usd"]),
            dollars(cost["cost_usd"] / cost["rows"]) if cost["rows"] else MISSING,
        )
        for cost in card.costs
    )
    head = ("Route", "Written by", "Answers", "Rows here", "Spent", "Per row")
    return Table("Spent by route", head, rows, ("Route", "Written by"))


def _number(value: float | None) -> str:
    return MISSING if value is None else f"{value:.3g}"


def _verdict(value: float | None, is_kept: bool) -> str:
    if value is None:
        return "not measured"
    return "✓ kept" if is_kept else "✗ broken"
