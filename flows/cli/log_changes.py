"""The command that tells what changed about the logs themselves."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import at_option, json_option, open_lake

if TYPE_CHECKING:  # heavy, and only named here
    from flywheel.core.moments import Moment


@click.command("log-changes", cls=Command)
@json_option
@at_option
def log_changes(is_json: bool, at: "Moment | None") -> None:
    """Show which fields of the logs are new, missing or of another type, and whether calls lost their content.

    The newest day of each format is compared with the seven days of it before. before and now are shares of the
    records that were looked at; for less_content, of the calls.

    Example:
      flywheel log-changes
      flywheel log-changes --json
    """
    from flywheel.ingest.log_changes import log_changes as find_changes

    with open_lake(at) as lake:
        rows = [asdict(change) for change in find_changes(lake)]
    if is_json:
        show.print_json(rows)
        return
    columns = ("format", "day", "kind", "path", "before", "now", "detail")
    show.print_table(rows, columns, empty="Nothing changed about the logs' fields, or only one day was read.")
