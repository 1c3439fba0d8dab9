"""Which days of which tables lie in many small pieces, and how to make one file of them.

Not by DuckLake's own flushing and merging: they change what the catalog says about versions that somebody may be
reading. Measured on 1.5.5 with a catalog in SQLite, a query under way at that moment counted 154 or 11 of 159 rows,
without an error. A day that is deleted and inserted in one commit is a new version like any other: whoever reads the
one before goes on reading its files.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from flywheel.core.lake import Lake
from flywheel.core.lake_catalog import inlined_rows, live_rows, named_files
from flywheel.core.queries import find_table, load_tables

_SMALL_BYTES = 8 << 20  # below, opening a file costs about as much as reading it
_INLINED_LIMIT = 10  # rows up to which DuckLake keeps an insert in the catalog: writing fewer anew moves nothing


# rows in small files, and rows that wait in the catalog for one: DuckLake says where each row is
_SMALL_PIECES = (
    "(parse_filename(filename) in (select unnest($names)) or starts_with(filename, 'ducklake_inlined_data'))"
)


@dataclass(slots=True)
class _Pieces:
    """What a day of a table consists of."""

    small_files: int = 0
    delete_files: int = 0
    file_rows: int = 0
    inlined: int = 0

    @property
    def is_scattered(self) -> bool:
        """Whether one file would do, and would be one."""
        if self.file_rows + self.inlined <= _INLINED_LIMIT:
            return self.file_rows > 0 and self.small_files + self.delete_files > 1
        return self.small_files + self.delete_files + (self.inlined > 0) > 1 or self.inlined > _INLINED_LIMIT


def scattered_days(lake: Lake) -> list[tuple[str, date]]:
    """Return the tables and days of the newest version that compaction would make one file of."""
    found: dict[tuple[str, date], _Pieces] = {}
    live = live_rows(lake)
    for file in named_files(lake).values():
        if file.day is None or live.get(file.data_name, 0) <= 0:  # a file of which all is deleted is no piece
            continue
        pieces = found.setdefault((file.table, file.day), _Pieces())
        pieces.delete_files += file.is_delete and file.end is None
        if not file.is_delete:
            pieces.small_files += file.size_bytes < _SMALL_BYTES
            pieces.file_rows += live[file.name]
    for place, count in inlined_rows(lake).items():
        found.setdefault(place, _Pieces()).inlined += count
    return sorted(place for place, pieces in found.items() if pieces.is_scattered and place[0] in load_tables())


def gather_day(lake: Lake, table: str, day: date) -> None:
    """Write one day of a table anew, in one commit; its rows and who wrote them stay the same.

    Raises:
        LakeBusy: another writer keeps the table.

    """
    _gather(lake, table, day, "true")


def _gather(lake: Lake, table: str, day: date, condition: str, **given: object) -> None:
    """Write rows of a day anew, those that meet a condition of ours."""
    name = find_table(table).name
    rows = f"from lake.{name} where day = $day and {condition}"
    with lake.transaction(f"compact {name} {day}", name) as cursor:
        cursor.execute(f"create or replace temp table kept_rows as select * {rows}", {"day": day, **given})
        cursor.execute(f"delete {rows}", {"day": day, **given})
        cursor.execute(f"insert into lake.{name} by name from kept_rows")


def gather_small(lake: Lake, tables: Iterable[str]) -> int:
    """Make one file of the small pieces of each scattered day of some tables; return how many days that were.

    Files that are large already stay where they are, so that this can be done often while a day grows.

    Raises:
        LakeBusy: another writer keeps a table.

    """
    wanted = set(tables)
    days = [(table, day) for table, day in scattered_days(lake) if table in wanted]
    live = [file for file in named_files(lake).values() if file.end is None and not file.is_delete] if days else []
    small = [file for file in live if file.size_bytes < _SMALL_BYTES]
    for table, day in days:
        names = [file.name.rsplit("/", 1)[-1] for file in small if (file.table, file.day) == (table, day)]
        _gather(lake, table, day, _SMALL_PIECES, names=names)
    return len(days)
