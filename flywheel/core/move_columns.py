"""The columns of DuckLake's catalog, and how SQLite and Postgres each hold them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import duckdb

_INLINED = re.compile(r"ducklake_inlined_data_(\d+)_(\d+)")
_DELETED = re.compile(r"ducklake_inlined_delete_\d+")
_ROW_COLUMNS = ("row_id", "begin_snapshot", "end_snapshot")
_TEXTS = frozenset({"varchar", "json"})
_FLOATS = {"float32": "real", "float64": "double"}
# DuckLake's names of types, and what Postgres is given for them: it has no unsigned ones, and none of one byte
_INTEGERS = {
    "int8": "smallint", "int16": "smallint", "int32": "integer", "int64": "bigint",
    "uint8": "integer", "uint16": "integer", "uint32": "bigint", "boolean": "boolean",
}  # fmt: skip

# the newest column of that name that the rows' schema version can have had
_DECLARED = """
select c.column_name, c.column_type from {alias}.ducklake_column as c
where c.table_id = {table_id} and c.parent_column is null and c.begin_snapshot <= coalesce(
    (select max(v.begin_snapshot) from {alias}.ducklake_schema_versions as v where v.schema_version = {version}),
    c.begin_snapshot
) order by c.begin_snapshot
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the catalog."""

    name: str
    declared: str  # DuckLake's type of an inlined column, DuckDB's type of any other
    normal: str  # the expression for its value that means the same in both databases
    is_inlined: bool = False


def shape_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Column]]:
    """Return the tables that every catalog has, which DuckLake tells by making an empty one in memory."""
    known = connection.execute("select count(*) from duckdb_databases() where database_name = 'shape'").fetchone()
    if not known or not known[0]:
        connection.execute("attach 'ducklake::memory:' as empty_lake (data_path 'nowhere/')")
        connection.execute("attach ':memory:' as shape")
        connection.execute("copy from database __ducklake_metadata_empty_lake to shape (schema)")
    rows = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where database_name = 'shape' "
        "order by table_name, column_index"
    ).fetchall()
    return {
        table: [Column(name, kind, f'cast("{name}" as {kind})') for _, name, kind in columns]
        for table, columns in groupby(rows, key=lambda row: str(row[0]))
    }


def inlined_columns(
    connection: duckdb.DuckDBPyConnection, alias: str, tables: Iterable[str]
) -> dict[str, list[Column]]:
    """Return the tables that hold rows, and deletions of rows, which wait for a file."""
    found: dict[str, list[Column]] = {}
    for table in tables:
        held = connection.execute(
            "select column_name, data_type from duckdb_columns() where database_name = $alias and "
            "table_name = $table order by column_index",
            {"alias": alias, "table": table},
        ).fetchall()
        match = _INLINED.fullmatch(table)
        if match:
            asked = _DECLARED.format(alias=alias, table_id=int(match[1]), version=int(match[2]))
            declared = dict(connection.execute(asked).fetchall())
            found[table] = [_inlined(name, kind, declared.get(name, "varchar")) for name, kind in held]
        elif _DELETED.fullmatch(table):
            found[table] = [Column(name, kind, f'"{name}"') for name, kind in held]
    return found


def _inlined(name: str, held: str, declared: str) -> Column:
    if name in _ROW_COLUMNS:
        return Column(name, "bigint", f'"{name}"')
    if declared in _TEXTS:
        return Column(name, declared, f'decode("{name}")' if held == "BLOB" else f'"{name}"', is_inlined=True)
    if declared == "blob":
        return Column(name, declared, f'"{name}"', is_inlined=True)
    kind = (_FLOATS | _INTEGERS).get(declared, "varchar")
    return Column(name, declared, f'cast("{name}" as {kind})', is_inlined=True)


def stored_type(column: Column, on_postgres: bool) -> str:
    """Return the type DuckLake gives a column in a database of that kind."""
    if not column.is_inlined:
        return column.declared
    if column.declared == "blob" or (column.declared in _TEXTS and on_postgres):
        return "blob"
    if on_postgres:
        return (_FLOATS | _INTEGERS).get(column.declared, "varchar")
    return "bigint" if column.declared in _INTEGERS else "varchar"


def stored_value(column: Column, on_postgres: bool) -> str:
    """Return the expression that puts a value, in the form both share, into a database of that kind."""
    if column.is_inlined and column.declared in _TEXTS and on_postgres:
        return f'encode("{column.name}")'
    return f'cast("{column.name}" as {stored_type(column, on_postgres)})'
