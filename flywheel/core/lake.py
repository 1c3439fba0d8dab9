"""The lake: live tables as DuckLake, built a day at a time, with every commit a version.

Embedded, the catalog is SQLite and a file lock lets one writer in at a time; on Postgres it is one for each table.
What a table's name means inside of a build is in day_views.py.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import date
from typing import Any, Self

import duckdb
import polars as pl

from flywheel.core.contracts import ensure_contracts
from flywheel.core.day_views import show_day
from flywheel.core.duck import attach_statement, open_duckdb, plain_duckdb
from flywheel.core.durable import synced
from flywheel.core.errors import SchemaMismatch
from flywheel.core.locks import opening_lock, writer_lock
from flywheel.core.new_rows import first_of_each, unknown_rows
from flywheel.core.queries import Table, expanded, find_table
from flywheel.core.refusals import explained
from flywheel.core.settings import Settings, load_settings


class Lake:
    """One connection to the lake; cheap to open, not shared between threads."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, settings: Settings | None) -> None:
        self.connection = connection
        self.settings = settings
        self.at: int | None = None  # the older version it shows
        self._joined: duckdb.DuckDBPyConnection | None = None  # the open transaction of `together`

    @classmethod
    def open(cls, settings: Settings | None = None, *, at: int | None = None) -> Self:
        """Attach the lake, making what its contracts miss; `at` attaches an older version, read-only.

        Raises:
            LakeBusy: another writer kept the lake longer than we wait.
            MissingPart: a DuckDB extension is missing, or keys for S3.
            BadSetting: Postgres does not let us in, or its catalog belongs to a lake somewhere else.
            StoreBusy: Postgres is away.

        """
        settings = settings or load_settings()
        settings.control_folder.mkdir(parents=True, exist_ok=True)
        connection = open_duckdb(settings)
        statement = attach_statement(settings)
        if at is not None:
            statement = statement[:-1] + f", snapshot_version {int(at)})"
        with explained(settings), nullcontext() if at is not None else opening_lock(connection, settings):
            connection.execute(statement)
            if at is None:
                ensure_contracts(connection)
        connection.execute("use lake")
        lake = cls(connection, settings)
        lake.at = at
        return lake

    @classmethod
    def in_memory(cls) -> Self:
        """Return a lake with the same contracts and no storage; for trying queries out."""
        connection = plain_duckdb()
        connection.execute("attach ':memory:' as lake")
        ensure_contracts(connection)
        connection.execute("use lake")
        return cls(connection, None)

    def __enter__(self) -> Self:
        """Return the lake itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def frame(self, statement: str, **parameters: Any) -> pl.DataFrame:
        """Run a statement with `$parameters` and return its rows."""
        with explained(self.settings):
            return (self._joined or self.connection).execute(statement, parameters or None).pl()

    def scalar(self, statement: str, **parameters: Any) -> Any:
        """Run a statement and return the first column of its first row, or None."""
        with explained(self.settings):
            row = (self._joined or self.connection).execute(statement, parameters or None).fetchone()
        return None if row is None else row[0]

    def version(self) -> int:
        """Return the number of the newest commit: what `at (version => n)` takes."""
        return int(self.scalar("select max(snapshot_id) from lake.snapshots()"))

    def build(self, table: str, day: date, run_id: str = "", **parameters: Any) -> int:
        """Build one day of a table from its file; the same inputs leave the same rows and no new version.

        Returns the number of rows the day now has.

        Raises:
            UnknownTable: no file builds it.
            SchemaMismatch: the query's columns are not the contract's.

        """
        spec = find_table(table)
        with self._cursor() as cursor:
            self._make(cursor, spec, day, parameters)
            return self._swap(cursor, spec, day, run_id)

    def replace(self, table: str, day: date, rows: pl.DataFrame, run_id: str = "") -> int:
        """Make these rows the whole of one day of a landed table.

        Raises:
            SchemaMismatch: the rows' columns are not the contract's.

        """
        with self._cursor() as cursor:
            cursor.register("made_rows", rows.with_columns(pl.lit(day).alias("day")).to_arrow())
            return self._swap(cursor, find_table(table), day, run_id)

    def land(self, table: str, rows: pl.DataFrame, run_id: str = "") -> int:
        """Add the rows whose key is not there yet; return how many were new.

        Delivering rows twice, or again after a crash, therefore changes nothing.

        Raises:
            SchemaMismatch: the rows lack a column of the contract or have one too many.

        """
        spec = find_table(table)
        self._check_columns(spec, rows.columns)
        if rows.is_empty():
            return 0
        rows = first_of_each(rows, list(spec.key))
        with self._cursor() as cursor, self._commit(cursor, f"land {table}", spec.name):
            rows = unknown_rows(cursor, spec, rows)
            if not rows.is_empty():
                cursor.register("fresh_rows", rows.to_arrow(compat_level=pl.CompatLevel.newest()))
                cursor.execute(
                    f"insert into lake.{spec.name} by name select *, $run_id as run_id from fresh_rows",  # noqa: S608 - names come from our own files
                    {"run_id": run_id},
                )
                cursor.unregister("fresh_rows")
        return rows.height

    def typed(self, table: str, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
        """Return rows as a frame with the columns and types of the table's contract; what a row lacks is null."""
        find_table(table)
        schema = self.frame(f"select * exclude (run_id) from lake.{table} limit 0").schema  # noqa: S608 - a known table
        return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)

    def rows_of(self, table: str, day: date, **parameters: Any) -> pl.DataFrame:
        """Return what a build of this day would hold, without writing it."""
        with self._cursor() as cursor:
            self._make(cursor, find_table(table), day, parameters)
            return cursor.execute("select * from made_rows").pl()

    @contextmanager
    def transaction(self, message: str, table: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor whose statements land as one version or not at all; nobody else writes the table meanwhile.

        Raises:
            LakeBusy: a rival changed the same rows; nothing of this is there, and it can be tried again.

        """
        with self._cursor() as cursor, self._commit(cursor, message, table):
            yield cursor

    @contextmanager
    def together(self, message: str, *tables: str) -> Iterator[None]:
        """Let all that is landed inside become one version, or nothing of it; reads inside see it already.

        Raises:
            LakeBusy: another writer kept one of the tables, or changed the same rows.

        """
        with self._cursor() as cursor, self._commit(cursor, message, *tables):
            self._joined = cursor
            try:
                yield
            finally:
                self._joined = None

    def reading(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Return a cursor to ask with; inside of `together` it sees what has been landed there."""
        return self._cursor()

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection of its own to the same lake: temporary views and variables stay on it."""
        if self._joined is not None:
            yield self._joined
            return
        cursor = self.connection.cursor()
        try:
            with explained(self.settings):
                cursor.execute("use lake")
                yield cursor
        finally:
            cursor.close()

    @contextmanager
    def _commit(self, cursor: duckdb.DuckDBPyConnection, message: str, *tables: str) -> Iterator[None]:
        """Commit what is done inside as one version; nobody else writes the tables from beginning to end."""
        if self._joined is not None:
            yield
            return
        with ExitStack() as locks:
            for lock in self._locks(tables):
                locks.enter_context(lock)
            cursor.execute("begin")
            try:
                with synced(self.settings, *tables):
                    yield
                if self.settings is not None:
                    cursor.execute("call lake.set_commit_message('flywheel', $message)", {"message": message})
            except BaseException:
                cursor.execute("rollback")
                raise
            cursor.execute("commit")  # one that fails has ended the transaction already

    def _locks(self, tables: tuple[str, ...]) -> list[AbstractContextManager[None]]:
        """Return one lock for the whole of an embedded lake, one per table of a shared one."""
        if self.settings is None:
            return []
        names = sorted(tables) if self.settings.on_postgres and tables else [""]
        return [writer_lock(self.connection, self.settings, name) for name in names]

    def _make(self, cursor: duckdb.DuckDBPyConnection, spec: Table, day: date, parameters: dict[str, Any]) -> None:
        """Put the day's rows into `made_rows`, a temporary table that DuckDB may spill."""
        if spec.query is None:
            raise SchemaMismatch(spec.name, ["no query: a stage lands this table"], ["a query"])
        show_day(cursor, spec, day)
        given = {"day": day, **parameters}
        query = expanded(spec.query)
        cursor.execute(
            f"create or replace temp table made_rows as {query}",
            {name: given[name] for name in spec.parameters},
        )

    def _swap(self, cursor: duckdb.DuckDBPyConnection, spec: Table, day: date, run_id: str) -> int:
        """Put `made_rows` in the place of the table's day, unless they are what is there."""
        made = cursor.execute("describe select * from made_rows").fetchall()
        self._check_columns(spec, [row[0] for row in made])
        with self._commit(cursor, f"build {spec.name} {day}", spec.name):
            if not _is_same(cursor, spec.name, day):
                cursor.execute(f"delete from lake.{spec.name} where day = $day", {"day": day})  # noqa: S608 - a known table
                cursor.execute(
                    f"insert into lake.{spec.name} by name select *, $run_id as run_id from made_rows",  # noqa: S608
                    {"run_id": run_id},
                )
        return _count(cursor, "select * from made_rows")

    def _check_columns(self, spec: Table, columns: list[str]) -> None:
        expected = {
            row[0]
            for row in self.connection.execute(
                "select column_name from duckdb_columns() where database_name = 'lake' and table_name = $name",
                {"name": spec.name},
            ).fetchall()
        } - {"run_id"}
        if set(columns) != expected:
            raise SchemaMismatch(spec.name, columns, expected)


def _is_same(cursor: duckdb.DuckDBPyConnection, table: str, day: date) -> bool:
    """Whether the day already holds exactly these rows, whoever wrote them; rows are compared only if as many."""
    made = "select * from made_rows"
    held = f"select * exclude (run_id) from lake.{table} where day = $day"  # noqa: S608 - a known table
    if _count(cursor, made) != _count(cursor, held, day=day):
        return False
    columns = [row[0] for row in cursor.execute(f"describe {held}", {"day": day}).fetchall()]
    listed = ", ".join(columns)
    # of as many rows on both sides, with repetitions, one side lacks some as soon as the other does
    missing = f"(select {listed} from ({made})) except all (select {listed} from ({held}))"  # noqa: S608
    return not _count(cursor, missing, day=day)


def _count(cursor: duckdb.DuckDBPyConnection, query: str, **parameters: Any) -> int:
    row = cursor.execute(f"select count(*) from ({query})", parameters or None).fetchone()  # noqa: S608 - queries of ours
    return int(row[0]) if row else 0
