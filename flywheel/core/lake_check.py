"""Hold the objects under tables/ against DuckLake's catalog, and against what they hashed to before.

Nothing is locked: the catalog is read before and after the objects are, and only what both readings say counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from flywheel.core.checksums import known_checksums, record_checksums, sha256_of_object
from flywheel.core.errors import TransientError, UsageError
from flywheel.core.findings import Finding, Kind
from flywheel.core.lake import Lake
from flywheel.core.lake_catalog import (
    TABLES,
    NamedFile,
    named_files,
    scheduled_names,
)
from flywheel.core.lake_pieces import scattered_days
from flywheel.core.queries import load_tables
from flywheel.core.refusals import explain
from flywheel.core.storage import FileStat, Store

_AT_ONCE = 200  # footers asked for in one statement

_FOOTERS = "select file_name, num_rows from parquet_file_metadata($files)"
_EVERYTHING = "select sum(hash(everything)) from read_parquet($file) as everything"


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file of the lake that cannot be read as it was written, and what is wrong."""

    file: NamedFile
    finding: Finding


@dataclass(frozen=True, slots=True)
class TableCheck:
    """What a check of tables/ found."""

    broken: tuple[BrokenFile, ...]
    orphans: Mapping[str, FileStat]
    others: tuple[Finding, ...]

    @property
    def findings(self) -> list[Finding]:
        """Return everything found, faults first."""
        strays = [_orphan(name, stat) for name, stat in self.orphans.items()]
        return [*(broken.finding for broken in self.broken), *strays, *self.others]


def check_tables(lake: Lake, store: Store, now: datetime, *, is_deep: bool = False) -> TableCheck:
    """Compare every file the catalog names with the object that is there; files seen first are hashed and recorded.

    Args:
        lake: the lake, open.
        store: its objects.
        now: when.
        is_deep: read and hash every file again, not only those not seen before.

    Raises:
        StoreBusy: the store or Postgres is away.

    """
    before, going = named_files(lake), scheduled_names(lake)
    there = store.stats(TABLES)
    inside = {name: file for name, file in before.items() if not file.is_outside}
    known, unread = known_checksums(store)
    found = list(_by_listing(inside, there))
    whole = [file for file in inside.values() if file.name not in {finding.object for _, finding in found}]
    found += _by_footer(lake, store, whole)
    whole = [file for file in whole if file.name not in {finding.object for _, finding in found}]
    fresh, more = _by_hash(lake, store, [file for file in whole if is_deep or file.name not in known], known)
    after = named_files(lake)
    broken = [BrokenFile(file, finding) for file, finding in [*found, *more] if file.name in after]
    record_checksums(store, fresh, now)
    named = before.keys() | going | after.keys() | scheduled_names(lake)
    orphans = {name: stat for name, stat in there.items() if name not in named}
    notes = [_unread_record(name) for name in unread] + [
        _outside(file) for file in before.values() if file.is_outside
    ]
    return TableCheck(tuple(broken), orphans, (*notes, *_waiting(lake)))


def _by_listing(files: Mapping[str, NamedFile], there: Mapping[str, FileStat]) -> Iterator[tuple[NamedFile, Finding]]:
    """Yield what one listing shows: files that are not there, or have another size."""
    for name, file in files.items():
        if name not in there:
            yield file, _broken(Kind.MISSING, file, f"{file.size_bytes} bytes", "no such object")
        elif there[name].size_bytes != file.size_bytes:
            yield file, _broken(Kind.SIZE, file, f"{file.size_bytes} bytes", f"{there[name].size_bytes} bytes")


def _by_footer(lake: Lake, store: Store, files: Sequence[NamedFile]) -> list[tuple[NamedFile, Finding]]:
    """Return the files that are no Parquet, or of another number of rows than the catalog says."""
    parquet = [file for file in files if file.format == "parquet"]
    found = []
    for start in range(0, len(parquet), _AT_ONCE):
        some = parquet[start : start + _AT_ONCE]
        counts = _row_counts(lake, [store.url(file.name) for file in some])
        for file in some:
            told = counts[store.url(file.name)]
            if isinstance(told, str):
                found.append((file, _broken(Kind.UNREADABLE, file, "a Parquet file", told)))
            elif told != file.row_count:
                found.append((file, _broken(Kind.ROWS, file, f"{file.row_count} rows", f"{told} rows")))
    return found


def _row_counts(lake: Lake, urls: Sequence[str]) -> dict[str, int | str]:
    """Return how many rows each file's footer tells of, or why it cannot be read."""
    told = _asked(lake, _FOOTERS, files=list(urls))
    if not isinstance(told, str):
        return {str(url): int(count) for url, count in told}
    if len(urls) == 1:
        return {urls[0]: told}
    return {url: count for one in urls for url, count in _row_counts(lake, [one]).items()}


def _by_hash(
    lake: Lake, store: Store, files: Sequence[NamedFile], known: Mapping[str, str]
) -> tuple[dict[str, str], list[tuple[NamedFile, Finding]]]:
    """Return the hashes of files seen for the first time, and the files that are not what they were."""
    fresh: dict[str, str] = {}
    found = []
    for file in files:
        try:
            told = sha256_of_object(store, file.name)
        except FileNotFoundError:  # since the listing; whether it should be there the catalog's second reading tells
            found.append((file, _broken(Kind.MISSING, file, f"{file.size_bytes} bytes", "no such object")))
            continue
        if file.name in known:
            if told != known[file.name]:
                found.append((file, _broken(Kind.CORRUPTED, file, f"sha256 {known[file.name]}", f"sha256 {told}")))
            continue
        reason = _asked(lake, _EVERYTHING, file=store.url(file.name)) if file.format == "parquet" else []
        if isinstance(reason, str):
            found.append((file, _broken(Kind.UNREADABLE, file, "a Parquet file", reason)))
        else:
            fresh[file.name] = told
    return fresh, found


def _asked(lake: Lake, statement: str, **parameters: object) -> list[tuple[Any, ...]] | str:
    """Return a statement's rows, or why DuckDB cannot read the files; StoreBusy when it is the store that is away."""
    try:
        return lake.connection.execute(statement, parameters).fetchall()
    except duckdb.Error as failed:
        told = explain(failed, lake.settings) if lake.settings else None
        if isinstance(told, TransientError | UsageError):
            raise told from None
        return " ".join(str(failed).split())[:200]


def _waiting(lake: Lake) -> list[Finding]:
    days = scattered_days(lake)
    if not days:
        return []
    tables = len({table for table, _ in days})
    found = f"{len(days)} days of {tables} tables are in many small pieces"
    told = "Nothing is wrong; run `flywheel lake compact`."
    return [Finding(Kind.UNCOMPACTED, TABLES, "a file per table and day", found, told)]


def _broken(kind: Kind, file: NamedFile, expected: str, found: str) -> Finding:
    return Finding(kind, file.name, expected, found, _remedy(file))


def _remedy(file: NamedFile) -> str:
    """Say what to do about a broken file: a copy is best, and what else there is depends on who reads it."""
    best = "Restore the object from a copy"
    if file.end is not None:
        return f"{best}, or let go of {file.readers}, which alone read it: `flywheel lake compact --keep-days N`."
    tables = load_tables()
    if file.table in tables and tables[file.table].is_built:
        return f"{best}, or run `flywheel lake repair`, which builds {file.table} of {file.day} again if it can."
    return f"{best}; `flywheel lake repair` says where the rows of {file.table} of {file.day} came from."


def _orphan(name: str, stat: FileStat) -> Finding:
    since = f"{stat.size_bytes} bytes since {stat.written_at:%Y-%m-%d %H:%M:%S} UTC" if stat.written_at else "?"
    told = "Nobody reads it; `flywheel lake repair` removes it when it is a day old: somebody may be writing it."
    return Finding(Kind.ORPHANED, name, "no object, for no version names it", since, told)


def _outside(file: NamedFile) -> Finding:
    told = f"It was not checked: look whether {file.table} can be read."
    return Finding(Kind.OUTSIDE, file.name, f"a file below {TABLES}", "a file somewhere else", told)


def _unread_record(name: str) -> Finding:
    told = "Restore it from a copy, or delete it: its files are then taken for new."
    return Finding(Kind.UNREADABLE, name, "a JSON object with `files`", "something else", told)
