"""Print a demo's result in a terminal."""

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from flows.demo.results import DemoResult
from flows.demo.rows import Table, accuracy_table, gsm8k_table, work_table
from flows.demo.wording import (
    Verdict,
    against_random,
    difference_of,
    duration,
    headline,
    percent,
    points,
    safe,
    span,
    words,
)

_STYLES = {
    Verdict.HELPED: "bold green",
    Verdict.UNCLEAR: "bold yellow",
    Verdict.UNCHANGED: "bold yellow",
    Verdict.HURT: "bold red",
}


def print_result(result: DemoResult, console: Console) -> None:
    """Print the tables of the turns, the refused releases, drift, GSM8K and where the report is."""
    _print(console, by_turn(result))
    for refused in result.refused:
        _say(console, f"Refused by the gate {refused.candidate}, {refused.quarantined:,} rows to quarantine:")
        for failed in refused.failed:
            _say(console, f"  - {failed}")
    if result.gsm8k:
        _print(console, gsm8k_table(result.gsm8k))
    _say(console, drift_line(result))
    compared = against_random(result)
    if compared:
        _say(console, compared)
    said = headline(result)
    console.print(Text(said.text, _STYLES[said.verdict]))
    _say(console, f"Data: {result.data}. Took {duration(result.seconds)}.")
    _say(console, f"Report: {result.report}")


def by_turn(result: DemoResult) -> Table:
    """Return both tables of the turns as one with a column per turn: it fits a terminal of 80 columns."""
    sides = (work_table(result), accuracy_table(result))
    rows = [
        (name, *(row[place] for row in table.rows))
        for table in sides
        for place, name in enumerate(table.head)
        if name not in ("Turn", "Decision", "Points (95 % interval)", "Random examples", "Days")
    ]
    outcomes = [
        ("Difference, points", *(points(difference_of(turn)) for turn in result.turns)),
        ("95 % interval", *(span(turn.difference_low, turn.difference_high) for turn in result.turns)),
        ("Random examples", *(percent(turn.accuracy) for turn in result.random_turns)),
        ("Decision", *("✓ promoted" if turn.promoted else f"✗ {words(turn.reason)}" for turn in result.turns)),
    ]
    head = ("", *(f"Turn {turn.turn}" for turn in result.turns))
    return Table("The turns of the wheel", head, (*rows, *outcomes), ("",))


def drift_line(result: DemoResult) -> str:
    """Return which days drifted, in which columns, in one sentence."""
    found = [day for day in result.drift if day.verdict == "drift"]
    if not found:
        return f"Drift: none on {len(result.drift)} days."
    days = "; ".join(
        f"{day.day}{' (new intents start)' if day.is_new_intents_day else ''} in {', '.join(day.columns)}"
        for day in found
    )
    return f"Drift on {len(found)} of {len(result.drift)} days: {days}."


def _say(console: Console, text: str) -> None:
    console.print(Text(safe(text)), soft_wrap=True)


def _print(console: Console, table: Table) -> None:
    drawn = RichTable(title=Text(table.caption, "bold"), title_justify="left", box=box.SIMPLE_HEAD)
    for place, name in enumerate(table.head):
        drawn.add_column(Text(name), justify="right" if table.is_number(place) else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(safe(cell)) for cell in row))
    console.print(drawn)
