"""Commands about logs: read them, and list what was read of which."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import at_option, fetch, json_option, open_lake, read_settings
from flows.cli.stages import running

if TYPE_CHECKING:  # heavy, and only named here
    from flywheel.core.moments import Moment

_COUNTS = ("read", "landed", "duplicates", "quarantined")
# what became of a file since it was last begun at its first byte
_SOURCES = """
with
stretches as (
    select * from sources
    where began_at is not null
    qualify began_at = max(began_at) over (partition by source_file)
)

select
    source_file,
    arg_max(format, line_to) as format,
    sum(read_count)::bigint as "read",
    sum(landed_count)::bigint as landed,
    sum(duplicate_count)::bigint as duplicates,
    sum(quarantined_count)::bigint as quarantined,
    sum(context_count)::bigint as context_count,
    sum(redacted_count)::bigint as redacted,
    max(ingested_at) as ingested_at,
    max(read_to) as read_to,
    arg_max(size_bytes, ingested_at) as size_bytes,
    bool_or(is_finished) as is_finished
from stretches
group by source_file
order by source_file
"""


@click.command(cls=Command)
@click.argument("sources", metavar="SOURCE...", nargs=-1)
@click.option("--format", "log_format", default="", help="Log format (a file of sql/ingest/); default: recognised.")
@json_option
def ingest(sources: Sequence[str], log_format: str, is_json: bool) -> None:
    """Read what is new in logs: files, folders, globs or s3:// prefixes; without any, the folder that settings name.

    A file that did not change is not opened again, one that grew is read on. What cannot be read is set aside with
    its reason and counted: read = landed + duplicates + quarantined.

    Example:
      flywheel ingest logs/2026-03-01.jsonl
      flywheel ingest s3://bucket/logs/2026-03-01 --format openai --json
    """
    sources = sources or (read_settings().logs,)
    _check_sources(sources, log_format)
    reports = _read(sources, log_format)
    if is_json:
        show.print_json({name: sum(report[name] for report in reports) for name in _COUNTS})
        return
    columns = ("source_file", "format", *_COUNTS, "context", "redacted", "days")
    show.print_table(reports, columns, empty="Nothing is new: every file is as it was when it was read.")
    if any(report["quarantined"] for report in reports):
        click.echo("Some was set aside: flywheel quarantine list")
    from flywheel.ingest.log_changes import change_hint

    with open_lake() as lake:
        if hint := change_hint(lake):
            click.echo(hint)


def _read(sources: Sequence[str], log_format: str) -> list[dict[str, Any]]:
    with running("reading logs") as tell:
        from flows.ingest import ingest_logs
        from flywheel.ingest.progress import listening

        reports = []
        with listening(lambda file, done, size: tell(f"reading {file}: {done / 1e6:,.0f} of {size / 1e6:,.0f} MB")):
            for number, source in enumerate(sources, start=1):
                tell(f"reading {source} ({number} of {len(sources)})")
                reports += [asdict(report) for report in ingest_logs(source, log_format)]
        return reports


def _check_sources(sources: Sequence[str], log_format: str) -> None:
    """Raise UsageError for what cannot be read, before Prefect takes its seconds to start."""
    from flywheel.ingest.formats import format_query
    from flywheel.ingest.sources import find_logs

    for source in sources:
        find_logs(source)
    if log_format:
        format_query(log_format)


@click.command(cls=Command)
@json_option
@at_option
def sources(is_json: bool, at: "Moment | None") -> None:
    """List the log files that were read, how far, and what became of their records.

    Example:
      flywheel sources
      flywheel sources --json
    """
    with open_lake(at) as lake:
        rows = fetch(lake, _SOURCES)
    if is_json:
        show.print_json(rows)
        return
    columns = (
        "source_file",
        "format",
        *_COUNTS,
        "context_count",
        "redacted",
        "ingested_at",
        "read_to",
        "is_finished",
    )
    show.print_table(rows, columns, empty="No log was read yet: flywheel ingest FILE.")
