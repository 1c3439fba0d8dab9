"""Where records go, one at a time: lines of JSON, or groups of rows of Parquet."""

from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

_GROUP = 1_000  # records held in memory, and rows of a group


class Sink(Protocol):
    """A file that records are added to."""

    def __enter__(self) -> Self:
        """Open it."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left and close it."""
        ...

    def add(self, record: dict[str, Any]) -> None:
        """Write a record, now or with the next group."""
        ...


class JsonLines:
    """One JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def __enter__(self) -> Self:
        """Return itself: it is open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def add(self, record: dict[str, Any]) -> None:
        """Write one line."""
        self._file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


class ParquetRows:
    """Rows of Parquet with a schema that does not depend on what comes."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._schema = schema
        self._held: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        """Return itself: it is open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the last group and the footer."""
        if error is None:
            self._flush()
        self._writer.close()

    def add(self, record: dict[str, Any]) -> None:
        """Hold a record until its group is full."""
        self._held.append(record)
        if len(self._held) == _GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(pa.Table.from_pylist(self._held, schema=self._schema))
            self._held = []
