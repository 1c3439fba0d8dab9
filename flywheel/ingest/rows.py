"""Rows of CSV and Parquet as records: each becomes a JSON object with the columns as its keys."""

import csv
import io
from collections import deque
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
_ENDLESS = f"more than {LONGEST_RECORD_BYTES} bytes without an end of the row"
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
    """A CSV being read: lines with their offsets, and those of the row that is being put together.

    A row that fails costs its first line alone; each of the others may be the first of a row. What is open at the end
    of a line is ended by the same later line wherever the row began, so that line is looked for once, not once for
    each beginning: a file of unbalanced quotes takes time in proportion to its size.
    """

    lines: Iterator[tuple[bytes, int]]
    delimiter: str
    width: int = 0  # of the header, once there is one
    taken: list[tuple[bytes, int]] = field(default_factory=list)
    taken_bytes: int = 0
    again: deque[tuple[bytes, int]] = field(default_factory=deque)  # given back by a row that failed
    within: deque[tuple[bytes, int]] = field(default_factory=deque)  # before `again`: a first line, and what it opens
    within_bytes: int = 0
    fields: deque[int] = field(default_factory=deque)  # how many each line of `within` adds to the first one's
    field_count: int = 0
    ending: str | None = None  # whether the last line of `within` ends the row: nothing, or what is wrong there

    def __iter__(self) -> Iterator[str]:
        """Yield new lines for the csv module, which asks for more while a text is open."""
        for line in self.lines:
            self.taken.append(line)
            self.taken_bytes += len(line[0])
            if self.taken_bytes > LONGEST_RECORD_BYTES:
                raise csv.Error(_ENDLESS)
            yield _decoded(line)

    def rows(self) -> Iterator[tuple[list[str], str]]:
        """Yield each row's cells, or what is wrong with its first line; the lines are in `taken` meanwhile."""
        reader = self._reader(iter(self))
        while True:
            try:
                cells = next(reader)
                problem = self._why_ragged(len(cells))
            except StopIteration:
                return
            except csv.Error as broken:
                cells, problem, reader = [], str(broken), self._reader(iter(self))
            if problem:
                self.again.extend(self.taken[1:])
            yield cells, problem
            while self.again or self.within:
                yield self._retried()
            self.taken, self.taken_bytes = [], 0

    def _retried(self) -> tuple[list[str], str]:
        """Return a row that begins with the first of the lines that were given back."""
        if not self.within:
            self.within.append(self.again.popleft())
        line = _decoded(self.within[0])
        cells, problem = self._read(line)
        opened, is_broken = self._read(line + '"') if problem else ([], "")
        self.taken = [self.within[0]]
        if len(self.taken[0][0]) > LONGEST_RECORD_BYTES:
            problem = _ENDLESS
        elif problem and not is_broken:
            problem = self._ended(problem) or self._why_ragged(len(opened) + self.field_count)
            if not problem:
                self.taken = list(self.within)
                cells = next(self._reader(map(_decoded, self.taken)))
        else:
            problem = problem or self._why_ragged(len(cells))
        for _ in self.taken:
            self.within_bytes -= len(self.within.popleft()[0])
            self.field_count -= self.fields.popleft() if self.fields else 0
        return cells, problem

    def _ended(self, unended: str) -> str:
        """Find the line that ends the row which the first line opens; return what is wrong with that, or nothing."""
        if len(self.within) == 1:
            self.ending, self.within_bytes = None, len(self.within[0][0])
        while self.ending is None:
            if not self.again and (line := next(self.lines, None)) is not None:
                self.again.append(line)
            if not self.again:
                return unended
            if self.within_bytes + len(self.again[0][0]) > LONGEST_RECORD_BYTES:
                return _ENDLESS
            self.within.append(self.again.popleft())
            self.within_bytes += len(self.within[-1][0])
            line_within = '"' + _decoded(self.within[-1])
            cells, problem = self._read(line_within)
            still_open, is_broken = self._read(line_within + '"') if problem else ([], "")
            if not problem or is_broken:
                self.ending = problem
            self.fields.append(len(cells or still_open) - 1)
            self.field_count += self.fields[-1]
        return self.ending

    def _reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self.delimiter, strict=True)

    def _read(self, line: str) -> tuple[list[str], str]:
        """Return the cells of one line, or what is wrong: nothing, if a quote more at its end makes it a row."""
        try:
            return next(self._reader(iter([line]))), ""
        except csv.Error as broken:
            return [], str(broken)

    def _why_ragged(self, count: int) -> str:
        is_ragged = self.width and count and count != self.width
        return f"{count} fields, the header has {self.width}" if is_ragged else ""


def _decoded(line: tuple[bytes, int]) -> str:
    return line[0].decode("utf-8", "surrogateescape")


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
    sheet, rows = _Sheet(_lines(stream), delimiter), _Rows()
    place = Place()
    for number, (cells, problem) in enumerate(sheet.rows(), start=1):
        raw, offset = sheet.taken[0]
        place = Place(offset + len(raw), number)
        if problem:
            rows.refused.append(RefusedLine(number, offset, "invalid_csv", problem, shown(raw[:RAW_BYTES])))
        elif not rows.header:
            rows.header = [cell.removeprefix("\ufeff").strip() for cell in cells]
            sheet.width = len(cells)
        elif cells:
            rows.add(cells, number, offset)
        if rows.size >= BLOCK_BYTES or len(rows.refused) >= _MOST_ROWS:
            yield rows.block(place)
    if rows.texts or rows.refused:
        yield rows.block(place)
    yield from damage_block(stream, place)


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
