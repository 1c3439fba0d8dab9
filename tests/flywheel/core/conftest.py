"""Rows in a table's own columns, so that an example names only those that matter."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from flywheel.core.lake import Lake

Rows = Callable[..., pl.DataFrame]


@pytest.fixture
def rows_for() -> Rows:
    """Return a maker of frames: a table's contract without run_id, null where a row says nothing."""

    def make(lake: Lake, table: str, *rows: dict[str, Any]) -> pl.DataFrame:
        empty = lake.connection.table(table).limit(0).pl().drop("run_id")
        return pl.DataFrame(list(rows), schema=empty.schema)

    return make
