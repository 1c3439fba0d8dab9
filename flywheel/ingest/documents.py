"""Cut a JSON document into records: the elements of an array, or documents that follow one another.

Brackets, quotes and commas are found by NumPy; what lies between two cuts is never looked at by Python.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flywheel.ingest.blocks import (
    BLOCK_BYTES,
    LONGEST_RECORD_BYTES,
    RAW_BYTES,
    Block,
    Numbers,
    Place,
    RefusedLine,
    shown,
    text_array,
)
from flywheel.ingest.lines import Stream, damage_block, empty_block, too_long

_QUOTE, _BACKSLASH, _COMMA, _OPEN, _CLOSE = b'"\\,[]'
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(slots=True)
class _Cut:
    """Where the cutting stands; `base` is how deep records lie: 1 in an array, 0 beside one another."""

    held: bytes
    offset: int
    base: int
    record_count: int = 0
    is_over: bool = False  # the array has ended


def document_blocks(stream: Stream) -> Iterator[Block]:
    """Yield the records of a JSON document; `source_line` is the record's number, `byte_offset` its place."""
    cut = _opened(stream)
    while not cut.is_over and (chunk := stream.read(BLOCK_BYTES)):
        cut.held += chunk
        block = _block(cut)
        if len(block.records):
            yield block
        elif len(cut.held) > LONGEST_RECORD_BYTES:
            yield _gave_up(stream, cut)
            return
    yield from _rest(cut, stream)


def _opened(stream: Stream) -> _Cut:
    """Read up to the first letter, and over it where it opens an array."""
    held = stream.read(BLOCK_BYTES)
    body = held.removeprefix(_BYTE_ORDER_MARK).lstrip()
    offset = len(held) - len(body)
    if body[:1] == b"[":
        return _Cut(body[1:], offset + 1, base=1)
    return _Cut(body, offset, base=0)


def _block(cut: _Cut) -> Block:
    """Take the records that end in what is held."""
    ends, nexts, cut.is_over = _record_ends(cut.held, cut.base)
    pieces, offsets, begin = [], [], 0
    for end, following in zip(ends, nexts, strict=True):
        piece = cut.held[begin:end]
        text = piece.strip()
        if text:
            pieces.append(text)
            offsets.append(cut.offset + begin + len(piece) - len(piece.lstrip()))
        begin = following
    first = cut.record_count + 1
    cut.record_count += len(pieces)
    cut.offset += begin
    cut.held = cut.held[begin:]
    return Block(
        records=text_array(pieces),
        source_lines=np.arange(first, first + len(pieces), dtype=np.int64),
        byte_offsets=np.array(offsets, np.int64),
        end=Place(cut.offset, cut.record_count),
    )


def _record_ends(held: bytes, base: int) -> tuple[list[int], list[int], bool]:
    """Return where records end, where the next ones may begin, and whether the array is over."""
    data = np.frombuffer(held, np.uint8)
    places = np.flatnonzero(((data & 0xD9) == 0x59) | (data == _COMMA))  # [ ] { } and _ Y y
    places = places[np.isin(data[places], np.frombuffer(b"[]{},", np.uint8))]
    places = places[np.searchsorted(_quotes(data), places) % 2 == 0]
    signs = data[places]
    opens, closes = (signs & 0xDF) == _OPEN, (signs & 0xDF) == _CLOSE
    depth = base + np.cumsum(opens.astype(np.int64) - closes)
    if base == 0:
        ends = places[closes & (depth <= 0)] + 1
        return ends.tolist(), ends.tolist(), False
    over = np.flatnonzero(closes & (depth == 0))
    last = over[0] if len(over) else len(places)
    is_cut = ((signs == _COMMA) & (depth == 1)) | (closes & (depth == 0))
    ends = places[: last + 1][is_cut[: last + 1]]
    return ends.tolist(), (ends + 1).tolist(), bool(len(over))


def _quotes(data: npt.NDArray[np.uint8]) -> Numbers:
    """Return where texts begin and end: the quotes that no backslash before them turns into a letter."""
    quotes = np.flatnonzero(data == _QUOTE)
    slashes = np.flatnonzero(data == _BACKSLASH)
    if not len(slashes) or not len(quotes):
        return quotes
    is_first = np.diff(slashes, prepend=-2) != 1
    run_starts = np.maximum.accumulate(np.where(is_first, slashes, 0))
    before = np.searchsorted(slashes, quotes - 1)
    before[before == len(slashes)] = 0
    follows = slashes[before] == quotes - 1
    is_letter = follows & ((quotes - run_starts[before]) % 2 == 1)
    ends: Numbers = quotes[~is_letter]
    return ends


def _gave_up(stream: Stream, cut: _Cut) -> Block:
    """Refuse a record over the limit and all that comes behind it: nobody knows where it ends."""
    place = Place(cut.offset, cut.record_count + 1)
    beginning, length = cut.held[:RAW_BYTES], len(cut.held)
    while chunk := stream.read(BLOCK_BYTES):
        length += len(chunk)
    return empty_block(Place(cut.offset + length, cut.record_count + 1), too_long(place, length, beginning))


def _rest(cut: _Cut, stream: Stream) -> Iterator[Block]:
    """Yield what is held at the end of the document, whole or not, and what damaged it."""
    if cut.held and not cut.is_over:
        block = _block(cut)
        if len(block.records):
            yield block
    rest = cut.held.strip()
    place = Place(cut.offset + len(cut.held), cut.record_count + 1)
    if rest and not (cut.is_over and not rest.strip(b"\0")):
        detail = "something follows the end of the array" if cut.is_over else "the document ends inside of a record"
        line = RefusedLine(place.line_count, cut.offset, "invalid_json", detail, shown(rest[:RAW_BYTES]))
        yield empty_block(place, line)
    yield from damage_block(stream, place)
