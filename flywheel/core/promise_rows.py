"""What Great Expectations is shown of the rows, and by which values they are found again in the lake."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from flywheel.core.promise_queries import columns_of, condition_columns
from flywheel.core.queries import load_tables


def as_pandas(rows: pl.DataFrame, promised: Iterable[Mapping[str, Any]]) -> Any:
    """Return the columns that promises are about as pandas: decimals as floats, lists and structs as JSON text.

    `promised` holds the arguments of each expectation; one about the whole table is shown every column.
    """
    wanted: set[str] = set()
    for kwargs in promised:
        read = {*columns_of(kwargs), *condition_columns(kwargs.get("row_condition"))}
        wanted |= read or set(rows.columns)
    kept = rows.select([name for name in rows.columns if name in wanted] or rows.columns[:1])
    return kept.with_columns(
        [_plain(kept[name]) for name, kind in kept.schema.items() if kind.is_nested() or kind.is_decimal()]
    ).to_pandas()


def _plain(column: pl.Series) -> pl.Series:
    if column.dtype.is_decimal():  # pandas batches of Decimal hang Great Expectations
        return column.cast(pl.Float64)
    texts = [None if value is None else json.dumps(value, default=str) for value in column.to_list()]
    return pl.Series(column.name, texts, dtype=pl.String)


def scope_of(name: str, rows: pl.DataFrame) -> dict[str, object]:
    """Return by which values the checked rows are found again: their day and, for a single row, its key."""
    table = load_tables().get(name)
    columns = ["day", *(table.key if table is not None and rows.height == 1 else ())]
    scope = {}
    for column in dict.fromkeys(columns):
        values = rows[column].unique() if column in rows.columns else pl.Series([])
        if values.len() == 1 and values[0] is not None:
            scope[column] = values[0]
    return scope


def not_finite_count(rows: pl.DataFrame, column: str) -> int:
    """Return how many values of a column are NaN or infinite; pandas would count NaN as missing."""
    if column not in rows.columns or not rows[column].dtype.is_float():
        return 0
    return int((~rows[column].is_finite()).sum())
