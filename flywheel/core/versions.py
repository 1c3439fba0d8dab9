"""Which versions a lake has, read without changing it, and what an old one has not got yet."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime

import duckdb

from flywheel.core.duck import attach_statement, open_duckdb
from flywheel.core.errors import MissingPart, NotInVersion, UnknownMoment
from flywheel.core.lake import Lake
from flywheel.core.locks import CATALOG
from flywheel.core.moments import AtRelease, AtVersion, LakeVersion, Moment, pick_version
from flywheel.core.refusals import explained
from flywheel.core.releases import find_release
from flywheel.core.settings import Settings, hidden
from flywheel.core.storage import open_store

_VERSIONS = "select snapshot_id, snapshot_time from lake.snapshots() order by snapshot_id"
_MISSING_TABLE = re.compile(r'Table with name "?([^"\s]+)"? does not exist')
_MISSING_COLUMN = re.compile(
    r'Referenced column "([^"]+)"|does not have a column named "([^"]+)"|Column "([^"]+)" (?:in|does not exist)'
)
# a view or column that was changed has several rows; its first one says when it came
_CAME_LATER = f"""
with known as (
    select 'table' as kind, table_name as name, '' as place, min(begin_snapshot) as came_with
    from {CATALOG}.ducklake_table group by table_name
    union all
    select 'view', view_name, '', min(begin_snapshot) from {CATALOG}.ducklake_view group by view_name
    union all
    select 'column', columns.column_name, tables.table_name, min(columns.begin_snapshot)
    from {CATALOG}.ducklake_column as columns
    inner join {CATALOG}.ducklake_table as tables on columns.table_id = tables.table_id
    group by columns.column_name, tables.table_name
)
select kind, name, place, came_with from known
where lower(name) = lower($name) and (kind = 'column') = $is_column and came_with > $at
order by came_with limit 1
"""  # noqa: S608 - names of DuckLake's own


def find_version(settings: Settings, moment: Moment, now: datetime) -> int:
    """Return the number of the lake's version that `--at` names; the lake is left as it is.

    Raises:
        UnknownMoment: there is no such version.
        UnknownVersion: there is no such release or tag.
        MissingPart: DuckDB cannot attach the lake.

    """
    if isinstance(moment, AtRelease):
        release = find_release(open_store(settings), settings.dataset, moment.name)
        if "lake_version" not in release.manifest:
            raise UnknownMoment(moment.text, f"release {release.version} does not say what it was made of")
        moment = AtVersion(moment.text, release.manifest["lake_version"])
    return pick_version(moment, lake_versions(settings), now)


def lake_versions(settings: Settings) -> list[LakeVersion]:
    """Return all versions that can be read, oldest first; none where there is no lake.

    Raises:
        MissingPart: DuckDB cannot attach the lake.
        BadSetting: Postgres does not let us in, or its catalog belongs to a lake somewhere else.
        StoreBusy: Postgres is away.

    """
    if not settings.on_postgres and not settings.catalog_file.exists():
        return []
    with closing(open_duckdb(settings)) as connection:
        try:
            with explained(settings):
                connection.execute(f"{attach_statement(settings)[:-1]}, read_only)")
                rows = connection.execute(_VERSIONS).fetchall()
        except duckdb.Error as failed:
            told = hidden(" ".join(str(failed).split()), settings.catalog)
            raise MissingPart(
                f"The lake {settings.lake!r}", f"{told.rstrip('.')}. `flywheel doctor` shows what is wrong."
            ) from None  # DuckDB's own message quotes the password
    return [LakeVersion(*row) for row in rows]


@contextmanager
def as_of_version(lake: Lake) -> Iterator[None]:
    """Say so where a query of ours meets a version that is older than what it reads.

    Raises:
        NotInVersion: the version has no such table, view or column.

    """
    try:
        yield
    except (duckdb.CatalogException, duckdb.BinderException) as failed:
        name, _ = _missing(failed)
        if lake.at is None or not name:
            raise
        raise came_later(lake, failed) or NotInVersion(lake.at, repr(name), None) from failed


def came_later(lake: Lake, failed: duckdb.Error) -> NotInVersion | None:
    """Return our error for a name that a newer version of the lake has and this one has not; None otherwise."""
    name, is_column = _missing(failed)
    if lake.at is None or not name:
        return None
    given = {"name": name, "is_column": is_column, "at": lake.at}
    row = lake.connection.execute(_CAME_LATER, given).fetchone()
    if row is None:
        return None
    kind, name, place, came_with = row
    return NotInVersion(lake.at, f"{kind} {name!r}{f' in {place}' if place else ''}", came_with)


def _missing(failed: duckdb.Error) -> tuple[str, bool]:
    """Return the name that DuckDB did not find, and whether it is a column's; the name is empty for other errors."""
    table, column = _MISSING_TABLE.search(str(failed)), _MISSING_COLUMN.search(str(failed))
    if table:
        return table[1], False
    return (next(filter(None, column.groups())), True) if column else ("", False)
