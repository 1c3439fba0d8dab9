"""What doctor looks at in the lake: DuckDB, the catalog, and whether the store can create a key only once."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

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
    from flywheel.core.statements import open_checked, probe_write

    try:
        with open_checked(settings) as lake:
            probe_write(lake)
            return Check("lake", State.OK, f"{settings.lake_root}, writable, version {lake.version()}")
    except FlywheelError as failed:
        todo = "check `lake`, `catalog` and who may write there"
        return Check("lake", State.BROKEN, f"{settings.lake_root}: {failed}", todo)


def _store(settings: "Settings") -> Check:
    """Create the same throw-away key twice: the second time must be refused, or two publishers could both win."""
    from flywheel.core.storage import open_store
    from flywheel.core.store_probe import creates_once

    try:
        is_safe = creates_once(open_store(settings))
    except (FlywheelError, OSError) as failed:
        todo = "check `lake`, `s3_endpoint` and the credentials"
        return Check("object store", State.BROKEN, f"{settings.lake_root}: {failed}", todo)
    if is_safe:
        return Check("object store", State.OK, f"{settings.lake_root}, creates a key only once")
    todo = (
        "switch the bucket's versioning off, use a newer server, or set `single_publisher` and publish from one place"
    )
    state = State.MISSING if settings.single_publisher else State.BROKEN
    return Check("object store", state, f"{settings.lake_root} lets a key be created twice", todo)
