"""Cut a stream into lines by the block: places come from NumPy, and no line becomes a Python object."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel.ingest.blocks import (
    BLOCK_BYTES,
    LONGEST_RECORD_BYTES,
    RAW_BYTES,
    Block,
    Place,
    RefusedLine,
    shown,
)
from flywheel.ingest.strict import why_refused

CLOSING_BYTES = 4096  # what the ledger remembers of both ends of a file
_NEWLINE = 10
_JSON_SPACE = " \t\r\n"


class Stream(Protocol):
    """Bytes in order; `damage` says after the last ones why there are no more, where that is not a proper end."""

    damage: str

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes, none at the end."""


@dataclass(slots=True)
class _Cut:
    """Where the cutting stands: what is not ended yet, and its place."""

    held: bytes = b""
    offset: int = 0
    line_count: int = 0


def line_blocks(stream: Stream, start: Place) -> Iterator[Block]:
    """Yield the lines of a stream, whose first byte is at `start`, in blocks of bounded size."""
    cut = _Cut(b"", start.byte_offset, start.line_count)
    chunk = stream.read(BLOCK_BYTES)
    while chunk:
        cut.held = cut.held + chunk if cut.held else chunk
        chunk = stream.read(BLOCK_BYTES)
        end = cut.held.rfind(b"\n") + 1
        if not chunk:
            yield from _last(cut, stream.damage)
        elif end:
            yield _block(cut.held, end, cut)
        elif len(cut.held) > LONGEST_RECORD_BYTES:
            yield _skipped(stream, cut, chunk)
            chunk = stream.read(BLOCK_BYTES)
    if cut.held and not stream.damage:
        yield from _last(cut, stream.damage)
    yield from damage_block(stream, Place(cut.offset, cut.line_count), cut.held)


def _block(held: bytes, end: int, cut: _Cut) -> Block:
    """Return the lines that end in what is held, and go on with the rest."""
    data = np.frombuffer(held, np.uint8, end)
    starts = np.concatenate(([0], np.flatnonzero(data == _NEWLINE) + 1))
    records = pa.LargeStringArray.from_buffers(len(starts) - 1, pa.py_buffer(starts), pa.py_buffer(held))
    block = Block(
        records=pc.ascii_trim(records, characters=_JSON_SPACE),
        source_lines=np.arange(cut.line_count + 1, cut.line_count + len(starts), dtype=np.int64),
        byte_offsets=starts[:-1] + cut.offset,
        end=Place(cut.offset + end, cut.line_count + len(starts) - 1, held[max(0, end - CLOSING_BYTES) : end]),
    )
    cut.held, cut.offset, cut.line_count = held[end:], block.end.byte_offset, block.end.line_count
    return _without_long(block)


def _last(cut: _Cut, damage: str) -> Iterator[Block]:
    """Yield the lines up to the end of the stream; half a line before a damage is left to who tells of that."""
    begin = cut.held.rfind(b"\n") + 1
    is_half = bool(damage) and begin < len(cut.held) and why_refused(cut.held[begin:].strip()) is not None
    if begin == len(cut.held) or (is_half and begin):
        yield _block(cut.held, begin, cut)
    elif not is_half:
        yield _open_ended(cut, begin)


def _open_ended(cut: _Cut, begin: int) -> Block:
    """Return the lines of which the last has no end, which is supplied."""
    held = cut.held
    offset, closing = cut.offset, held[max(0, begin - CLOSING_BYTES) : begin]
    block = _block(held + b"\n", len(held) + 1, cut)
    # what comes next is the end of this very line, so the line is not behind us
    tail = Place(offset + begin, block.end.line_count - 1, closing)
    end = Place(offset + len(held), block.end.line_count - 1, held[-CLOSING_BYTES:])
    cut.offset, cut.held = end.byte_offset, b""
    return replace(block, end=end, tail=tail)


def _without_long(block: Block) -> Block:
    """Refuse lines over the limit that fitted into what was held."""
    lengths = pc.binary_length(block.records).to_numpy(zero_copy_only=False)
    is_short = lengths <= LONGEST_RECORD_BYTES
    if is_short.all():
        return block
    refused = [
        too_long(
            Place(block.offset_of(at) or 0, int(block.source_lines[at])),
            int(lengths[at]),
            block.records[at].as_buffer()[:RAW_BYTES].to_pybytes(),
        )
        for at in np.flatnonzero(~is_short).tolist()
    ]
    return replace(block.keep(is_short), refused=tuple(refused))


def too_long(place: Place, length: int, beginning: bytes) -> RefusedLine:
    """Return what becomes of a record over the limit; `place` counts it already."""
    detail = f"{length} bytes; the limit is {LONGEST_RECORD_BYTES}"
    return RefusedLine(place.line_count, place.byte_offset, "line_too_long", detail, shown(beginning))


def empty_block(end: Place, *refused: RefusedLine) -> Block:
    """Return a block without records."""
    none = np.zeros(0, np.int64)
    return Block(pa.array([], pa.large_string()), none, none, end, refused)


def damage_block(stream: Stream, place: Place, half: bytes = b"") -> Iterator[Block]:
    """Yield what tells that a stream is damaged behind a place, where it is, with the half line that came out."""
    if stream.damage:
        raw = shown(half[:RAW_BYTES])
        line = RefusedLine(place.line_count + 1, place.byte_offset, "broken_compression", stream.damage, raw)
        yield empty_block(place, line)


def _skipped(stream: Stream, cut: _Cut, chunk: bytes) -> Block:
    """Read over the rest of a line that is longer than the limit, keeping its beginning."""
    beginning, length, closing = cut.held[:RAW_BYTES], len(cut.held), cut.held[-CLOSING_BYTES:]
    cut.held, end = b"", 0
    while chunk and not end:
        end = chunk.find(b"\n") + 1
        read = chunk[:end] if end else chunk
        length += len(read)
        closing = (closing + read[-CLOSING_BYTES:])[-CLOSING_BYTES:]
        cut.held = chunk[end:] if end else b""
        chunk = b"" if end else stream.read(BLOCK_BYTES)
    refused = too_long(Place(cut.offset, cut.line_count + 1), length - bool(end), beginning)
    cut.offset, cut.line_count = cut.offset + length, cut.line_count + 1
    return empty_block(Place(cut.offset, cut.line_count, closing), refused)
