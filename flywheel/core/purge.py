"""Let go of everything but the newest version: old snapshots, their files, statistics about them, freed pages.

Deleting rows is not enough to be rid of them. DuckLake keeps deleted rows in their Parquet files and in snapshots,
keeps the smallest and greatest value of each column in its catalog, and SQLite keeps what was deleted in free pages.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb

from flywheel.core.duck import attach_statement
from flywheel.core.durable import synced
from flywheel.core.errors import LakeBusy
from flywheel.core.lake import Lake
from flywheel.core.locks import CATALOG, writer_lock
from flywheel.core.refusals import explained
from flywheel.core.settings import Settings

_WAIT_SECONDS = 30.0  # readers of an embedded catalog hold it for milliseconds

_WRITES = (
    "call ducklake_flush_inlined_data('lake')",
    "call ducklake_rewrite_data_files('lake', delete_threshold => 0)",
)
_DELETES = (
    "call ducklake_expire_snapshots('lake', older_than => now())",
    "call ducklake_cleanup_old_files('lake', cleanup_all => true)",
)
# On Postgres somebody may be writing files that no commit names yet; embedded, the writer lock keeps others out.
_ORPHANS = {
    True: "call ducklake_delete_orphaned_files('lake', older_than => now() - interval 1 day)",
    False: "call ducklake_delete_orphaned_files('lake', cleanup_all => true)",
}
# What no file that is left has as its bound is a bound of something that is gone.
_STALE_BOUND = f"""
update {CATALOG}.ducklake_table_column_stats as known set {{bound}} = null
where {{bound}} is not null and not exists (
    select 1 from {CATALOG}.ducklake_file_column_stats as held
    where held.table_id = known.table_id and held.column_id = known.column_id and held.{{bound}} = known.{{bound}}
)
"""  # noqa: S608 - names of DuckLake's own


def purge_history(lake: Lake) -> None:
    """Remove every version but the newest, with all bytes that only older ones used.

    Raises:
        LakeBusy: somebody else keeps the lake or its catalog for longer than we wait.

    """
    settings = lake.settings
    if settings is None:
        return
    with explained(settings), writer_lock(lake.connection, settings, ""):
        with synced(settings):  # what is deleted next may be all that has the rows
            for step in _WRITES:
                lake.connection.execute(step).fetchall()
        for step in (*_DELETES, _ORPHANS[settings.on_postgres]):
            lake.connection.execute(step).fetchall()  # a result left open would be committed by its destructor
        for bound in ("min_value", "max_value"):
            lake.connection.execute(_STALE_BOUND.format(bound=bound)).fetchall()
        if not settings.on_postgres:
            _vacuum_catalog(lake.connection, settings)


def _vacuum_catalog(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Rewrite the SQLite catalog without its free pages; DuckDB has to let go of it for that moment."""
    connection.execute("use memory")
    connection.execute("detach lake")
    try:
        vacuum_sqlite(settings.catalog_file)
    finally:
        connection.execute(attach_statement(settings))
        connection.execute("use lake")


def vacuum_sqlite(path: Path) -> None:
    """Rewrite a SQLite file without its free pages, and empty its write-ahead log.

    Raises:
        LakeBusy: somebody reads or writes it for longer than we wait.

    """
    with closing(sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)) as connection:
        try:
            connection.execute("vacuum")
            is_busy = connection.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
        except sqlite3.OperationalError as held:
            raise LakeBusy(str(path), _WAIT_SECONDS) from held
    if is_busy:
        raise LakeBusy(str(path), _WAIT_SECONDS)
