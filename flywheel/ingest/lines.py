"""Read a log line by line: what cannot be read is set aside with its place and its reason, the rest goes on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson
import polars as pl

LINES_PER_BATCH = 20_000  # a batch of 2 KB records is 40 MB: memory stays flat however long the file is
BYTES_PER_BATCH = 64 * 1024 * 1024  # and however long its lines are
LONGEST_LINE_BYTES = 32 * 1024 * 1024  # longer than any model's context; a longer line is a broken writer
_RAW_BYTES = 50_000  # of a refused line: more than quarantine keeps of it, in any script
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


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


def _why_refused(line: bytes, length: int) -> tuple[str, str] | None:
    """Return the reason and detail when a line is not one JSON object, else None."""
    if length > LONGEST_LINE_BYTES:
        return "line_too_long", f"{length} bytes; the limit is {LONGEST_LINE_BYTES}"
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


def split_lines(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield each line without its end, cut just over the limit, and its full length in bytes; memory is bounded."""
    held, length = bytearray(), 0
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            yield bytes(held) + piece if held else piece, length + len(piece)
            held, length = bytearray(), 0
        held += rest[: LONGEST_LINE_BYTES + 1 - len(held)]
        length += len(rest)
    if length:
        yield bytes(held), length


def read_batches(chunks: Iterable[bytes]) -> Iterator[LineBatch]:
    """Yield the lines of a file, given in chunks, in batches of bounded size; blank lines do not count."""
    batch, batch_bytes, offset = LineBatch(), 0, 0
    for number, (line, length) in enumerate(split_lines(chunks), start=1):
        _add_line(batch, line, length, (number, offset))
        offset, batch_bytes = offset + length + 1, batch_bytes + length
        if batch.read_count >= LINES_PER_BATCH or batch_bytes >= BYTES_PER_BATCH:
            yield batch
            batch, batch_bytes = LineBatch(), 0
    if batch.read_count:
        yield batch


def _add_line(batch: LineBatch, line: bytes, length: int, place: tuple[int, int]) -> None:
    text = line.strip().removeprefix(_BYTE_ORDER_MARK)
    if not text and length <= LONGEST_LINE_BYTES:
        return
    number, offset = place
    refusal = _why_refused(text, length)
    if refusal is None:
        batch.source_lines.append(number)
        batch.byte_offsets.append(offset)
        batch.records.append(text.decode("utf-8"))
    else:
        raw = text[:_RAW_BYTES].decode("utf-8", "backslashreplace")
        batch.refused.append(RefusedLine(number, offset, *refusal, raw))
