"""Build days of a table again whose files cannot be read.

DuckLake opens a file to delete its rows, so what is missing cannot be deleted; `truncate` opens it as well. A query
that says `day <> ...` skips the day's files by what the catalog knows of them, and dropping a table opens none. The
table is therefore made again in one commit: its other days, copied, and these days, built. Older versions stay.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeAlias

import duckdb
import polars as pl

from flywheel.core.errors import BrokenLake, StoreBusy
from flywheel.core.lake import Lake
from flywheel.core.queries import Table, find_table

Made: TypeAlias = Mapping[date, pl.DataFrame]

# what DuckDB says of a file that is gone, or is no Parquet; one that is gone from S3 becomes StoreBusy on its way
_UNREAD = (duckdb.IOException, duckdb.InvalidInputException, StoreBusy)


def made_again(lake: Lake, table: str, days: Sequence[date], parameters: Mapping[str, float]) -> Made:
    """Return the rows that a table's query makes of each of these days now; nothing is written.

    Raises:
        BrokenLake: what it is built from cannot be read either.

    """
    try:
        return {day: lake.rows_of(table, day, **parameters) for day in days}
    except _UNREAD as unread:
        raise BrokenLake(" ".join(str(unread).split())) from unread


def write_anew(lake: Lake, table: str, made: Made, run_id: str = "") -> None:
    """Replace a table by its other days and the rows that were made of these.

    Raises:
        BrokenLake: another day cannot be read either; nothing changed.
        LakeBusy: another writer keeps the table.

    """
    try:
        _replace(lake, find_table(table), made, run_id)
    except _UNREAD as unread:
        raise BrokenLake(" ".join(str(unread).split())) from unread


def _replace(lake: Lake, spec: Table, made: Made, run_id: str) -> None:
    # one comparison per day: DuckLake skips files by `<>`, and opens all of them for `not in`
    others = " and ".join(f"day <> $day_{number}" for number in range(len(made)))
    given = {f"day_{number}": day for number, day in enumerate(made)}
    told = ", ".join(str(day) for day in made)
    with lake.transaction(f"rebuild {spec.name} {told}", spec.name) as cursor:
        undated = cursor.execute(f"select count(*) from lake.{spec.name} where day is null").fetchone()  # noqa: S608 - a known table
        if undated and undated[0]:  # `day <> ...` would leave them behind
            raise BrokenLake(f"{spec.name} has {undated[0]} rows without a day")
        cursor.execute(
            f"create or replace temp table kept_rows as select * from lake.{spec.name} where {others}",  # noqa: S608
            given,
        )
        cursor.execute(f"drop table lake.{spec.name}")
        cursor.execute(spec.contract)
        cursor.execute(f"alter table lake.{spec.name} set partitioned by (day)")
        cursor.execute(f"insert into lake.{spec.name} by name from kept_rows")
        for rows in made.values():
            cursor.register("made_frame", rows.to_arrow())
            cursor.execute(
                f"insert into lake.{spec.name} by name select *, $run_id as run_id from made_frame",  # noqa: S608
                {"run_id": run_id},
            )
            cursor.unregister("made_frame")
