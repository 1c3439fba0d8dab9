"""`flywheel hard-examples`: what a day chose, and why."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import at_option, day_option, fetch, json_option, open_lake

if TYPE_CHECKING:  # heavy, and only named here
    from flywheel.core.moments import Moment

_TABLE_LIMIT = 20  # rows a person looks at; --json has all
_EXAMPLES = """
select
    examples.purpose, examples.rank, examples.example_id, modes.name as mode, examples.hardness, examples.p_failure,
    examples.confidence, examples.disagreement, examples.novelty, examples.represents, examples.nearest,
    examples.reason as doubt, routes.route, routes.reason, failures.signals, traces.query, traces.output,
    examples.trace_id, examples.mode_id, examples.day
from hard_examples as examples
inner join traces on examples.trace_id = traces.trace_id and examples.day = traces.day
left join failures on examples.trace_id = failures.trace_id and examples.day = failures.day
left join failure_modes as modes on examples.mode_id = modes.mode_id and examples.day = modes.day
left join routes on examples.example_id = routes.example_id and examples.day = routes.day
where examples.day = $day
order by list_position(['hard', 'relabel', 'audit'], examples.purpose), examples.rank
"""
_NEWEST = "select max(day) as day from hard_examples"
_PARTS = ("p_failure", "confidence", "disagreement", "novelty", "represents", "nearest")
_SHOWN = {
    "hard": ("To correct", ("rank", "mode", "hardness", *_PARTS, "route", "reason", "query", "output")),
    "relabel": (
        "To look at again: perhaps no failure, never learned from",
        ("rank", "doubt", "p_failure", "confidence", "mode", "route", "query", "output"),
    ),
    "audit": ("Random audits: only measured with", ("rank", "p_failure", "mode", "route", "query", "output")),
}


@click.command("hard-examples", cls=Command)
@day_option
@click.option(
    "--limit", type=click.IntRange(min=1), help="At most so many of each kind; default: 20 in a table, else all."
)
@json_option
@at_option
def hard_examples(day: date | None, limit: int | None, is_json: bool, at: "Moment | None") -> None:
    """Show what a day chose for correction, why, and who gets it; what to look at again and random audits apart.

    hardness: p_failure (how surely it failed) and 1 - confidence or disagreement (how unsure the answer was).
    novelty: 1 for the first failure of its mode. represents: near-duplicates it stands for. nearest: distance to the
    nearest example chosen before it, 1 = nothing like it. doubt: why a failure may be none.

    Example:
      flywheel hard-examples --limit 10
    """
    with open_lake(at) as lake:
        rows = fetch(lake, _EXAMPLES, day=day or fetch(lake, _NEWEST)[0]["day"])
    if is_json:
        show.print_json([row for purpose in _SHOWN for row in _of(rows, purpose)[:limit]])
        return
    if not rows:
        click.echo("No hard examples: mine first (flywheel mine).")
    for purpose, (title, columns) in _SHOWN.items():
        _print_part(_of(rows, purpose), title, columns, limit or _TABLE_LIMIT)


def _of(rows: Sequence[dict[str, Any]], purpose: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["purpose"] == purpose]


def _print_part(rows: Sequence[dict[str, Any]], title: str, columns: Sequence[str], limit: int) -> None:
    if not rows:
        return
    click.echo(f"{title} ({len(rows)})")
    show.print_table(rows[:limit], columns, empty="")
    if len(rows) > limit:
        click.echo(f"{len(rows) - limit} more; --limit shows more, --json all.")
    click.echo()
