"""Commands that show what was refused anywhere, and why."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from flows.cli import show
from flows.cli.commands import Group
from flows.cli.opened import at_option, fetch, json_option, open_lake

if TYPE_CHECKING:  # heavy, and only named here
    from flywheel.core.moments import Moment

_LIST = """
select
    table_name, reason, count(*) filter (where resolved_at is null) as row_count,
    count(*) filter (where resolved_at is not null) as resolved_count, min(day) as first_day, max(day) as last_day
from quarantine where $reason is null or reason = $reason
group by table_name, reason order by row_count desc, table_name, reason
"""
_SHOW = """
select * exclude (run_id) from quarantine
where ($reason is null or reason = $reason) and ($id is null or starts_with(quarantine_id, $id))
order by quarantined_at desc, source_file, source_line, quarantine_id
"""
_reason_option = click.option("--reason", help="Only what was refused for this reason.")


@click.group(cls=Group)
def quarantine() -> None:
    """Show what was refused anywhere, and why: lines of logs, answers, rows of a refused release; try logs again.

    Example:
      flywheel quarantine list
      flywheel quarantine show --reason invalid_json
      flywheel quarantine retry
    """


@quarantine.command("list")
@_reason_option
@json_option
@at_option
def list_reasons(reason: str | None, is_json: bool, at: "Moment | None") -> None:
    """Count what is refused, and what was and landed later, by table and reason.

    Example:
      flywheel quarantine list --json
    """
    with open_lake(at) as lake:
        rows = fetch(lake, _LIST, reason=reason)
    if is_json:
        show.print_json(rows)
        return
    columns = ("table_name", "reason", "row_count", "resolved_count", "first_day", "last_day")
    show.print_table(rows, columns, empty="Nothing is in quarantine.")


@quarantine.command("show")
@click.argument("quarantine_id", required=False)
@_reason_option
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many rows.")
@json_option
@at_option
def show_rows(quarantine_id: str | None, reason: str | None, limit: int, is_json: bool, at: "Moment | None") -> None:
    """Show what was refused, newest first; QUARANTINE_ID, or its beginning, picks one.

    Example:
      flywheel quarantine show --reason clock_in_the_future --limit 5
      flywheel quarantine show 9f86d081 --json
    """
    with open_lake(at) as lake:
        rows = fetch(lake, _SHOW, reason=reason, id=quarantine_id)
    if is_json:
        show.print_json(rows[:limit])
        return
    columns = ("quarantine_id", "day", "table_name", "reason", "detail", "source_file", "source_line", "raw")
    show.print_table(rows[:limit], columns, empty="Nothing in quarantine fits that.")
    if len(rows) > limit:
        click.echo(f"{len(rows) - limit} more; --limit shows more.")


@quarantine.command("retry")
@click.argument("quarantine_id", required=False)
@_reason_option
@json_option
def retry_rows(quarantine_id: str | None, reason: str | None, is_json: bool) -> None:
    """Read refused records of logs again where they stand: after a fix in the log, a new format, a changed mapping.

    What lands now is marked as resolved and kept; what is refused again stays. QUARANTINE_ID, or its beginning, picks
    one.

    Example:
      flywheel quarantine retry --reason unknown_format
      flywheel quarantine retry 9f86d081
    """
    from flywheel.ingest.retry import retry_refused

    with open_lake() as lake:
        retried = retry_refused(lake, datetime.now(UTC), quarantine_id=quarantine_id, reason=reason)
    rows = [asdict(one) for one in retried]
    if is_json:
        show.print_json(rows)
        return
    columns = ("source_file", "tried", "resolved", "landed", "refused", "problem")
    show.print_table(rows, columns, empty="Nothing of a log in quarantine fits that.")
