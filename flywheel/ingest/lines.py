"""Read a log line by line: what cannot be read is set aside with its place and its reason, the rest goes on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

import orjson
import polars as pl

LINES_PER_BATCH = 20_000  # a batch of 2 KB records is 40 MB: memory stays flat however long the file is
LONGEST_LINE_BYTES = 32 * 1024 * 1024  # longer than any model's context; a longer line is a broken writer
RAW_KEPT = 10_000  # characters of a refused line that quarantine keeps


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that is not a record, and where it stands."""

    source_line: int
    byte_offset: int
    reason: str
    detail: str
    raw: str


@dataclass(slots=True)
class LineBatch:
    """Consecutive lines of one log: records as JSON text, and what was refused between them."""

    source_lines: list[int] = field(default_factory=list)
    byte_offsets: list[int] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    refused: list[RefusedLine] = field(default_factory=list)

    @property
    def read_count(self) -> int:
        """How many lines that are not blank this batch stands for."""
        return len(self.records) + len(self.refused)

    def frame(self) -> pl.DataFrame:
        """Return the readable lines as (source_line, byte_offset, record)."""
        return pl.DataFrame(
            {"source_line": self.source_lines, "byte_offset": self.byte_offsets, "record": self.records},
            schema={"source_line": pl.Int64, "byte_offset": pl.Int64, "record": pl.String},
        )


def _why_refused(line: bytes) -> tuple[str, str] | None:
    """Return the reason and detail when a line is not one JSON object, else None."""
    if len(line) > LONGEST_LINE_BYTES:
        return "line_too_long", f"{len(line)} bytes; the limit is {LONGEST_LINE_BYTES}"
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as broken:
        return "invalid_utf8", f"byte {broken.start} of the line: {broken.reason}"
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as broken:
        return "invalid_json", str(broken)
    if not isinstance(record, dict):
        return "not_an_object", f"a {type(record).__name__}, expected an object"
    return None


def read_batches(stream: IO[bytes] | Iterable[bytes]) -> Iterator[LineBatch]:
    """Yield batches of at most LINES_PER_BATCH lines; blank lines do not count."""
    batch, offset = LineBatch(), 0
    for number, line in enumerate(stream, start=1):
        here, offset = offset, offset + len(line)
        text = line.strip()
        if not text:
            continue
        refusal = _why_refused(text)
        if refusal is None:
            batch.source_lines.append(number)
            batch.byte_offsets.append(here)
            batch.records.append(text.decode("utf-8"))
        else:
            raw = text[:RAW_KEPT].decode("utf-8", "backslashreplace")
            batch.refused.append(RefusedLine(number, here, *refusal, raw))
        if batch.read_count >= LINES_PER_BATCH:
            yield batch
            batch = LineBatch()
    if batch.read_count:
        yield batch
