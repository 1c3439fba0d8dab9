"""Tell records from what is none, a block at a time: only suspects are looked at one by one.

What is JSON is decided by orjson (RFC 8259, at most 1,024 levels, numbers that fit a double). In bulk the same is
found out by DuckDB, whose parser is faster but lenient: what it would let pass is suspected beforehand.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from flywheel.core.scratch import Scratch
from flywheel.ingest.blocks import RAW_BYTES, Block, RefusedLine, shown, text_array

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OBJECT = ord("{")
_MOST_BRACKETS = 1_000  # orjson follows 1,024 levels; who has fewer brackets cannot be nested deeper
# Where DuckDB is lenient: NaN and infinities, a comma before the end, numbers beyond a double.
_LENIENT = r"[:,\[\s+-](?:[Nn][Aa][Nn]|[Ii][Nn][Ff])|,\s*[\]}]|[0-9.][eE]\+?[0-9]{3}|[0-9]{40}"
_Mask = npt.NDArray[np.bool_]


def checked(scratch: Scratch, block: Block) -> Block:
    """Return the block with only the records that are JSON objects, and the others refused with their reason."""
    block, refused = _without_suspects(block, _is_suspect(block.records))
    if len(block.records):
        is_json = scratch.is_json(block.records)
        if not is_json.all():
            refused += [
                _refused(block, at, *_why_not_json(block.records[at])) for at in np.flatnonzero(~is_json).tolist()
            ]
            block = block.keep(is_json)
    return replace(block, refused=block.refused + tuple(refused))


def _is_suspect(records: pa.Array) -> _Mask:
    """Return which records need a closer look: odd beginnings, broken UTF-8, deep nesting, lenient JSON."""
    if not len(records):
        return np.zeros(0, bool)
    offsets = np.frombuffer(records.buffers()[1], np.int64)[records.offset : records.offset + len(records) + 1]
    data = np.frombuffer(records.buffers()[2] or b"\0", np.uint8)
    suspect: _Mask = data[np.minimum(offsets[:-1], len(data) - 1)] != _OBJECT
    suspect |= offsets[1:] == offsets[:-1]
    suspect |= _is_deep(data, offsets)
    try:
        records.validate(full=True)
    except pa.ArrowInvalid:
        suspect |= np.fromiter((not _is_utf8(record.as_buffer()) for record in records), bool, len(records))
        records = pc.if_else(pa.array(suspect), "", records)
    is_lenient: _Mask = pl.Series(records).str.contains(_LENIENT).to_numpy()
    return suspect | is_lenient


def _is_deep(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> _Mask:
    """Return which records have so many opening brackets that they may be nested too deep."""
    lengths = np.diff(offsets)
    deep = np.zeros(len(lengths), bool)
    for at in np.flatnonzero(lengths > 2 * _MOST_BRACKETS).tolist():  # what is opened so often must be closed as well
        record = data[offsets[at] : offsets[at + 1]]
        deep[at] = np.count_nonzero((record & 0xDF) == 0x5B) > _MOST_BRACKETS  # [ and { differ by one bit
    return deep


def _is_utf8(buffer: pa.Buffer) -> bool:
    try:
        str(buffer, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _without_suspects(block: Block, suspect: _Mask) -> tuple[Block, list[RefusedLine]]:
    """Look at each suspect by itself: blank lines and byte order marks go, what is no record is refused."""
    if not suspect.any():
        return block, []
    kept, refused, changed = ~suspect, [], {}
    for at in np.flatnonzero(suspect).tolist():
        raw = block.records[at].as_buffer().to_pybytes()
        text = raw.removeprefix(_BYTE_ORDER_MARK).strip()
        if not text:
            continue
        reason = why_refused(text)
        if reason is not None:
            refused.append(_refused(block, at, *reason))
            continue
        kept[at] = True
        if text != raw:
            changed[at] = text
    if changed:
        places = np.isin(np.arange(len(kept)), list(changed))
        texts = text_array([changed[at] for at in sorted(changed)])
        block = replace(block, records=pc.replace_with_mask(block.records, pa.array(places), texts))
    return block.keep(kept), refused


def why_refused(text: bytes) -> tuple[str, str] | None:
    """Return the reason and detail when a text is not one JSON object, else None."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as broken:
        return "invalid_utf8", f"byte {broken.start} of the line: {broken.reason}"
    try:
        record = orjson.loads(text)
    except orjson.JSONDecodeError as broken:
        return "invalid_json", str(broken)
    if not isinstance(record, dict):
        return "not_an_object", f"a {type(record).__name__}, expected an object"
    return None


def _why_not_json(record: pa.Scalar) -> tuple[str, str]:
    why = why_refused(record.as_buffer().to_pybytes())
    return why or ("invalid_json", "DuckDB cannot read it")


def _refused(block: Block, at: int, reason: str, detail: str) -> RefusedLine:
    raw = block.records[at].as_buffer()[:RAW_BYTES].to_pybytes()
    return RefusedLine(int(block.source_lines[at]), block.offset_of(at), reason, detail, shown(raw))
