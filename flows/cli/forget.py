"""The command that removes a person or a call from the live lake."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import json_option, open_lake, open_store

if TYPE_CHECKING:  # heavy, and only named here
    from flywheel.ingest.forget import Forgotten


@click.command(cls=Command)
@click.option("--actor", help="The user, by the name the logs have; it is hashed here as it was there.")
@click.option("--trace", help="One call: its trace_id, response id or another id its log had for it.")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Only count; nothing is removed.")
@json_option
def forget(actor: str | None, trace: str | None, is_dry_run: bool, is_json: bool) -> None:
    """Remove a person's calls and feedback, or one call, from the live lake with all that was made of them.

    A tombstone keeps them from coming back when the same log is read again. Older versions of the lake go as well:
    `--at` reads nothing from before. Releases stay as they are; those that contain some of it are listed, for you to
    withdraw.

    Example:
      flywheel forget --actor u-0042 --dry-run
      flywheel forget --actor u-0042
      flywheel forget --trace chatcmpl-1 --json
    """
    if (actor is None) == (trace is None):
        raise click.UsageError("Name one of --actor and --trace.")
    done = _done("trace" if actor is None else "actor", actor or trace or "", is_dry_run=is_dry_run)
    if is_json:
        show.print_json(asdict(done))
        return
    rows = [{"where": place, "rows": count} for place, count in done.removed.items()]
    show.print_table(rows, ("where", "rows"), empty="The lake holds nothing that tells of it.")
    if is_dry_run:
        click.echo("Nothing was removed; without --dry-run it would be.")
    for hit in done.releases:
        click.echo(
            f"Release {hit.dataset} {hit.version} has {hit.row_count} rows of it and stays as it is: withdraw it."
        )
    if done.days and not is_dry_run:
        click.echo(f"Mine these days again: {', '.join(done.days)} (flywheel mine --day DAY).")


def _done(kind: str, name: str, *, is_dry_run: bool) -> "Forgotten":
    with show.working("looking for what tells of it") as tell, open_lake() as lake:
        from flywheel.ingest.forget import forget as forget_it
        from flywheel.ingest.forget import preview
        from flywheel.ingest.forget_rows import Subject

        subject = Subject(kind, name)
        if is_dry_run:
            return preview(lake, open_store(), subject)
        tell("removing it, and every version of the lake that has it")
        return forget_it(lake, open_store(), subject, datetime.now(UTC))
