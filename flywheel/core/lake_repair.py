"""Repair what can be repaired without losing anything, and say about the rest where its rows can be had again."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

import duckdb

from flywheel.core.errors import BrokenLake
from flywheel.core.lake import Lake
from flywheel.core.lake_catalog import NamedFile, live_rows, named_files, scheduled_names, versions
from flywheel.core.lake_check import BrokenFile, TableCheck, check_tables
from flywheel.core.lake_rebuild import made_again, write_anew
from flywheel.core.locks import writer_lock
from flywheel.core.queries import load_tables
from flywheel.core.release_repair import repair_releases
from flywheel.core.repair_steps import RepairPolicy, Step, left
from flywheel.core.storage import Store

# the logs whose rows the same commits landed
_READ_THEN = """
select distinct source_file from ducklake_table_insertions('lake', 'main', 'sources', $first, $last) order by 1
"""
_MOST_SOURCES = 5  # named in one line; `flywheel sql` lists all


def repair_lake(lake: Lake, store: Store, now: datetime, policy: RepairPolicy) -> list[Step]:
    """Finish publishes, build lost days of built tables again, remove what nobody reads; say what is left.

    Run again it does nothing more.

    Raises:
        LakeBusy: somebody else keeps the lake for longer than we wait.
        StoreBusy: the store or Postgres is away.

    """
    steps = repair_releases(store, now, policy)
    check = check_tables(lake, store, now, is_deep=policy.is_deep)
    steps += _rebuilt(lake, check.broken, policy)
    steps += _cannot_be_built(lake, check.broken)
    steps += _strays(lake, store, check, now, policy)
    return steps + [left(finding) for finding in check.others if finding.kind != "uncompacted"]


def _rebuilt(lake: Lake, broken: Sequence[BrokenFile], policy: RepairPolicy) -> Iterator[Step]:
    """Build the days whose files are broken, in the order of the flow: what a day is built from comes before it."""
    for table in [name for name, spec in load_tables().items() if spec.is_built]:
        lost = [one for one in broken if is_rebuildable(one.file) and one.file.table == table]
        if not lost:
            continue
        days = sorted({one.file.day for one in lost if one.file.day is not None})
        try:
            refused = _build_again(lake, table, days, policy)
        except BrokenLake as unread:
            refused = str(unread)
        if refused:
            yield from (left(one.finding, f"Restore the object from a copy. {refused}") for one in lost)
        else:
            told = f"built {table} of {', '.join(map(str, days))} again"
            yield from (policy.finished(one.file.name, told) for one in lost)


def _build_again(lake: Lake, table: str, days: Sequence[date], policy: RepairPolicy) -> str:
    """Build days again; return why not, where that would lose rows: what they were made from is gone."""
    made = made_again(lake, table, days, policy.parameters)
    live = live_rows(lake)
    for day, rows in made.items():
        had = sum(
            live.get(file.name, 0) for file in named_files(lake).values() if (file.table, file.day) == (table, day)
        )
        if rows.height < had:
            return (
                f"Built again, {table} of {day} would have {rows.height} rows, and it had {had}: what they were made "
                "from has changed since."
            )
    if not policy.is_dry_run:
        write_anew(lake, table, made, "repair")
    return ""


def is_rebuildable(file: NamedFile) -> bool:
    """Whether the newest version reads it, and a query makes its rows."""
    spec = load_tables().get(file.table)
    return file.end is None and file.day is not None and spec is not None and spec.is_built


def _cannot_be_built(lake: Lake, broken: Sequence[BrokenFile]) -> Iterator[Step]:
    lost = [one for one in broken if not is_rebuildable(one.file)]
    if not lost:
        return
    named, known = named_files(lake), versions(lake)
    bad = {one.file.data_name for one in broken} | {one.file.name for one in broken}
    healthy = [file for file in named.values() if file.name not in bad]
    for one in lost:
        told = one.finding.what_to_do if one.file.end is not None else _origin(lake, one.file, healthy, known)
        yield left(one.finding, told)


def _origin(lake: Lake, file: NamedFile, healthy: Sequence[NamedFile], known: Mapping[int, str]) -> str:
    """Say where the rows of a landed table's broken file came from, and what still has them."""
    told = ["Restore the object from a copy; no query can make its rows."]
    sources = _sources(lake, file)
    message = known.get(file.begin) or "a commit that is no more"
    if sources:
        more = f" and {len(sources) - _MOST_SOURCES} more" if len(sources) > _MOST_SOURCES else ""
        named = ", ".join(repr(name) for name in sources[:_MOST_SOURCES])
        told.append(
            f"They were read from {named}{more}: `flywheel ingest` a copy of these once the table is readable."
        )
    else:
        told.append(f"They came with version {file.begin}, {message!r}.")
    older = readable_before(file, healthy, known)
    if older is not None:
        told.append(f"`flywheel sql --at {older}` still reads {file.table} of {file.day} as it was before.")
    return " ".join(told)


def _sources(lake: Lake, file: NamedFile) -> list[str]:
    """Return the logs that the commits which added the file's rows had read; none where they cannot tell any more."""
    try:
        rows = lake.connection.execute(_READ_THEN, {"first": file.begin, "last": file.last}).fetchall()
    except duckdb.Error:  # those versions were let go of, or `sources` itself is broken
        return []
    return [str(name) for (name,) in rows]


def readable_before(file: NamedFile, healthy: Sequence[NamedFile], known: Mapping[int, str]) -> int | None:
    """Return the version before the one that wrote a file in place of others, where those others are still good."""
    replaced = any(
        other.end == file.begin and (other.table, other.day) == (file.table, file.day) for other in healthy
    )
    return max((number for number in known if number < file.begin), default=None) if replaced else None


def _strays(lake: Lake, store: Store, check: TableCheck, now: datetime, policy: RepairPolicy) -> Iterator[Step]:
    """Remove objects that no version names and that nobody can still be about to commit."""
    findings = {finding.object: finding for finding in check.findings}
    old = [
        name
        for name, stat in check.orphans.items()
        if stat.written_at is not None and now - stat.written_at > policy.strays_older_than
    ]
    gone = old if policy.is_dry_run else _removed(lake, store, old)
    for name in check.orphans:
        yield policy.finished(name, "removed: no version names it") if name in gone else left(findings[name])


def _removed(lake: Lake, store: Store, names: Sequence[str]) -> list[str]:
    """Delete objects unless the catalog has come to name them; return those that were."""
    if not names or lake.settings is None:
        return []
    with writer_lock(lake.connection, lake.settings, ""):
        named = named_files(lake).keys() | scheduled_names(lake)
        gone = [name for name in names if name not in named]
        for name in gone:
            store.delete(name)
    return gone
