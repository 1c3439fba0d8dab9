"""Commands that keep the lake sound, or move it: check, repair, compact, move."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click

from flows.cli import show
from flows.cli.commands import Group
from flows.cli.lake_move import move
from flows.cli.opened import json_option, open_lake, open_store

_FOUND = ("kind", "object", "expected", "found", "what_to_do")
_STEPS = ("state", "object", "what", "what_to_do")
_deep_option = click.option(
    "--deep", "is_deep", is_flag=True, help="Read and hash every file again, not only those not seen before."
)


@click.group(cls=Group)
def lake() -> None:
    """Check the lake's files against its catalog, repair what can be, gather what is small, move all of it.

    Example:
      flywheel lake check
      flywheel lake repair --dry-run
      flywheel lake compact --keep-days 90
      flywheel lake move --to s3://bucket/wheel
    """


lake.add_command(move)


@lake.command("check")
@_deep_option
@json_option
def check(is_deep: bool, is_json: bool) -> int:
    """Compare the catalog with the files, and releases with their manifests; exit code 1 when one is lost or wrong.

    Each file has to be there, as long as the catalog says, and Parquet with as many rows. Its hash is recorded when
    it is first seen, and with --deep compared with that record. Nobody else has to wait meanwhile.

    Example:
      flywheel lake check
      flywheel lake check --deep --json
    """
    with show.working("comparing the catalog with the files") as tell, open_lake() as opened:
        from flywheel.core.lake_check import check_tables
        from flywheel.core.release_check import check_releases

        store = open_store()
        found = check_tables(opened, store, datetime.now(UTC), is_deep=is_deep).findings
        tell("comparing releases with their manifests")
        found += check_releases(store, is_deep=is_deep)
    rows = [asdict(finding) for finding in found]
    if is_json:
        show.print_json(rows)
    else:
        show.print_table(rows, _FOUND, empty="Every file is what the catalog and the manifests say.")
    return int(any(finding.kind.is_fault for finding in found))


@lake.command("repair")
@click.option(
    "--orphans-older-than-hours",
    "hours",
    type=click.IntRange(min=1),
    default=24,
    show_default=True,
    help="How old a file that no version names has to be; somebody may be about to commit a younger one.",
)
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Only say what would be done; nothing changes.")
@_deep_option
@json_option
def repair(hours: int, is_dry_run: bool, is_deep: bool, is_json: bool) -> int:
    """Do what loses nothing, and say what is left and what to do about it; exit code 1 when a fault is left.

    Publishes that died are finished. Days of built tables whose files are broken are built again. Files that nobody
    reads are removed. Rows of a landed table no query can make: you are told which logs they came from.

    Example:
      flywheel lake repair --dry-run
      flywheel lake repair --deep --json
    """
    with show.working("looking for what is broken, and repairing it"), open_lake() as opened:
        from flywheel.core.lake_repair import repair_lake
        from flywheel.core.repair_steps import RepairPolicy
        from flywheel.correct.day import CorrectionPolicy

        accepting = CorrectionPolicy()  # what the queries that judge answers are given every day
        given = {"min_confidence": accepting.min_confidence, "min_agreement": accepting.min_agreement}
        policy = RepairPolicy(timedelta(hours=hours), is_deep, is_dry_run, given)
        steps = repair_lake(opened, open_store(), datetime.now(UTC), policy)
    if is_json:
        show.print_json([asdict(step) for step in steps])
    else:
        show.print_table([asdict(step) for step in steps], _STEPS, empty="There is nothing to repair.")
    return int(any(step.is_fault for step in steps))


@lake.command("compact")
@click.option(
    "--keep-days",
    type=click.IntRange(min=1),
    help="Also let go of versions that were replaced longer ago; those a release was made from stay. Default: none.",
)
@json_option
def compact(keep_days: int | None, is_json: bool) -> None:
    """Make one file of each table's day that is in many small pieces; let go of old versions, if told to.

    Every version that is kept reads what it read before, and readers and writers go on meanwhile. A file that no
    version reads any more stays for a day, for those who are about to read it, and goes with the next compaction.

    Example:
      flywheel lake compact
      flywheel lake compact --keep-days 90 --json
    """
    with show.working("gathering small files"), open_lake() as opened:
        from flywheel.core.lake_compact import compact_lake

        done = compact_lake(opened, open_store(), datetime.now(UTC), keep_days)
    if is_json:
        show.print_json(asdict(done))
        return
    rows = [{"": "before", **asdict(done.before)}, {"": "after", **asdict(done.after)}]
    show.print_table(rows, ("", "newest_files", "files", "bytes", "versions"), empty="")
    click.echo(f"{done.gathered_days} days of tables became one file each.")
    click.echo(f"{len(done.expired)} versions were let go of, {done.deleted_files} files deleted.")
    if done.pinned:
        click.echo(f"Kept, for releases were made from them: {', '.join(map(str, done.pinned))}.")
    if done.waiting_files:
        click.echo(
            f"{done.waiting_files} files that no version reads go with the first compaction in a day or later."
        )
