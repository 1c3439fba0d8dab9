"""`flywheel modes`: the kinds of mistakes of a day, ranked; one of them in detail; all of them as a page."""

from datetime import date
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import click

from flows.cli import show
from flows.cli.commands import Command, Group
from flows.cli.opened import at_option, day_option, json_option, open_lake

if TYPE_CHECKING:  # heavy, and only named here
    from flywheel.core.lake import Lake
    from flywheel.core.moments import Moment

_REPORT = "modes.html"
_COLUMNS = (
    "rank",
    "mode",
    "name",
    "status",
    "size",
    "days",
    "trend",
    "of_traces",
    "signals",
    "example",
)
_DAYS_SHOWN = 14


@click.group("modes", cls=Group, invoke_without_command=True)
@day_option
@json_option
@click.option(
    "--report", is_flag=False, flag_value=_REPORT, type=click.Path(dir_okay=False), metavar="[FILE]",
    help=f"Write a page that shows all of it; default: {_REPORT}.",
)  # fmt: skip
@at_option
@click.pass_context
def modes(context: click.Context, day: date | None, is_json: bool, report: str | None, at: "Moment | None") -> None:
    """Show a day's failure modes, the most worth working on first.

    of_traces is the expected share of all traces, with its 95 % interval; days the failures of each day; trend today
    against the mean of earlier days. Modes are ranked by the lower bound of prevalence x severity x fixability.

    Example:
      flywheel modes --day 2026-03-01
      flywheel modes --report modes.html
    """
    if context.invoked_subcommand is not None:
        if at is not None:
            raise click.UsageError("Write --at after `show`: flywheel modes show MODE_ID --at ...")
        return
    from flows.modes_report.rows import views_of

    with open_lake(at) as lake:
        rows = _rows(lake, day)
        views = [] if is_json and not report else views_of(lake, rows)
    if report:
        _write(Path(report), rows, views)
    if is_json:
        show.print_json(rows)
    elif not report:
        show.print_table(
            [_line(view) for view in views],
            _COLUMNS,
            empty=f"No failure modes{f' on {day}' if day else ''}: mine first (flywheel mine).",
        )


@modes.command("show", cls=Command)
@click.argument("mode_id")
@day_option
@json_option
@at_option
def show_mode(mode_id: str, day: date | None, is_json: bool, at: "Moment | None") -> None:
    """Show one mode: its pattern, its days, and examples with the line of the log each came from.

    MODE_ID may be its first characters, as the table of modes has them.

    Example:
      flywheel modes show 3f2a91c0
      flywheel modes show 3f2a91c0 --at release:3
    """
    from flows.modes_report.rows import views_of

    with open_lake(at) as lake:
        found = [row for row in _rows(lake, day, mode_id) if row["mode_id"].startswith(mode_id)]
        if len(found) != 1:
            raise click.UsageError(
                f"{len(found)} modes of the day begin with {mode_id!r}; expected one that `flywheel modes` lists."
            )
        (view,) = views_of(lake, found[:1])
    if is_json:
        show.print_json(view.row | {"days": view.days, "examples": view.examples})
        return
    _print_mode(view)


def _print_mode(view: Any) -> None:
    row = view.row
    click.echo(show.harmless(f"{row['name']}  ({row['mode_id']}, {row['status']} since {row['first_seen']})"))
    click.echo(show.harmless(" ".join(row["description"].split())))
    click.echo(f"{_line(view)['of_traces']} of traces; signals: {show.readable(row['signals'])}\n")
    show.print_table(
        view.days, ("day", "size", "prevalence", "prevalence_low", "prevalence_high", "status"), empty="No days."
    )
    click.echo("")
    # the name is enough to find it by, and a path would be folded in the middle; --json has all of it
    examples = [
        example | {"log": f"{PurePath(example['source_file'] or '').name}:{example['source_line']}"}
        for example in view.examples
    ]
    show.print_table(
        examples, ("query", "output", "signals", "p_failure", "log"), empty="No examples: it was not met."
    )


def _rows(lake: "Lake", day: date | None, mode_id: str | None = None) -> list[dict[str, Any]]:
    """Return the modes of the day asked for, else of the newest day there are modes of, or that this one was met."""
    from flows.modes_report.rows import modes_of

    if day is None:
        day = lake.scalar(
            "select max(day) from failure_modes where $mode is null or (starts_with(mode_id, $mode) and size > 0)",
            mode=mode_id,
        )
    return modes_of(lake, day)


def _line(view: Any) -> dict[str, Any]:
    from flows.modes_report.page import arrow
    from flows.modes_report.rows import sparkline

    row = view.row
    low, share, high = (row[key] or 0.0 for key in ("prevalence_low", "prevalence", "prevalence_high"))
    return {
        **row,
        "mode": row["mode_id"][:8],
        "days": sparkline([one["size"] for one in view.days][-_DAYS_SHOWN:]),
        "trend": arrow(row["trend"]),
        "of_traces": f"{share:.1%} ({low:.1%}-{high:.1%})" if row["prevalence"] is not None else None,
        "signals": (row["signals"] or [])[:3],
        "example": show.readable(view.examples[0]["query"])[:60] if view.examples else None,
    }


def _write(path: Path, rows: list[dict[str, Any]], views: Any) -> None:
    from flows.modes_report.page import write_page

    if not rows:
        raise click.UsageError("There are no failure modes to report on: mine first (flywheel mine).")
    write_page(path, rows[0]["day"], views)
    click.echo(f"Wrote {path}.", err=True)
