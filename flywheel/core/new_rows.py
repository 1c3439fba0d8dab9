"""Which rows of a delivery are new: only keys are compared, so that their texts are not held a second time."""

from collections.abc import Sequence

import duckdb
import polars as pl

from flywheel.core.queries import Table


def first_of_each(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Return the rows without those whose key came before; the usual case, without any, copies nothing."""
    has_repeats = rows.select(key).n_unique() < rows.height
    return rows.unique(subset=key, keep="first", maintain_order=True) if has_repeats else rows


def unknown_rows(cursor: duckdb.DuckDBPyConnection, spec: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose key is not in the table yet."""
    # a key that contains the day lets DuckDB skip every other day's files
    is_daily = "day" in spec.key
    same_day = "landed.day between $first_day and $last_day" if is_daily else "true"
    keys = " and ".join(f"landed.{column} is not distinct from fresh.{column}" for column in spec.key)
    cursor.register("fresh_keys", rows.select(spec.key).with_row_index("place").to_arrow())
    places = cursor.execute(
        f"select place from fresh_keys as fresh where not exists "  # noqa: S608 - names come from our own files
        f"(select 1 from lake.{spec.name} as landed where {same_day} and {keys}) order by place",
        {"first_day": rows["day"].min(), "last_day": rows["day"].max()} if is_daily else None,
    ).fetchnumpy()["place"]
    cursor.unregister("fresh_keys")
    return rows if len(places) == rows.height else rows[places]
