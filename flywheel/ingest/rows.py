"""Rows of CSV and Parquet as records: each becomes a JSON object with the columns as its keys."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flywheel.core.scratch import Scratch
from flywheel.ingest.blocks import (
    BLOCK_BYTES,
    LONGEST_RECORD_BYTES,
    RAW_BYTES,
    Block,
    Place,
    RefusedLine,
    shown,
    text_array,
)
from flywheel.ingest.lines import Stream, damage_block

_MOST_ROWS = 20_000  # of Parquet at once, whatever its metadata says about their size
_BUFFER_BYTES = 1024 * 1024
_THRIFT_BYTES = 100 * 1024 * 1024  # of metadata; a file that says it has more lies
_AS_JSON = "select to_json(parquet_row) as record from parquet_row"
PARQUET_ERRORS = (pa.ArrowException, OSError, MemoryError, ValueError)


def parquet_blocks(file: IO[bytes], scratch: Scratch) -> Iterator[Block]:
    """Yield the rows of a Parquet file; `source_line` is the row's number, and there is no byte offset.

    Raises:
        PARQUET_ERRORS: the file is not what it says it is.

    """
    parquet = pq.ParquetFile(
        pa.PythonFile(file, mode="r"),
        buffer_size=_BUFFER_BYTES,
        pre_buffer=False,
        thrift_string_size_limit=_THRIFT_BYTES,
        thrift_container_size_limit=_THRIFT_BYTES,
        page_checksum_verification=True,
    )
    row_count = 0
    for batch in parquet.iter_batches(batch_size=_rows_at_once(parquet.metadata), use_threads=False):
        texts = scratch.ask(_AS_JSON, {"parquet_row": pa.table(_finite(batch))})["record"].to_arrow()
        first, row_count = row_count + 1, row_count + len(batch)
        lines = np.arange(first, row_count + 1, dtype=np.int64)
        yield Block(texts.cast(pa.large_string()), lines, None, Place(row_count, row_count))


def _rows_at_once(metadata: pq.FileMetaData) -> int:
    groups = [metadata.row_group(at) for at in range(min(metadata.num_row_groups, 100))]
    total, count = sum(max(group.total_byte_size, 0) for group in groups), sum(group.num_rows for group in groups)
    per_row = total / count if total and count > 0 else 1.0
    return max(1, min(_MOST_ROWS, int(BLOCK_BYTES / per_row)))


def _finite(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows whose numbers JSON can say: NaN and infinities become null."""
    for at, column in enumerate(batch.schema):
        if pa.types.is_floating(column.type):
            numbers = batch.column(at).cast(pa.float64())
            cleaned = pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
            batch = batch.set_column(at, column.name, cleaned)
    return batch


@dataclass(slots=True)
class _Sheet:
    """A CSV being read: lines with their offsets, and those of the row that is being put together."""

    lines: Iterator[tuple[bytes, int]]
    again: list[tuple[bytes, int]] = field(default_factory=list)  # to be read once more, the next one last
    taken: list[tuple[bytes, int]] = field(default_factory=list)
    taken_bytes: int = 0

    def __iter__(self) -> Iterator[str]:
        """Yield lines for the csv module, which asks for more while a text is open."""
        while (line := self.again.pop() if self.again else next(self.lines, None)) is not None:
            self.taken.append(line)
            self.taken_bytes += len(line[0])
            if self.taken_bytes > LONGEST_RECORD_BYTES:
                raise csv.Error(f"more than {LONGEST_RECORD_BYTES} bytes without an end of the row")
            yield line[0].decode("utf-8", "surrogateescape")

    def take_back(self) -> None:
        """Give all lines of the row back but the first: a quote that never ends must not take the others with it."""
        self.again += reversed(self.taken[1:])

    def rows(self, delimiter: str) -> Iterator[tuple[list[str], str]]:
        """Yield each row's cells, or none of them and what is wrong; the row's lines are in `taken` meanwhile."""
        while True:
            try:
                for cells in csv.reader(iter(self), delimiter=delimiter, strict=True):
                    yield cells, ""
                    self.taken, self.taken_bytes = [], 0
                return
            except csv.Error as broken:
                if not self.taken:
                    return
                self.take_back()
                yield [], str(broken)
                self.taken, self.taken_bytes = [], 0


@dataclass(slots=True)
class _Rows:
    """Rows of a CSV file that wait for their block."""

    header: list[str] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    refused: list[RefusedLine] = field(default_factory=list)
    size: int = 0

    def add(self, cells: list[str], number: int, offset: int) -> None:
        """Keep one row as JSON."""
        text = _as_json(self.header, cells)
        self.texts.append(text)
        self.numbers.append(number)
        self.offsets.append(offset)
        self.size += len(text)

    def block(self, place: Place) -> Block:
        """Return what waited as a block, and wait for the next."""
        numbers, offsets = np.array(self.numbers, np.int64), np.array(self.offsets, np.int64)
        block = Block(text_array(self.texts), numbers, offsets, place, tuple(self.refused))
        self.texts, self.numbers, self.offsets, self.refused, self.size = [], [], [], [], 0
        return block


def csv_blocks(stream: Stream, delimiter: str) -> Iterator[Block]:
    """Yield the rows of a CSV file with a header; `source_line` is the row's number, the header's is 1."""
    csv.field_size_limit(LONGEST_RECORD_BYTES)
    sheet, rows = _Sheet(_lines(stream)), _Rows()
    place = Place()
    for number, (cells, broken) in enumerate(sheet.rows(delimiter), start=1):
        raw, offset = sheet.taken[0]
        place = Place(offset + len(raw), number)
        problem = broken or _why_ragged(cells, rows.header)
        if problem:
            if not broken:
                sheet.take_back()
            rows.refused.append(RefusedLine(number, offset, "invalid_csv", problem, shown(raw[:RAW_BYTES])))
        elif not rows.header:
            rows.header = [cell.removeprefix("\ufeff").strip() for cell in cells]
        elif cells:
            rows.add(cells, number, offset)
        if rows.size >= BLOCK_BYTES or len(rows.refused) >= _MOST_ROWS:
            yield rows.block(place)
    if rows.texts or rows.refused:
        yield rows.block(place)
    yield from damage_block(stream, place)


def _why_ragged(cells: list[str], header: list[str]) -> str:
    is_ragged = bool(header) and bool(cells) and len(cells) != len(header)
    return f"{len(cells)} fields, the header has {len(header)}" if is_ragged else ""


def _lines(stream: Stream) -> Iterator[tuple[bytes, int]]:
    """Yield lines with their ends and offsets; one over the limit comes cut, and is refused as a row."""
    held, offset = b"", 0
    while chunk := stream.read(BLOCK_BYTES):
        lines = io.BytesIO(held + chunk).readlines()
        held = lines.pop() if not lines[-1].endswith(b"\n") else b""
        for line in lines:
            yield line, offset
            offset += len(line)
        if len(held) > LONGEST_RECORD_BYTES:
            yield held, offset
            offset, held = offset + len(held), b""
    if held:
        yield held, offset


def _as_json(header: list[str], cells: list[str]) -> bytes:
    try:
        return orjson.dumps(dict(zip(header, cells, strict=True)))
    except TypeError:  # a byte that is no UTF-8: the check of all records says so
        told = zip(header, cells, strict=True)
        parts = [_quoted(name) + b":" + _quoted(cell) for name, cell in told]
        return b"{" + b",".join(parts) + b"}"


def _quoted(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
