"""Print rows as a table, as JSON or as CSV, and tell on stderr what long work is at.

Text from logs is data: control characters never reach the terminal, markup in it is not markup.
"""

import csv
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TextIO

import click

Row = Mapping[str, Any]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_LONGEST_CELL = 160  # characters; --json has them all
_MOST_ROWS = 500  # of a table; more is not read but piped
_PIPE_WIDTH = 160  # columns where there is no terminal to ask
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def as_json(value: Any) -> str:
    """Return JSON with dates in ISO form; NaN and infinities, which JSON does not know, become null."""
    return json.dumps(_plain(value), ensure_ascii=False, indent=2)


def _plain(value: Any) -> Any:
    """Return a value in what JSON has: numbers stay numbers, everything else it lacks becomes text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return _as_text(value)


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(as_json(value))


def print_csv(rows: Sequence[Row], columns: Sequence[str], *, for_spreadsheet: bool = False) -> None:
    """Print rows as CSV with a header; a spreadsheet must not take text from a log for a formula."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_csv_cell(row[column], for_spreadsheet) for column in columns])


def _csv_cell(value: Any, for_spreadsheet: bool) -> Any:
    if isinstance(value, dict | list):
        return as_json(value)
    if for_spreadsheet and isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value if value is None or isinstance(value, str | int | float) else _as_text(value)


def print_table(rows: Sequence[Row], columns: Sequence[str], *, empty: str) -> None:
    """Print rows as a table, or the sentence for when there are none."""
    if not rows:
        click.echo(empty)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        is_number = all(isinstance(row[column], int | float | None) for row in rows)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows[:_MOST_ROWS]:
        table.add_row(*[readable(row[column]) for column in columns])
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    Console(markup=False, highlight=False, emoji=False, width=width).print(table)
    if len(rows) > _MOST_ROWS:
        click.echo(f"... and {len(rows) - _MOST_ROWS} more rows; --json prints them all.")


def readable(value: Any) -> str:
    """Return one cell: short, on one line, without control characters."""
    if value is None or value != value:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{readable(key)} {readable(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(readable(item) for item in value)
    text = harmless(" ".join(str(value).split()))
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def harmless(text: str) -> str:
    """Return text that cannot move the cursor, change colours or turn the writing direction."""
    return _CONTROL.sub("�", text)


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Show what is going on while it does; yields a function that tells the next step.

    On a terminal that is a spinner; otherwise one line per step. It keeps its own way to stderr, because the
    temporary Prefect server is started with stderr turned away.
    """
    with os.fdopen(os.dup(2), "w") as stream:
        if not stream.isatty():
            tell = _line_teller(stream)
            tell(what)
            yield tell
            return
        from rich.console import Console

        console = Console(file=stream, markup=False, emoji=False)
        with console.status(what) as status:
            yield status.update


def _line_teller(stream: TextIO) -> Callable[[str], None]:
    def tell(step: str) -> None:
        stream.write(f"{step} ...\n")
        stream.flush()

    return tell
