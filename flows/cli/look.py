"""Commands that look at the lake: the review queue and the gate."""

from typing import TYPE_CHECKING

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import at_option, fetch, json_option, open_lake

if TYPE_CHECKING:  # heavy, and only named here
    from flywheel.core.moments import Moment

_TABLE_LIMIT = 20  # rows a person looks at; --json and --csv have all

_QUEUE = "select * from open_reviews order by priority desc, example_id limit $limit"
_GATE = """
select * exclude (run_id, gate_id) from gates
where candidate = (select candidate from gates order by checked_at desc, candidate limit 1)
order by is_success, severity, suite, subject, expectation
"""


@click.command(cls=Command)
@json_option
@click.option("--csv", "is_csv", is_flag=True, help="Print CSV that a spreadsheet opens safely.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many; default: 20 in a table, else all.")
@at_option
def queue(is_json: bool, is_csv: bool, limit: int | None, at: "Moment | None") -> None:
    """Show the hard examples that wait for people, most valuable first.

    Answer them in a file and bring it: flywheel correct --answers FILE.

    Example:
      flywheel queue --limit 5
      flywheel queue --csv > to_correct.csv
      flywheel queue --at 2026-03-01
    """
    if is_json and is_csv:
        raise click.UsageError("Choose one of --json and --csv.")
    with open_lake(at) as lake:
        waiting_count = lake.scalar("select count(*) from open_reviews")
        most = limit or (waiting_count if is_json or is_csv else _TABLE_LIMIT)
        rows = fetch(lake, _QUEUE, limit=most)
    columns = ("example_id", "day", "query", "rejected", "reason", "priority", "mode_id")
    if is_json:
        show.print_json(rows)
    elif is_csv:
        show.print_csv(rows, columns, for_spreadsheet=True)
    else:
        show.print_table(rows, columns[:-1], empty="Nothing waits for people.")
        if waiting_count > len(rows):
            click.echo(f"{waiting_count - len(rows)} more wait; --limit shows more, --json and --csv all.")


@click.command(cls=Command)
@json_option
@at_option
def gate(is_json: bool, at: "Moment | None") -> None:
    """Show the promises the last candidate release was held to; broken ones first.

    Example:
      flywheel gate
    """
    with open_lake(at) as lake:
        rows = fetch(lake, _GATE)
    if is_json:
        show.print_json(rows)
        return
    columns = ("is_success", "severity", "suite", "subject", "expectation", "observed", "bound")
    show.print_table(rows, columns, empty="No candidate was checked yet: flywheel publish.")
    broken = [row for row in rows if not row["is_success"]]
    if rows:
        verdict = "refused" if any(row["severity"] == "critical" for row in broken) else "passed"
        click.echo(f"Candidate {rows[0]['candidate'][:12]} of {rows[0]['dataset']!r} {verdict}.")
    for row in broken:
        if row["rows_query"]:
            click.echo(f"Rows that broke {row['subject']}: {show.harmless(row['rows_query'])}")
