"""Which plot shows which facts of a release."""

from collections.abc import Sequence

from flows.demo.axes import Axes
from flows.demo.charts import Bars, stacked_bars
from flows.demo.figures import NARROW_PX, WIDE_PX, Figure
from flows.demo.wording import dollars, is_number, percent, words
from flows.release_card.bars import Row, bars_figure, legend_of
from flywheel.core.releases import Release
from flywheel.publish.card_facts import Card, Drift

_MODES = 20  # the table has all
_NAMES = 6  # of one kind: authors, apps ...; the table has all
_VERSIONS = 30  # the newest
_SIDES = ("train", "heldout", "retired")
_SIDE_NAMES = ("to train on", "held out", "retired")
_GOOD, _BAD = 2, 5


def origins_figure(card: Card) -> Figure | None:
    """Return rows by who wrote them, route, app and depth."""
    rows: list[Row] = []
    for name, counted in card.counts.items():
        total = sum(count for _, count in counted)
        if not total or [one for one, _ in counted] == ["none"]:
            continue
        rows.append(Row(name))
        rows += [
            Row(one, (float(count),), f"{count:,} · {percent(count / total)}") for one, count in counted[:_NAMES]
        ]
    return bars_figure("Rows by origin", rows, "Rows of all sides.")


def modes_figure(card: Card) -> Figure | None:
    """Return rows by failure mode, stacked by side; the smaller modes are one bar."""
    sides = [side for side in _SIDES if any(getattr(mode, side) for mode in card.modes)]
    shown, others = card.modes[:_MODES], card.modes[_MODES:]
    counted = [(mode.name, tuple(getattr(mode, side) for side in sides)) for mode in shown]
    if others:
        together = tuple(sum(getattr(mode, side) for mode in others) for side in sides)
        counted.append((f"{len(others)} smaller modes", together))
    rows = [
        Row(name, tuple(map(float, counts)), " + ".join(f"{count:,}" for count in counts)) for name, counts in counted
    ]
    legend = [_SIDE_NAMES[_SIDES.index(side)] for side in sides]
    return bars_figure("Rows by failure mode", rows, "", legend)


def versions_figure(history: Sequence[Release]) -> Figure | None:
    """Return rows by version, stacked by side."""
    shown = history[-_VERSIONS:]
    if not shown:
        return None
    counts = [release.manifest.get("rows", {}) for release in shown]
    sides = [side for side in _SIDES if any(count.get(side) for count in counts)]
    layers = [
        Bars(_SIDE_NAMES[_SIDES.index(side)], ink, tuple(float(count.get(side, 0)) for count in counts))
        for ink, side in enumerate(sides)
    ]
    if not layers:
        return None
    axes = Axes("rows", tuple(str(release.version) for release in shown), lambda rows: f"{rows:,.0f}")
    charts = (stacked_bars("Rows by version", axes, layers, width) for width in (WIDE_PX, NARROW_PX))
    left_out = len(history) - len(shown)
    note = (
        f"Rows of the newest {_VERSIONS} versions up to this one."
        if left_out
        else "Rows of all versions up to this one."
    )
    return Figure(note, legend_of([layer.name for layer in layers]), *charts)


def drift_figure(card: Card) -> Figure | None:
    """Return each measured statistic as a share of its threshold, which is the dashed line."""
    rows = [
        Row(words(drift.measure), (ratio,), f"{drift.value:.3g} of {drift.bound:g}", _GOOD if drift.is_kept else _BAD)
        for drift in card.drift
        if (ratio := _ratio(drift)) is not None
    ]
    label = "What was measured as a share of its threshold"
    return bars_figure(label, rows, "Dashed: the threshold of each.", threshold=1.0)


def costs_figure(card: Card) -> Figure | None:
    """Return what a row of the release cost, by route and who wrote it."""
    rows = [
        Row(
            f"route {cost['route']}, by {cost['author_kind']}",
            (cost["cost_usd"] / cost["rows"],),
            f"{dollars(cost['cost_usd'] / cost['rows'])} · {cost['rows']:,} rows",
        )
        for cost in card.costs
        if cost["rows"]
    ]
    return bars_figure(
        "Cost per row", rows, "All that was paid for answers of the kind, divided by the rows they became."
    )


def _ratio(drift: Drift) -> float | None:
    if drift.value is None or drift.bound is None or not is_number(drift.value) or drift.bound <= 0:
        return None
    return drift.value / drift.bound
