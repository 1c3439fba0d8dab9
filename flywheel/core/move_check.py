"""What each table holds at some versions: equal numbers on both sides say that a move lost and changed nothing."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass

import duckdb

from flywheel.core.duck import attach_statement, open_duckdb
from flywheel.core.locks import CATALOG
from flywheel.core.refusals import explained
from flywheel.core.settings import Settings

_TABLES = f"""
select t.table_id, s.schema_name, t.table_name, t.begin_snapshot, t.end_snapshot
from {CATALOG}.ducklake_table as t inner join {CATALOG}.ducklake_schema as s on t.schema_id = s.schema_id
order by t.table_name, t.begin_snapshot
"""  # noqa: S608 - names of DuckLake's own
_VERSIONS = f"select snapshot_id from {CATALOG}.ducklake_snapshot order by 1"  # noqa: S608
_INLINED = f"select table_id, table_name from {CATALOG}.ducklake_inlined_data_tables"  # noqa: S608
_CHANGED = ("ducklake_data_file", "ducklake_delete_file", "ducklake_column")


@dataclass(frozen=True, slots=True)
class Content:
    """What a table holds at a version."""

    table: str
    version: int
    row_count: int
    row_hash: int  # the sum of the rows' hashes, whatever their order


def contents(settings: Settings, wanted: Iterable[int]) -> Iterator[Content]:
    """Yield the content of each table at those versions that are wanted and there, where it is not the one before.

    Raises:
        BadSetting, StoreBusy, MissingPart: the lake cannot be attached or read.

    """
    with closing(open_duckdb(settings)) as connection, explained(settings):
        connection.execute(f"{attach_statement(settings)[:-1]}, read_only)")
        connection.execute("begin")
        known = [int(number) for (number,) in connection.execute(_VERSIONS).fetchall()]
        chosen = sorted(set(wanted) & set(known))
        changes = _changes(connection)
        for table_id, schema, name, begin, end in connection.execute(_TABLES).fetchall():
            seen = set()
            for version in chosen:
                state = bisect_right(changes.get(table_id, []), version)
                if begin > version or (end is not None and end <= version) or state in seen:
                    continue
                seen.add(state)
                yield Content(name, version, *_counted(connection, f'lake."{schema}"."{name}"', version))


def _counted(connection: duckdb.DuckDBPyConnection, table: str, version: int) -> tuple[int, int]:
    rows = f"select * from {table} at (version => {version})"  # noqa: S608 - names of the catalog, quoted
    counted = f"select count(*), coalesce(sum(hash(one)), 0) from ({rows}) as one"  # noqa: S608
    row = connection.execute(counted).fetchall()[0]
    return int(row[0]), int(row[1])


def _changes(connection: duckdb.DuckDBPyConnection) -> Mapping[int, list[int]]:
    """Return the versions that changed each table, by DuckLake's number of it."""
    tables = [f"select table_id, begin_snapshot, end_snapshot from {CATALOG}.{name}" for name in _CHANGED]  # noqa: S608
    tables += [
        f"select {int(number)}, begin_snapshot, end_snapshot from {CATALOG}.{name}"  # noqa: S608
        for number, name in connection.execute(_INLINED).fetchall()
    ]
    tables += _inlined_deletes(connection)
    united = " union all ".join(tables)
    rows = connection.execute(
        f"with changed as ({united}) select table_id, begin_snapshot from changed union "  # noqa: S608
        "select table_id, end_snapshot from changed where end_snapshot is not null order by all"
    ).fetchall()
    found: dict[int, list[int]] = {}
    for number, version in rows:
        found.setdefault(int(number), []).append(int(version))
    return found


def _inlined_deletes(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield queries for when rows were deleted without a file; DuckDB lists no tables of an attached catalog."""
    for table_id in {row[0] for row in connection.execute(_TABLES).fetchall()}:
        asked = f"select {int(table_id)}, begin_snapshot, null from {CATALOG}.ducklake_inlined_delete_{int(table_id)}"  # noqa: S608
        with suppress(duckdb.CatalogException):  # nothing small was ever deleted from this table
            connection.execute(f"{asked} limit 0")
            yield asked
