"""Print a demo's result in a terminal."""

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from flows.demo.results import DemoResult
from flows.demo.rows import Table, accuracy_table, gsm8k_table, refused_table, work_table
from flows.demo.wording import Verdict, against_random, duration, headline, safe

_STYLES = {
    Verdict.HELPED: "bold green",
    Verdict.UNCLEAR: "bold yellow",
    Verdict.UNCHANGED: "bold yellow",
    Verdict.HURT: "bold red",
}


def print_result(result: DemoResult, console: Console) -> None:
    """Print the tables of the turns, the refused releases, drift, GSM8K and where the report is."""
    _print(console, work_table(result))
    _print(console, accuracy_table(result))
    if result.refused:
        _print(console, refused_table(result))
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
