"""Carry DuckLake's catalog from one database to another, row by row, so that every version stays what it was.

What DuckLake 1.5.5 keeps where differs in one respect: rows that wait in the catalog for a file. Postgres holds their
texts as bytes, SQLite their floating-point numbers as texts.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from flywheel.core.duck import open_duckdb, quoted
from flywheel.core.durable import sync
from flywheel.core.errors import BrokenLake
from flywheel.core.move_columns import Column, inlined_columns, shape_columns, stored_type, stored_value
from flywheel.core.refusals import explained
from flywheel.core.settings import Settings

_FROM, _TO = "moved_from", "moved_to"
_MOVING = ".moving"  # what a SQLite catalog is called until all of it is there
_NAMES = (
    "select table_name from duckdb_tables() where database_name = $alias and starts_with(table_name, 'ducklake_')"
)
_SHAPE = "select table_name, sql from duckdb_tables() where database_name = 'shape' order by table_name"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which lake a catalog is of, and how far it has come."""

    lake_id: str  # made by DuckLake with the lake, kept by every copy of it
    version: int
    committed_at: datetime
    data_path: str


def is_same_catalog(source: Settings, target: Settings) -> bool:
    """Whether two settings name one catalog."""
    if source.on_postgres or target.on_postgres:
        return source.catalog == target.catalog
    return source.catalog_file == target.catalog_file


def read_identity(settings: Settings) -> Identity | None:
    """Return which lake a catalog is of, or None where there is no catalog yet.

    Raises:
        BadSetting: Postgres does not let us in.
        StoreBusy: Postgres is away.

    """
    if not settings.on_postgres and not settings.catalog_file.exists():
        return None
    with closing(open_duckdb(settings)) as connection, explained(settings):
        _attach(connection, settings, _FROM)
        return _identity(connection, _FROM)


def committed_at(settings: Settings, version: int) -> datetime | None:
    """Return when a version was committed, or None where the catalog has no such version."""
    with closing(open_duckdb(settings)) as connection, explained(settings):
        _attach(connection, settings, _FROM)
        asked = (
            f"select cast(snapshot_time as timestamptz) from {_FROM}.ducklake_snapshot where snapshot_id = $version"  # noqa: S608
        )
        row = connection.execute(asked, {"version": version}).fetchone()
    return row[0] if row else None


def copy_catalog(source: Settings, target: Settings) -> Identity:
    """Make the target's catalog what the source's is at this moment, but for where its files are; all or nothing.

    Raises:
        BrokenLake: the catalog is of a form that this version of DuckLake does not have.
        BadSetting, StoreBusy: Postgres does not let us in, or is away.

    """
    with closing(open_duckdb(source, target)) as connection, explained(target):
        with explained(source):
            _attach(connection, source, _FROM)
        if target.on_postgres:
            _attach(connection, target, _TO, is_read_only=False)
            return _copied(connection, target)
        final = target.catalog_file
        moving = final.with_name(final.name + _MOVING)
        final.parent.mkdir(parents=True, exist_ok=True)
        moving.unlink(missing_ok=True)
        connection.execute(f"attach {quoted(str(moving))} as {_TO} (type sqlite)")
        found = _copied(connection, target)
        connection.execute(f"detach {_TO}")
    _put_in_place(moving, final)
    return found


def repoint_catalog(settings: Settings, target: Settings) -> None:
    """Let a catalog that stays where it is name the target's files, by one commit.

    Raises:
        BadSetting, StoreBusy: Postgres does not let us in, or is away.

    """
    with closing(open_duckdb(settings)) as connection, explained(settings):
        _attach(connection, settings, _FROM, is_read_only=False)
        shape = shape_columns(connection)
        old, new = _data_path(connection, _FROM), data_path(target)
        absolute, moved = _elsewhere(old, new)
        with _transaction(connection):
            for table, columns in shape.items():
                if "path_is_relative" in {column.name for column in columns}:
                    connection.execute(f"update {_FROM}.{table} set path = {moved} where {absolute}")  # noqa: S608 - names of DuckLake's own
            connection.execute(
                f"update {_FROM}.ducklake_metadata set value = {quoted(new)} where key = 'data_path'"  # noqa: S608
            )


def catalog_hashes(settings: Settings, files_at: str) -> Mapping[str, tuple[int, int]]:
    """Return rows and an order-independent hash of each of the catalog's tables, as if its files were somewhere else.

    Equal ones mean equal versions: what each consists of, and the rows that are in no file yet.
    """
    with closing(open_duckdb(settings)) as connection, explained(settings):
        _attach(connection, settings, _FROM)
        shape_columns(connection)
        connection.execute("begin")
        return {
            table: _hash(connection, table, columns, files_at) for table, columns in _all_columns(connection).items()
        }


def data_path(settings: Settings) -> str:
    """Return what a catalog says about where its files are."""
    return f"{settings.lake_root}/tables/"


def _hash(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[Column], files_at: str
) -> tuple[int, int]:
    rows = _normal_rows(table, columns, _data_path(connection, _FROM), files_at)
    counted = connection.execute(f"select count(*), coalesce(sum(hash(one)), 0) from ({rows}) as one").fetchall()[0]  # noqa: S608
    return int(counted[0]), int(counted[1])


def _attach(
    connection: duckdb.DuckDBPyConnection, settings: Settings, alias: str, *, is_read_only: bool = True
) -> None:
    read_only = ", read_only" if is_read_only else ""
    if settings.on_postgres:
        place, kind = settings.catalog.removeprefix("postgres:"), "postgres"
    else:
        place, kind = str(settings.catalog_file), "sqlite"
    connection.execute(f"attach {quoted(place)} as {alias} (type {kind}{read_only})")


def _identity(connection: duckdb.DuckDBPyConnection, alias: str) -> Identity | None:
    names = {name for (name,) in connection.execute(_NAMES, {"alias": alias}).fetchall()}
    if not {"ducklake_schema", "ducklake_snapshot", "ducklake_metadata"} <= names:
        return None
    found = connection.execute(
        f"select cast(schema_uuid as varchar) from {alias}.ducklake_schema order by schema_id limit 1"  # noqa: S608
    ).fetchone()
    newest = connection.execute(
        f"select snapshot_id, cast(snapshot_time as timestamptz) from {alias}.ducklake_snapshot "  # noqa: S608
        "order by snapshot_id desc limit 1"
    ).fetchone()
    if found is None or newest is None:
        return None
    return Identity(str(found[0]), int(newest[0]), newest[1], _data_path(connection, alias))


def _data_path(connection: duckdb.DuckDBPyConnection, alias: str) -> str:
    row = connection.execute(f"select value from {alias}.ducklake_metadata where key = 'data_path'").fetchone()  # noqa: S608
    return str(row[0]) if row else ""


def _copied(connection: duckdb.DuckDBPyConnection, target: Settings) -> Identity:
    """Write the source's catalog into the target's, in one transaction that reads one state of the source."""
    shape_columns(connection)
    made = _made(connection)
    held = {name for (name,) in connection.execute(_NAMES, {"alias": _TO}).fetchall()}
    with _transaction(connection):
        wanted = _all_columns(connection)
        old = _data_path(connection, _FROM)
        for table in held:
            connection.execute(f'drop table {_TO}."{table}"')
        for table, columns in wanted.items():
            connection.execute(made.get(table) or _create(table, columns, target))
            rows = _normal_rows(table, columns, old, data_path(target))
            values = ", ".join(stored_value(column, target.on_postgres) for column in columns)
            connection.execute(f'insert into {_TO}."{table}" select {values} from ({rows})')  # noqa: S608
        found = _identity(connection, _FROM)
    if found is None:
        raise BrokenLake("its catalog has no version")
    return found


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def _all_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Column]]:
    """Return the tables of the source's catalog and their columns.

    Raises:
        BrokenLake: they are not those that this DuckLake makes.

    """
    names = {name for (name,) in connection.execute(_NAMES, {"alias": _FROM}).fetchall()}
    fixed = shape_columns(connection)
    if not fixed.keys() <= names:
        missing = ", ".join(sorted(fixed.keys() - names)[:3])
        raise BrokenLake(f"its catalog lacks {missing}: it is of another version of DuckLake; open it once to write")
    return dict(sorted((fixed | inlined_columns(connection, _FROM, names - fixed.keys())).items()))


def _made(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the statements that make DuckLake's own tables, with their keys, in the target."""
    found = connection.execute(_SHAPE).fetchall()
    return {name: sql.replace("CREATE TABLE ", f"create table {_TO}.", 1) for name, sql in found}


def _create(table: str, columns: Sequence[Column], target: Settings) -> str:
    listed = ", ".join(f'"{column.name}" {stored_type(column, target.on_postgres)}' for column in columns)
    return f'create table {_TO}."{table}" ({listed})'


def _normal_rows(table: str, columns: Sequence[Column], old: str, new: str) -> str:
    """Return a query for a table's rows in the form both kinds of database share, with the files' place exchanged."""
    names = {column.name for column in columns}
    listed = []
    for column in columns:
        value = column.normal
        if column.name == "path" and "path_is_relative" in names:
            absolute, moved = _elsewhere(old, new)
            value = f"case when {absolute} then {moved} else path end"
        if table == "ducklake_metadata" and column.name == "value":
            value = f"case when key = 'data_path' then {quoted(new)} else value end"
        listed.append(f'{value} as "{column.name}"')
    return f'select {", ".join(listed)} from {_FROM}."{table}"'  # noqa: S608


def _elsewhere(old: str, new: str) -> tuple[str, str]:
    """Return the condition for a path that names the old place, and what it is in the new one."""
    absolute = f"not cast(path_is_relative as boolean) and starts_with(path, {quoted(old)})"
    return absolute, f"{quoted(new)} || substr(path, {len(old) + 1})"


def _put_in_place(moving: Path, final: Path) -> None:
    """Let the file be the catalog, in one step that survives a power cut."""
    with closing(sqlite3.connect(moving)) as connection:
        connection.execute("pragma journal_mode = wal")  # as the lake is attached; who only reads could not change it
    for beside in ("-wal", "-shm"):
        final.with_name(final.name + beside).unlink(missing_ok=True)
    sync(moving)
    moving.replace(final)
    sync(final.parent)
