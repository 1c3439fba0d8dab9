"""Bring a lake up to the contracts under sql/: tables, new columns and views, made where they are missing."""

import hashlib
from collections.abc import Mapping
from functools import cache

import duckdb

from flywheel.core.queries import load_folder, load_tables

_COLUMNS = """
select table_name, column_name, data_type from duckdb_columns() where database_name = $database
"""


def ensure_contracts(connection: duckdb.DuckDBPyConnection) -> None:
    """Create missing tables, add missing columns and refresh changed views; existing rows are never touched."""
    wanted = _declared()
    connection.execute("use lake")
    connection.execute("begin")
    try:
        _ensure_tables(connection, wanted)
        _ensure_views(connection)
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")  # one that fails has ended the transaction already


@cache
def _declared() -> Mapping[str, Mapping[str, str]]:
    """Return the columns and types of every contract, as DuckDB understands them; asked once, for it takes 0.1 s."""
    with duckdb.connect() as scratch:
        for table in load_tables().values():
            scratch.execute(table.contract)
        return _columns(scratch, "memory")


def _ensure_tables(connection: duckdb.DuckDBPyConnection, wanted: Mapping[str, Mapping[str, str]]) -> None:
    held = _columns(connection, "lake")
    if not held and _is_ducklake(connection):
        connection.execute("call lake.set_option('parquet_compression', 'zstd')")
    for name, columns in wanted.items():
        if name not in held:
            connection.execute(load_tables()[name].contract)
            _partition(connection, name)
            continue
        for column, data_type in columns.items():
            if column not in held[name]:
                connection.execute(f"alter table lake.{name} add column {column} {data_type}")


def _columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for table, column, data_type in connection.execute(_COLUMNS, {"database": database}).fetchall():
        found.setdefault(table, {})[column] = data_type
    return found


def _is_ducklake(connection: duckdb.DuckDBPyConnection) -> bool:
    row = connection.execute("select type from duckdb_databases() where database_name = 'lake'").fetchone()
    return row is not None and row[0] == "ducklake"


def _partition(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    if _is_ducklake(connection):
        connection.execute(f"alter table lake.{table} set partitioned by (day)")


def _ensure_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Create each view of sql/views/ whose text is not the one in the lake; its hash is kept as its comment."""
    held = dict(
        connection.execute(
            "select view_name, comment from duckdb_views() where database_name = 'lake' and not internal"
        ).fetchall()
    )
    for name, text in load_folder("views").items():
        mark = hashlib.sha256(text.encode()).hexdigest()[:16]
        if held.get(name) != mark:
            connection.execute(f"create or replace view lake.{name} as\n{text}")
            connection.execute(f"comment on view lake.{name} is '{mark}'")
