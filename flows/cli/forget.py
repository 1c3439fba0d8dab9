"""The command that removes a person or a call from the live lake."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import json_option, open_lake, open_store
from flows.cli.successors import publish_successors, trained_on

if TYPE_CHECKING:  # heavy, and only named here
    from flywheel.ingest.forget import Forgotten


@click.command(cls=Command)
@click.option("--actor", help="The user, by the name the logs have; it is hashed here as it was there.")
@click.option("--trace", help="One call: its trace_id, response id or another id its log had for it.")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Only count; nothing is removed.")
@click.option("--no-publish", "is_unpublished", is_flag=True, help="Leave it to you to publish what is left.")
@json_option
def forget(actor: str | None, trace: str | None, is_dry_run: bool, is_unpublished: bool, is_json: bool) -> None:
    """Remove a person's calls and feedback, or one call, from the live lake with all that was made of them.

    A tombstone keeps them from coming back when the same log is read again. Older versions of the lake go as well:
    `--at` reads nothing from before. Releases never change: those that contain some of it are marked, a version
    without it is published, and models that were trained on them are named.

    Example:
      flywheel forget --actor u-0042 --dry-run
      flywheel forget --actor u-0042
      flywheel forget --trace chatcmpl-1 --json
    """
    if (actor is None) == (trace is None):
        raise click.UsageError("Name one of --actor and --trace.")
    done = _done("trace" if actor is None else "actor", actor or trace or "", is_dry_run=is_dry_run)
    trained = trained_on(done.releases)
    successors = [] if is_dry_run or is_unpublished else publish_successors(done.releases)
    if is_json:
        show.print_json(asdict(done) | {"trained": trained, "successors": successors})
        return
    rows = [{"where": place, "rows": count} for place, count in done.removed.items()]
    show.print_table(rows, ("where", "rows"), empty="The lake holds nothing that tells of it.")
    if is_dry_run:
        click.echo("Nothing was removed; without --dry-run it would be.")
    _tell_releases(done, trained, successors)
    if done.days and not is_dry_run:
        click.echo(f"Mine these days again: {', '.join(done.days)} (flywheel mine --day DAY).")


def _tell_releases(done: "Forgotten", trained: list[dict[str, Any]], successors: list[dict[str, Any]]) -> None:
    for hit in done.releases:
        click.echo(f"Release {hit.dataset} {hit.version} has {hit.row_count} rows of it, and keeps them.")
    for model in trained:
        click.echo(
            f"Model {show.harmless(model['model_id'])} ({model['status']}) was trained on "
            f"{model['dataset']} {model['version']}: train it anew, or stop using it."
        )
    for one in successors:
        if one["version"] is None:
            click.echo(f"There is no new version of {one['dataset']} without them: {one['reason']}")
        else:
            click.echo(f"Version {one['version']} of {one['dataset']} is without them; latest points at it.")
    if done.releases and not done.is_dry_run:
        click.echo("Move other tags (flywheel releases tag), and tell whoever fetched the old versions.")


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
