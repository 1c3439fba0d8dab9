"""What doctor looks at in the lake: DuckDB, the catalog, and whether the store can create a key only once."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

from flows.cli.checks import Check, State
from flywheel.core.errors import FlywheelError

if TYPE_CHECKING:
    from flywheel.core.settings import Settings

_EXTENSIONS = "select extension_name from duckdb_extensions() where loaded order by extension_name"
_OURS = ("ducklake", "httpfs", "postgres_scanner", "sqlite_scanner")


def check_lake(settings: "Settings") -> Iterator[Check]:
    """Yield how DuckDB, the lake and its object store stand."""
    yield _extensions(settings)
    yield Check("catalog", State.OK, "postgres" if settings.on_postgres else "sqlite, one writer at a time")
    yield _lake(settings)
    yield _store(settings)


def _extensions(settings: "Settings") -> Check:
    from flywheel.core.duck import open_duckdb

    try:
        with open_duckdb(settings) as connection:
            loaded = [name for (name,) in connection.execute(_EXTENSIONS).fetchall() if name in _OURS]
    except FlywheelError as failed:
        return Check("duckdb extensions", State.BROKEN, str(failed), "install the wheels that requirements.lock pins")
    return Check("duckdb extensions", State.OK, ", ".join(loaded))


def _lake(settings: "Settings") -> Check:
    """Open the lake and make, and take back, a table in it."""
    from flows.cli.opened import open_lake
    from flywheel.core.statements import probe_write

    try:
        with open_lake() as lake:
            probe_write(lake)
            return Check("lake", State.OK, f"{settings.lake_root}, writable, version {lake.version()}")
    except FlywheelError as failed:
        todo = "check `lake`, `catalog` and who may write there"
        return Check("lake", State.BROKEN, f"{settings.lake_root}: {failed}", todo)


def _store(settings: "Settings") -> Check:
    """Create the same throw-away key twice: the second time must be refused, or two publishers could both win."""
    from flywheel.core.storage import open_store

    name = f"probes/doctor-{uuid4().hex}"
    try:
        store = open_store(settings)
        is_first, is_second = store.put_new(name, b"first"), store.put_new(name, b"second")
        held = store.read(name)
        store.delete(name)
    except (FlywheelError, OSError) as failed:
        todo = "check `lake`, `s3_endpoint` and the credentials"
        return Check("object store", State.BROKEN, f"{settings.lake_root}: {failed}", todo)
    if is_first and not is_second and held == b"first":
        return Check("object store", State.OK, f"{settings.lake_root}, creates a key only once")
    todo = "publish from one place at a time only, or use a store with conditional writes (If-None-Match: *)"
    return Check("object store", State.BROKEN, f"{settings.lake_root} lets a key be created twice", todo)
