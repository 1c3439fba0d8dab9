"""The demo's numbers as tables of text, for the report and for the terminal."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from flows.demo.figures import MODELS, PEOPLE, who_paid
from flows.demo.results import DemoResult, Gsm8kResult, RandomTurn, ReportSeries, SignalScore, Turn
from flows.demo.wording import (
    MISSING,
    difference_of,
    dollars,
    percent,
    percent_with_interval,
    points,
    shortened,
    span,
    words,
)

_EXAMPLE_CHARACTERS = 240
_SCORED = "Found without the answer key, scored with it"


@dataclass(frozen=True, slots=True)
class Table:
    """A caption, column names and rows of text; columns not named in `prose` are numbers, set flush right."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    prose: tuple[str, ...]

    def is_number(self, place: int) -> bool:
        """Return whether the column holds numbers."""
        return self.head[place] not in self.prose


def work_table(result: DemoResult) -> Table:
    """Return what went into each turn."""
    counted = ("Traces", "Failures", "Modes", "Hard examples", "By people", "By models", "Release")
    head = ("Turn", "Days", *counted, "Cost", "Per correction")
    return Table("What went in", head, tuple(_work(turn) for turn in result.turns), ("Turn", "Days"))


def _work(turn: Turn) -> tuple[str, ...]:
    counts = (turn.traces, turn.failures, turn.modes, turn.hard_examples, turn.corrections_human, turn.corrections_ai)
    return (
        str(turn.turn),
        " to ".join(dict.fromkeys(turn.days)),
        *(f"{count:,}" for count in counts),
        MISSING if turn.release is None else str(turn.release),
        dollars(turn.cost_usd),
        dollars(turn.cost_per_accepted_usd),
    )


def accuracy_table(result: DemoResult) -> Table:
    """Return what came out of each turn: accuracies, their difference, and the decision."""
    random = {turn.turn: turn for turn in result.random_turns}
    has_heldout = any(turn.production_heldout is not None for turn in result.turns)
    head = ("Turn", "Decision", "Production", "Candidate", "Points (95 % interval)", "Random examples")
    rows = tuple(
        (*_outcome(turn, random.get(turn.turn)), *(_heldout(turn) if has_heldout else ())) for turn in result.turns
    )
    return Table(
        "What came out", head + (("On held-out failures",) if has_heldout else ()), rows, ("Turn", "Decision")
    )


def _outcome(turn: Turn, random: RandomTurn | None) -> tuple[str, ...]:
    return (
        str(turn.turn),
        f"{'✓ promoted' if turn.promoted else '✗ refused'}: {words(turn.reason)}",
        percent(turn.production_accuracy),
        percent(turn.candidate_accuracy),
        MISSING
        if turn.candidate_accuracy is None
        else f"{points(difference_of(turn))} ({span(turn.difference_low, turn.difference_high)})",
        percent(turn.random_accuracy) if random is None else percent_with_interval(random),
    )


def _heldout(turn: Turn) -> tuple[str, ...]:
    return (f"{percent(turn.production_heldout)} → {percent(turn.candidate_heldout)}",)


def models_table(result: DemoResult) -> Table:
    """Return which models each turn compared."""
    rows = tuple((str(t.turn), t.production_model, t.candidate_model or MISSING) for t in result.turns)
    head = ("Turn", "Production", "Candidate")
    return Table("Which models", head, rows, prose=head)


def modes_table(series: ReportSeries) -> Table:
    """Return the largest failure modes, each with an example."""
    rows = tuple(
        (
            mode.name,
            f"{mode.size:,}",
            MISSING if mode.trend is None else f"{mode.trend:.1f}×",
            mode.status,
            shortened(mode.example, _EXAMPLE_CHARACTERS),
        )
        for mode in series.top_modes
    )
    head = ("Mode", "Failures", "Trend", "Status", "For example")
    return Table("Largest failure modes", head, rows, prose=("Mode", "Status", "For example"))


def modes_by_day_table(series: ReportSeries) -> Table:
    """Return failures per mode and day."""
    days = sorted({row.day for row in series.modes_by_day})
    cells: dict[str, Counter[str]] = defaultdict(Counter)
    for row in series.modes_by_day:
        cells[row.name][row.day] += row.size
    order = sorted(cells, key=lambda name: (-cells[name].total(), name))
    rows = tuple((name, *(f"{cells[name][day]:,}" for day in days)) for name in order)
    return Table("Failures per mode and day", ("Mode", *days), rows, ("Mode",))


def drift_table(result: DemoResult) -> Table:
    """Return what the watch said about each day."""
    rows = tuple(
        (
            f"{day.day} (new intents start)" if day.is_new_intents_day else day.day,
            f"{'▲ ' if day.verdict == 'drift' else ''}{day.verdict}",
            ", ".join(column for column in day.columns) or MISSING,
            day.explanation or MISSING,
        )
        for day in result.drift
    )
    head = ("Day", "Verdict", "Columns", "What moved")
    return Table("What the watch said", head, rows, prose=head)


def drift_values_table(series: ReportSeries) -> Table:
    """Return every statistic and its bound."""
    columns = sorted({row.column for row in series.drift_by_day})
    cells = {(row.day, row.column): row for row in series.drift_by_day}
    rows = []
    for day in sorted({row.day for row in series.drift_by_day}):
        held = [cells.get((day, column)) for column in columns]
        rows.append((day, *(MISSING if row is None else _value(row.value, row.bound, row.verdict) for row in held)))
    head = ("Day", *(column for column in columns))
    return Table("Statistic / bound, per column and day", head, tuple(rows), ("Day",))


def _value(value: float | None, bound: float | None, verdict: str) -> str:
    numbers = " / ".join(
        MISSING if number is None or number != number else f"{number:.3f}" for number in (value, bound)
    )
    return f"▲ {numbers}" if verdict == "drift" else numbers


def cost_table(result: DemoResult, series: ReportSeries) -> Table:
    """Return what people and models cost each turn, in all and per correction that was accepted."""
    paid: dict[tuple[int, str], float] = defaultdict(float)
    for row in series.cost_by_turn:
        paid[row.turn, who_paid(row.who)] += row.cost_usd
    rows = []
    for turn in result.turns:
        people, models = paid.get((turn.turn, PEOPLE)), paid.get((turn.turn, MODELS))
        parts = (people, turn.corrections_human), (models, turn.corrections_ai)
        cells = [cell for cost, accepted in parts for cell in (dollars(cost), f"{accepted:,}", _each(cost, accepted))]
        rows.append((str(turn.turn), *cells, dollars(turn.cost_usd), dollars(turn.cost_per_accepted_usd)))
    head = ("Turn", "People", "Accepted", "Each", "Models", "Accepted", "Each", "Turn in all", "Per correction")
    return Table("Cost, and cost per accepted correction", head, tuple(rows), ("Turn",))


def _each(cost: float | None, accepted: int) -> str:
    return dollars(cost / accepted) if cost is not None and accepted else MISSING


def gsm8k_table(found: Gsm8kResult) -> Table:
    """Return how well each signal, and all of them combined, find the failures there are."""
    head = ("Signal", "Fired", "Precision", "Recall")
    combined = f"all combined, p_failure ≥ {found.threshold:g}"
    rows = tuple(_score(score, score.signal) for score in found.signals)
    return Table(_SCORED, head, (*rows, _score(found.combined, combined)), ("Signal",))


def _score(score: SignalScore, name: str) -> tuple[str, ...]:
    return name, f"{score.fired:,}", percent(score.precision), percent(score.recall)


def refused_table(result: DemoResult) -> Table:
    """Return which candidate releases the gate refused, and why."""
    rows = tuple(
        (
            refused.candidate,
            ", ".join(name for name in refused.failed) or MISSING,
            f"{refused.quarantined:,}",
            refused.alert,
        )
        for refused in result.refused
    )
    head = ("Candidate", "Failed expectations", "Quarantined", "Alert")
    return Table("Refused by the gate", head, rows, prose=("Candidate", "Failed expectations", "Alert"))
