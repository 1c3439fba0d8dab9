"""Failures that ask the same thing in nearly the same words count as one problem."""

from datetime import date

import polars as pl

from flywheel.core.lake import Lake
from flywheel.text.near_duplicates import near_duplicates

_FAILING = """
select failures.trace_id as id, coalesce(traces.query, '') as text
from failures inner join traces on failures.trace_id = traces.trace_id and failures.day = traces.day
where failures.day = $day order by id
"""


def find_repeats(lake: Lake, day: date, run_id: str = "") -> int:
    """Collapse exact and near duplicates among the day's failures into `duplicates`; return the number of groups."""
    grouped = near_duplicates(lake.frame(_FAILING, day=day))
    rows = grouped.select(
        pl.col("id").alias("trace_id"),
        pl.col("cluster_id").cast(pl.String).alias("group_id"),
        "is_representative",
        pl.len().over("cluster_id").cast(pl.Int64).alias("group_size"),
    )
    lake.replace("duplicates", day, rows, run_id)
    return int(rows["is_representative"].sum())
