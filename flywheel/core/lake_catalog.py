"""What DuckLake's catalog names: the files of every version it still has, and rows that wait for a file."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from flywheel.core.lake import Lake
from flywheel.core.locks import CATALOG
from flywheel.core.refusals import explained

TABLES = "tables/"  # DuckLake's data_path, below the root of the store

# the tables of https://ducklake.select/docs/stable/specification/introduction
_TABLES = f"""
select t.table_id, t.table_name, s.path, s.path_is_relative, t.path, t.path_is_relative
from {CATALOG}.ducklake_table as t
inner join {CATALOG}.ducklake_schema as s on t.schema_id = s.schema_id
order by t.table_id, t.begin_snapshot
"""  # noqa: S608 - names of DuckLake's own
_DATA_FILES = f"""
select f.data_file_id, f.table_id, f.path, f.path_is_relative, f.file_format, f.record_count, f.file_size_bytes,
    f.begin_snapshot, f.end_snapshot, coalesce(f.partial_max, f.begin_snapshot), p.partition_value
from {CATALOG}.ducklake_data_file as f
left join {CATALOG}.ducklake_file_partition_value as p
    on f.data_file_id = p.data_file_id and p.partition_key_index = 0
"""  # noqa: S608
_DELETE_FILES = f"""
select data_file_id, table_id, path, path_is_relative, format, delete_count, file_size_bytes,
    begin_snapshot, end_snapshot, coalesce(partial_max, begin_snapshot)
from {CATALOG}.ducklake_delete_file
"""  # noqa: S608
_SCHEDULED = f"select path, path_is_relative from {CATALOG}.ducklake_files_scheduled_for_deletion"  # noqa: S608
_INLINED = f"select table_id, table_name from {CATALOG}.ducklake_inlined_data_tables"  # noqa: S608
_INLINED_NAME = re.compile(r"ducklake_inlined_data_\d+_\d+")


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that some version of the lake consists of, as the catalog tells it."""

    name: str  # in the store; what is not below tables/ has its whole path
    table: str
    day: date | None
    data_name: str  # its own name, or that of the data file whose rows this one deletes
    format: str
    row_count: int
    size_bytes: int
    begin: int  # the first version that reads it
    end: int | None  # the first version that does not any more; None: the newest reads it
    last: int  # the last version that added rows to it: later than the first where files were merged

    @property
    def is_delete(self) -> bool:
        """Whether it says which rows of another file are deleted."""
        return self.name != self.data_name

    @property
    def is_outside(self) -> bool:
        """Whether it is not among the objects of this lake: somebody added it by hand."""
        return not self.name.startswith(TABLES) or ".." in self.name.split("/")

    @property
    def readers(self) -> str:
        """Say which versions read it."""
        if self.end is None:
            return f"versions {self.begin} to the newest"
        return (
            f"only version {self.begin}" if self.end == self.begin + 1 else f"versions {self.begin} to {self.end - 1}"
        )


def named_files(lake: Lake) -> dict[str, NamedFile]:
    """Return the data and delete files of every version, by name."""
    with explained(lake.settings):
        folders = _folders(lake)
        data = _data_files(lake, folders)
        deleting = lake.connection.execute(_DELETE_FILES).fetchall()
    found = {file.name: file for file in data.values()}
    for number, table_id, path, is_relative, kind, rows, size, begin, end, last in deleting:
        about = data.get(number)
        if about is None:  # committed since the data files were listed
            continue
        table, folder = folders[table_id]
        name = _name(_root(lake), folder, path, is_relative=is_relative)
        until = about.end if end is None else end
        found[name] = NamedFile(name, table, about.day, about.name, kind, rows, size, begin, until, last)
    return found


def _data_files(lake: Lake, folders: Mapping[int, tuple[str, str]]) -> dict[int, NamedFile]:
    """Return the data files by DuckLake's number."""
    found = {}
    rows = lake.connection.execute(_DATA_FILES).fetchall()
    for number, table_id, path, is_relative, kind, count, size, begin, end, last, value in rows:
        table, folder = folders[table_id]
        name = _name(_root(lake), folder, path, is_relative=is_relative)
        found[number] = NamedFile(name, table, _day(value), name, kind, count, size, begin, end, last)
    return found


def live_rows(lake: Lake) -> dict[str, int]:
    """Return how many rows of each data file the newest version has, by name: what is deleted does not count.

    Small deletions are in the catalog, in a table that is made with the first of them.
    """
    with explained(lake.settings):
        folders = _folders(lake)
        data = _data_files(lake, folders)
        found = {file.name: file.row_count for file in data.values() if file.end is None}
        for file in named_files(lake).values():
            if file.is_delete and file.data_name in found and file.end is None:
                found[file.data_name] -= file.row_count
        for table_id in folders:
            for number, count in _inlined_deletes(lake, table_id):
                if number in data and data[number].name in found:
                    found[data[number].name] -= count
    return found


def _inlined_deletes(lake: Lake, table_id: int) -> list[tuple[int, int]]:
    counted = f"select file_id, count(*) from {CATALOG}.ducklake_inlined_delete_{int(table_id)} group by file_id"  # noqa: S608 - a number
    try:
        return lake.connection.execute(counted).fetchall()
    except duckdb.CatalogException:  # nothing small was ever deleted from this table
        return []


def _root(lake: Lake) -> str:
    return f"{lake.settings.lake_root}/{TABLES}" if lake.settings else ""


def scheduled_names(lake: Lake) -> set[str]:
    """Return the names of files that no version reads and that a cleaning is going to delete."""
    with explained(lake.settings):
        rows = lake.connection.execute(_SCHEDULED).fetchall()
    return {_name(_root(lake), "", path, is_relative=is_relative) for path, is_relative in rows}


def inlined_rows(lake: Lake) -> dict[tuple[str, date], int]:
    """Return how many rows of the newest version are in the catalog and not yet in a file, by table and day."""
    found: dict[tuple[str, date], int] = {}
    with explained(lake.settings):
        names = {number: table for number, (table, _) in _folders(lake).items()}
        for number, name in lake.connection.execute(_INLINED).fetchall():
            if number not in names or not _INLINED_NAME.fullmatch(name) or not _has_day(lake, name):
                continue
            counted = (
                f"select day::date, count(*) from {CATALOG}.{name} "  # noqa: S608 - a name of DuckLake's own form
                "where end_snapshot is null and day is not null group by day"
            )
            for day, count in lake.connection.execute(counted).fetchall():
                found[names[number], day] = found.get((names[number], day), 0) + int(count)
    return found


def _has_day(lake: Lake, name: str) -> bool:
    columns = lake.connection.execute(f"describe {CATALOG}.{name}").fetchall()
    return any(column[0] == "day" for column in columns)


def versions(lake: Lake) -> Mapping[int, str]:
    """Return every version there is and the message of its commit, oldest first."""
    with explained(lake.settings):
        rows = lake.connection.execute(
            "select snapshot_id, commit_message from lake.snapshots() order by 1"
        ).fetchall()
    return {int(number): message or "" for number, message in rows}


def by_table(files: Iterable[NamedFile]) -> dict[str, list[NamedFile]]:
    """Return files by the table they are of."""
    found: dict[str, list[NamedFile]] = {}
    for file in files:
        found.setdefault(file.table, []).append(file)
    return found


def _folders(lake: Lake) -> dict[int, tuple[str, str]]:
    """Return each table's name and its folder; a renamed table's newest name."""
    found = {}
    for number, table, schema_path, _, path, is_relative in lake.connection.execute(_TABLES).fetchall():
        found[number] = (table, f"{schema_path}{path}" if is_relative else path)
    return found


def _name(root: str, folder: str, path: str, *, is_relative: bool) -> str:
    """Return an object's name in the store, or its whole path where it is not in the store."""
    whole = f"{folder}{path}" if is_relative else path
    if root and whole.startswith(root):
        return f"{TABLES}{whole.removeprefix(root)}"
    return whole if whole.startswith("/") or "://" in whole else f"{TABLES}{whole}"


def _day(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:  # a table of somebody else's, in parts by something that is no day
        return None
