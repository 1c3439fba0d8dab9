"""Which chart shows which rows of a demo; each is drawn twice, for a wide and for a narrow page."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from flows.demo.axes import Axes, Mark
from flows.demo.charts import Bars, Line, Point, line_chart, shape, share_bars, stacked_bars
from flows.demo.results import DemoResult, DriftValue, Gsm8kResult, ReportSeries, Turn
from flows.demo.svg import tag
from flows.demo.wording import dollars, is_number, percent, percent_with_interval, shortened

WIDE_PX, NARROW_PX = 880, 350
PEOPLE, MODELS = "people", "models"
_OTHER_INK = 6  # grey
_SHOWN = 6  # colours that people with any colour vision tell apart
_LEGEND_CHARACTERS = 60
_PRODUCTION, _CANDIDATE, _RANDOM = 6, 0, 1


@dataclass(frozen=True, slots=True)
class Key:
    """One line of a legend."""

    name: str
    swatch: Markup


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its legend, and a note that says how to read it."""

    note: str
    legend: tuple[Key, ...]
    wide: Markup
    narrow: Markup


def who_paid(who: str) -> str:
    """Return people or models for human or ai."""
    return {"human": PEOPLE, "ai": MODELS}.get(who, who)


def new_intents_day(result: DemoResult) -> str | None:
    """Return the day on which customers start to ask about new intents."""
    return next((day.day for day in result.drift if day.is_new_intents_day), None)


def accuracy_figure(result: DemoResult) -> Figure | None:
    """Return accuracy per turn: production, candidate, and the same budget spent at random."""
    if not result.turns:
        return None
    production = [_point(turn, turn.production_accuracy, "production") for turn in result.turns]
    candidate = [_candidate(turn) for turn in result.turns if turn.candidate_accuracy is not None]
    random = [
        Point(
            f"turn {turn.turn}",
            turn.accuracy,
            f"turn {turn.turn}: random examples {percent_with_interval(turn)}",
            turn.low,
            turn.high,
        )
        for turn in result.random_turns
    ]
    drawn = [
        Line("production", _PRODUCTION, tuple(production)),
        Line("candidate, trained on hard examples", _CANDIDATE, tuple(candidate)),
        Line("same budget, random examples", _RANDOM, tuple(random)),
    ]
    lines = [line for line in drawn if line.points]
    turns = sorted({turn.turn for turn in result.turns} | {turn.turn for turn in result.random_turns})
    axes = Axes("share of test queries answered right", tuple(f"turn {turn}" for turn in turns), _short_percent)
    said = "; ".join(point.text for line in lines for point in line.points)
    note = (
        "Bands and whiskers are 95 % intervals. The candidate's is that of its difference to production on the same "
        "queries, drawn around production: where it reaches down to the grey triangle, the two cannot be told apart. "
        "A hollow candidate was not promoted."
    )
    return _figure(lambda width: line_chart(f"Accuracy per turn. {said}", axes, lines, width), note, _points(lines))


def modes_figure(result: DemoResult, series: ReportSeries) -> Figure | None:
    """Return failures per day, stacked by mode; the smaller modes are one layer."""
    sizes: Counter[str] = Counter()
    cells: Counter[tuple[str, str]] = Counter()
    for row in series.modes_by_day:
        sizes[row.name] += row.size
        cells[row.day, row.name] += row.size
    if not sum(sizes.values()):
        return None
    days = tuple(sorted({row.day for row in series.modes_by_day}))
    named = [name for name, _ in sizes.most_common(_SHOWN)]
    layers = [
        Bars(shortened(name, _LEGEND_CHARACTERS), ink, tuple(float(cells[day, name]) for day in days))
        for ink, name in enumerate(named)
    ]
    others = [name for name in sizes if name not in named]
    if others:
        values = tuple(float(sum(cells[day, name] for name in others)) for day in days)
        layers.append(Bars(f"{len(others)} smaller modes", _OTHER_INK, values))
    axes = Axes("failures", days, lambda value: f"{value:,g}", _marks(result))
    label = "Failures per day, stacked by failure mode. " + "; ".join(
        f"{layer.name}: {', '.join(f'{value:g}' for value in layer.values)}" for layer in layers
    )
    return _figure(lambda width: stacked_bars(label, axes, layers, width), "", _squares(layers))


def drift_figure(result: DemoResult, series: ReportSeries) -> Figure | None:
    """Return each watched column's statistic as a multiple of its bound, per day."""
    measured = [(row, ratio) for row in series.drift_by_day if (ratio := _ratio(row)) is not None]
    if not measured:
        return None
    days = sorted({row.day for row, _ in measured} | {day.day for day in result.drift})
    peaks: dict[str, float] = {}
    for row, ratio in measured:
        peaks[row.column] = max(ratio, peaks.get(row.column, 0.0))
    order = sorted(peaks, key=lambda column: (-peaks[column], column))
    lines = [
        Line(
            column,
            min(place, _OTHER_INK),
            tuple(_drift_point(row, ratio) for row, ratio in sorted(measured, key=_by_day) if row.column == column),
        )
        for place, column in enumerate(order)
    ]
    axes = Axes("times the bound (dashed)", tuple(days), lambda v: f"{v:g}", _marks(result), bound=1.0)
    found = [
        f"{row.column} on {row.day} {ratio:.1f} times its bound" for row, ratio in measured if row.verdict == "drift"
    ]
    label = f"Drift per day. {'; '.join(found) or 'No column drifted'}"
    note = (
        "Filled points are drift, hollow ones are not: the statistic has to be beyond its bound, and unlikely by "
        "chance after correcting for the number of columns."
    )
    return _figure(lambda width: line_chart(label, axes, lines, width), note, _points(lines))


def cost_figure(series: ReportSeries) -> Figure | None:
    """Return what every turn cost, people and models stacked."""
    paid: defaultdict[tuple[int, str], float] = defaultdict(float)
    for row in series.cost_by_turn:
        paid[row.turn, who_paid(row.who)] += row.cost_usd
    if not any(amount > 0 for amount in paid.values()):
        return None
    turns = sorted({turn for turn, _ in paid})
    payees = sorted({who for _, who in paid}, key=lambda who: (who != PEOPLE, who))
    layers = [Bars(who, ink, tuple(paid[turn, who] for turn in turns)) for ink, who in enumerate(payees)]
    axes = Axes("US dollars", tuple(f"turn {turn}" for turn in turns), dollars)
    label = "Cost per turn. " + "; ".join(
        f"turn {turn}: {', '.join(f'{who} {dollars(paid[turn, who])}' for who in payees)}" for turn in turns
    )
    return _figure(lambda width: stacked_bars(label, axes, layers, width), "", _squares(layers))


def gsm8k_figure(found: Gsm8kResult) -> Figure:
    """Return precision and recall of each signal and of all combined."""
    scores = [*found.signals, found.combined]
    layers = [
        Bars("precision", 0, tuple(score.precision or 0.0 for score in scores)),
        Bars("recall", 1, tuple(score.recall or 0.0 for score in scores)),
    ]
    axes = Axes("", tuple(score.signal for score in scores), percent)
    label = "Precision and recall per signal. " + "; ".join(
        f"{score.signal}: precision {percent(score.precision)}, recall {percent(score.recall)}" for score in scores
    )
    return _figure(lambda width: share_bars(label, axes, layers, width), "", _squares(layers))


def _figure(draw: Callable[[int], Markup], note: str, legend: tuple[Key, ...]) -> Figure:
    return Figure(note, legend, draw(WIDE_PX), draw(NARROW_PX))


def _point(turn: Turn, value: float, name: str) -> Point:
    return Point(f"turn {turn.turn}", value, f"turn {turn.turn}: {name} {percent(value)}")


def _candidate(turn: Turn) -> Point:
    value = turn.candidate_accuracy or 0.0
    low, high = turn.difference_low, turn.difference_high
    state = "promoted" if turn.promoted else "not promoted"
    return Point(
        f"turn {turn.turn}",
        value,
        f"turn {turn.turn}: candidate {percent(value)}, {state}",
        max(0.0, turn.production_accuracy + low) if low is not None and is_number(low) else None,
        min(1.0, turn.production_accuracy + high) if high is not None and is_number(high) else None,
        is_hollow=not turn.promoted,
    )


def _ratio(row: DriftValue) -> float | None:
    if row.value is None or row.bound is None or not is_number(row.value) or not row.bound > 0:
        return None
    return row.value / row.bound


def _drift_point(row: DriftValue, ratio: float) -> Point:
    text = f"{row.day}: {row.column} {ratio:.2f} times its bound, {row.verdict}"
    return Point(row.day, ratio, text, is_hollow=row.verdict != "drift")


def _by_day(measured: tuple[DriftValue, float]) -> str:
    return measured[0].day


def _marks(result: DemoResult) -> tuple[Mark, ...]:
    day = new_intents_day(result)
    return (Mark(day, "new intents start"),) if day else ()


def _short_percent(share: float) -> str:
    return f"{100 * share:g} %"


def _points(lines: Sequence[Line]) -> tuple[Key, ...]:
    return tuple(Key(line.name, _swatch(shape(line.ink, 8, 8))) for line in lines)


def _squares(layers: Sequence[Bars]) -> tuple[Key, ...]:
    return tuple(
        Key(layer.name, _swatch(tag("rect", x=2, y=2, width=12, height=12, class_=f"bar ink{layer.ink}")))
        for layer in layers
    )


def _swatch(drawn: Markup) -> Markup:
    return tag("svg", drawn, viewBox="0 0 16 16", class_="swatch", aria_hidden="true")
