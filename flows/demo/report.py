"""Write the demo's report: one HTML file that loads nothing, with its style and its charts inside."""

from dataclasses import dataclass
from pathlib import Path

from flows.demo import figures, rows
from flows.demo.figures import Figure
from flows.demo.results import DemoResult, ReportSeries
from flows.demo.rows import Table
from flows.demo.table import drift_line
from flows.demo.wording import against_random, dollars, duration, headline, percent
from flows.pages import page_templates, write_whole


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that matters, and what it is."""

    value: str
    name: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report: a chart, the table with its numbers, and larger tables to unfold."""

    anchor: str
    title: str
    text: str
    figure: Figure | None
    tables: tuple[Table, ...]
    folded: tuple[Table, ...] = ()


def write_report(path: Path, result: DemoResult, series: ReportSeries) -> None:
    """Write the report to `path`; a reader sees the whole of it or the one before."""
    write_whole(path, render_report(result, series))


def render_report(result: DemoResult, series: ReportSeries) -> str:
    """Return the report as HTML. Everything that came from logs is escaped."""
    environment = page_templates(Path(__file__).parent)
    return environment.get_template("report.html.j2").render(
        result=result,
        headline=headline(result),
        compared=against_random(result),
        tiles=_tiles(result),
        sections=_sections(result, series),
        took=duration(result.seconds),
    )


def _tiles(result: DemoResult) -> list[Tile]:
    people = sum(turn.corrections_human for turn in result.turns)
    models = sum(turn.corrections_ai for turn in result.turns)
    cost = sum(turn.cost_usd for turn in result.turns)
    failures = sum(turn.failures for turn in result.turns)
    return [
        Tile(f"{sum(turn.traces for turn in result.turns):,}", f"traces, {failures:,} of them mined as failures"),
        Tile(f"{people + models:,}", f"corrections: {people:,} by people, {models:,} by models"),
        Tile(dollars(cost), "spent on all turns"),
        Tile(f"{sum(turn.promoted for turn in result.turns)} of {len(result.turns)}", "candidates promoted"),
        Tile(f"{len(result.refused):,}", "candidate releases refused by the gate"),
    ]


def _sections(result: DemoResult, series: ReportSeries) -> list[Section]:
    return [
        Section(
            "accuracy",
            "Accuracy per turn",
            "Did the candidate trained on the turn's corrections beat production, and did hard examples beat random "
            "ones that cost the same?",
            figures.accuracy_figure(result),
            (rows.accuracy_table(result), rows.work_table(result)),
            (rows.models_table(result),),
        ),
        Section(
            "modes",
            "Failure modes over time",
            "Failures are grouped into kinds of mistakes that keep their name from day to day.",
            figures.modes_figure(result, series),
            (rows.modes_table(series),),
            (rows.modes_by_day_table(series),),
        ),
        Section(
            "drift",
            "Drift",
            drift_line(result),
            figures.drift_figure(result, series),
            (rows.drift_table(result),),
            (rows.drift_values_table(series),),
        ),
        Section(
            "cost",
            "Cost",
            "What people and models were paid, and what one correction that was accepted cost.",
            figures.cost_figure(series),
            (rows.cost_table(result, series),),
        ),
        _refused(result),
        _gsm8k(result),
    ]


def _refused(result: DemoResult) -> Section:
    text = "What the gate refused was not published; its rows are in quarantine."
    if not result.refused:
        text = "The gate refused no candidate release."
    return Section("refused", "Refused releases", text, None, (rows.refused_table(result),))


def _gsm8k(result: DemoResult) -> Section:
    found = result.gsm8k
    title = "Finding real failures: GSM8K"
    if found is None:
        return Section("gsm8k", title, "Not measured: the data set was not at hand.", None, ())
    text = (
        f"{found.traces:,} published solutions of real models, {found.failures:,} of them wrong "
        f"({percent(found.failures / max(found.traces, 1))}). Flywheel mined them without the answer key; precision "
        "is the share of what was flagged that is wrong, recall the share of what is wrong that was flagged."
    )
    return Section("gsm8k", title, text, figures.gsm8k_figure(found), (rows.gsm8k_table(found),))
