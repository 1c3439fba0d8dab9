"""What every container of records is cut into: blocks of records, unchecked, with the place of each."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

BLOCK_BYTES = 16 * 1024 * 1024  # what is read at once: large enough for bulk work, small enough for flat memory
LONGEST_RECORD_BYTES = 32 * 1024 * 1024  # longer than any model's context; a longer record is a broken writer
RAW_BYTES = 50_000  # of something refused: more than quarantine keeps of it, in any script

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Place:
    """How far a source was read: bytes (of its uncompressed content) and lines or records."""

    byte_offset: int = 0
    line_count: int = 0
    closing: bytes = b""  # the last bytes before it, as far as the block has them: the ledger knows a file by them


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A record that could not be read, and where it stands; no line where all of the source was refused."""

    source_line: int | None
    byte_offset: int | None
    reason: str
    detail: str
    raw: str
    item: int = 0  # of one line that holds several records: which of those refused for this reason
    actor_hash: str | None = None  # whose it is, where that could be read


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive records of one source, and what its container could not read between them.

    `records` is a LargeStringArray that nobody has validated. Where the last record of a source has no end of line,
    `tail` is the place before it: whoever writes it may not have finished.
    """

    records: pa.Array
    source_lines: Numbers
    byte_offsets: Numbers | None
    end: Place
    refused: tuple[RefusedLine, ...] = ()
    tail: Place | None = None

    def keep(self, mask: npt.NDArray[np.bool_]) -> Self:
        """Return the block with only some of its records."""
        if mask.all():
            return self
        return replace(
            self,
            records=self.records.filter(pa.array(mask)),
            source_lines=self.source_lines[mask],
            byte_offsets=None if self.byte_offsets is None else self.byte_offsets[mask],
        )

    def part(self, start: int, stop: int) -> Self:
        """Return some consecutive records, without what was refused."""
        offsets = None if self.byte_offsets is None else self.byte_offsets[start:stop]
        lines = self.source_lines[start:stop]
        return replace(
            self,
            records=self.records.slice(start, stop - start),
            source_lines=lines,
            byte_offsets=offsets,
            refused=(),
        )

    def table(self) -> pa.Table:
        """Return `log_lines` for a format's query: source_line, byte_offset, record."""
        offsets = (
            pa.nulls(len(self.records), pa.int64()) if self.byte_offsets is None else pa.array(self.byte_offsets)
        )
        return pa.table({"source_line": pa.array(self.source_lines), "byte_offset": offsets, "record": self.records})

    def offset_of(self, at: int) -> int | None:
        """Return the byte offset of one record, where there is one."""
        return None if self.byte_offsets is None else int(self.byte_offsets[at])


def text_array(pieces: list[bytes]) -> pa.Array:
    """Return texts as an array without looking whether they are UTF-8."""
    return pa.array(pieces, pa.large_binary()).view(pa.large_string())


def shown(raw: bytes) -> str:
    """Return the beginning of something refused as text, whatever its bytes are."""
    return raw[:RAW_BYTES].decode("utf-8", "backslashreplace")
