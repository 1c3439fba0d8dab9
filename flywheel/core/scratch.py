"""A connection beside the lake's own where frames are tables, for rows that are not in the lake yet."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, Self

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from flywheel.core.errors import UnreadableRows
from flywheel.core.lake import Lake
from flywheel.core.queries import parameters_of


class Scratch(AbstractContextManager["Scratch"]):
    """Ask queries about frames; times without a zone are in UTC."""

    def __init__(self, lake: Lake) -> None:
        self._cursor = lake.connection.cursor()
        self._cursor.execute("set timezone = 'UTC'")  # a cursor does not inherit it: the machine's zone would decide

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._cursor.close()

    def ask(self, query: str, views: Mapping[str, pa.Table], **parameters: Any) -> pl.DataFrame:
        """Return the rows of a query over named tables; parameters it does not have are left out.

        Raises:
            UnreadableRows: DuckDB stumbled over a row, or the query is wrong.

        """
        wanted = parameters_of(query)
        given = {name: value for name, value in parameters.items() if name in wanted}
        for name, rows in views.items():
            self._cursor.register(name, rows)
        try:
            return self._cursor.execute(query, given or None).pl()
        except duckdb.Error as refused:
            count = sum(len(rows) for rows in views.values())
            raise UnreadableRows(count, str(refused)) from refused
        finally:
            for name in views:
                self._cursor.unregister(name)

    def is_json(self, texts: pa.Array) -> npt.NDArray[np.bool_]:
        """Return which texts DuckDB can read as JSON; it is lenient about NaN, infinities and trailing commas."""
        self._cursor.register("texts", pa.table({"text": texts}))
        try:
            return self._cursor.execute("select json_valid(text) as is_json from texts").fetchnumpy()["is_json"]
        finally:
            self._cursor.unregister("texts")


@contextmanager
def frugal(lake: Lake) -> Iterator[None]:
    """Let DuckDB do all on this lake in one thread, and keep nothing of files it read.

    For many small queries more threads cost time and save none, and what landed is read once again, for its keys.
    """
    lake.connection.execute("set threads = 1; set enable_external_file_cache = false")
    try:
        yield
    finally:
        lake.connection.execute("reset threads; reset enable_external_file_cache")
