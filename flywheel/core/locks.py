"""Let one writer in at a time: a file's lock for an embedded lake, Postgres' own for each table of a shared one.

DuckLake takes commits of several writers, and merges two inserts into one table without a conflict. Looking whether
rows are there and adding them must therefore be one step, or two writers of the same rows would both add them.
"""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress

import duckdb
from filelock import FileLock, Timeout

from flywheel.core.duck import open_duckdb, quoted
from flywheel.core.errors import LakeBusy
from flywheel.core.refusals import explained
from flywheel.core.settings import Settings

WRITER_WAIT_SECONDS = 120.0  # a whole ingest commit of a large file fits; a dead writer's lock is freed by the system
CATALOG = "__ducklake_metadata_lake"  # what DuckLake calls the catalog's database when it attaches `lake`


def writer_lock(
    connection: duckdb.DuckDBPyConnection, settings: Settings, table: str
) -> AbstractContextManager[None]:
    """Return the lock to hold while committing to a table; LakeBusy when others keep it longer than we wait."""
    if settings.on_postgres:
        return postgres_lock(connection, f"flywheel table {table}")
    return file_lock(str(settings.control_folder / "catalog.lock"))


@contextmanager
def opening_lock(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Iterator[None]:
    """Hold the lock under which a lake is attached and its tables are made: DuckLake makes a new catalog unguarded.

    Raises:
        LakeBusy: somebody else kept it longer than we wait.

    """
    if not settings.on_postgres:
        with file_lock(str(settings.control_folder / "catalog.lock")):
            yield
        return
    connection.execute(f"attach {quoted(settings.catalog.removeprefix('postgres:'))} as opening (type postgres)")
    with postgres_lock(connection, "flywheel open", database="opening"):
        yield
    connection.execute("detach opening")


@contextmanager
def every_writer_lock(settings: Settings, tables: Iterable[str]) -> Iterator[None]:
    """Hold the locks of all tables, so that nobody commits to the lake meanwhile; readers go on.

    Raises:
        LakeBusy: somebody else kept one of them longer than we wait.

    """
    if not settings.on_postgres:
        with file_lock(str(settings.control_folder / "catalog.lock")):
            yield
        return
    names = [f"flywheel table {table}" for table in sorted({"", *tables})]  # in the order in which writers take them
    with closing(open_duckdb(settings)) as connection, explained(settings):
        connection.execute(f"attach {quoted(settings.catalog.removeprefix('postgres:'))} as quiet (type postgres)")
        with postgres_lock(connection, *names, database="quiet"):
            yield


@contextmanager
def file_lock(path: str, wait_seconds: float = WRITER_WAIT_SECONDS) -> Iterator[None]:
    """Hold a file's lock; the kernel frees it when the process ends, however it ends.

    Raises:
        LakeBusy: somebody else kept it longer than we wait.

    """
    lock = FileLock(path, timeout=wait_seconds)
    try:
        lock.acquire()
    except Timeout as held:
        raise LakeBusy(path, wait_seconds) from held
    try:
        yield
    finally:
        lock.release()


@contextmanager
def postgres_lock(
    connection: duckdb.DuckDBPyConnection,
    *names: str,
    database: str = CATALOG,
    wait_seconds: float = WRITER_WAIT_SECONDS,
) -> Iterator[None]:
    """Hold advisory locks of Postgres in a transaction of its own; the server frees them when the connection ends.

    Args:
        connection: a DuckDB that has attached the Postgres `database`.
        names: what is locked, the same for everybody who must not be at it at once.
        database: its name in DuckDB.
        wait_seconds: how long to wait.

    Raises:
        LakeBusy: somebody else kept it longer than we wait.

    """
    # crc32 is a bigint in Postgres; locks are per database, so only our names can meet
    taken = [f"select pg_advisory_xact_lock({zlib.crc32(name.encode())})" for name in names]
    statement = "; ".join([f"set local lock_timeout = {int(wait_seconds * 1000)}", *taken])
    holder = connection.cursor()
    try:
        holder.execute("begin")
        try:
            holder.execute(
                "call postgres_execute($database, $statement)", {"database": database, "statement": statement}
            )
        except duckdb.Error as refused:
            if "lock timeout" in str(refused):
                raise LakeBusy(", ".join(names), wait_seconds) from refused
            raise
        yield
    finally:
        with suppress(duckdb.Error):  # a connection that is gone holds no lock; closing it unended would abort Python
            holder.execute("rollback")
        holder.close()
