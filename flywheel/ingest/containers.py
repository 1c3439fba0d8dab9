"""What holds records: lines, JSON documents, CSV, Parquet, Inspect logs; each may be packed with gzip or zstd."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import IO

from flywheel.core.errors import UnreadableRows
from flywheel.core.scratch import Scratch
from flywheel.ingest.blocks import BLOCK_BYTES, Block, Place, RefusedLine
from flywheel.ingest.documents import document_blocks
from flywheel.ingest.inspect_logs import ZIP_ERRORS, inspect_blocks
from flywheel.ingest.lines import Stream, empty_block, line_blocks
from flywheel.ingest.rows import PARQUET_ERRORS, csv_blocks, parquet_blocks
from flywheel.ingest.streams import compression_of, unpacked
from flywheel.ingest.strict import why_refused

PACKED_ENDINGS = (".gz", ".zst")
_SEEN_BYTES = 64 * 1024  # of the beginning, to tell containers apart
_MOST_SPOOLED = 8 * 1024**3  # of a packed file that has to be unpacked before it can be read


class Kind(StrEnum):
    """A container of records."""

    LINES = "lines"
    DOCUMENT = "document"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    INSPECT = "inspect"


@dataclass(frozen=True, slots=True)
class Container:
    """An open file, and what it was recognised as."""

    file: IO[bytes]
    kind: Kind
    compression: str

    def stream(self) -> Stream:
        """Return what is in it from the first byte."""
        return unpacked(self.file, self.compression)


def recognise(file: IO[bytes], name: str) -> Container:
    """Tell by its first bytes and its name what a file is."""
    file.seek(0)
    compression = compression_of(file.read(4))
    beginning = unpacked(file, compression).read(_SEEN_BYTES)
    return Container(file, kind_of(name.lower(), beginning), compression)


def kind_of(name: str, beginning: bytes) -> Kind:
    """Return what holds the records of a file with this name and these first (unpacked) bytes."""
    for ending in PACKED_ENDINGS:
        name = name.removesuffix(ending)
    if beginning.startswith(b"PAR1"):
        return Kind.PARQUET
    if beginning.startswith(b"PK\x03\x04"):
        return Kind.INSPECT
    by_name = {".csv": Kind.CSV, ".tsv": Kind.TSV, ".jsonl": Kind.LINES, ".ndjson": Kind.LINES}
    return by_name.get(PurePosixPath(name).suffix) or _json_kind(beginning)


def _json_kind(beginning: bytes) -> Kind:
    """Tell one document from many lines: a line that is a whole object, or opens a second one, is one of many."""
    body = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    first, _, rest = body.partition(b"\n")
    if first.rstrip() == b"[" or (body[:1] == b"[" and body[1:].lstrip()[:1] in (b"{", b"]")):
        return Kind.DOCUMENT
    is_open = first[:1] == b"{" and bool(rest) and why_refused(first.strip()) is not None
    return Kind.DOCUMENT if is_open and not rest.startswith(b"{") else Kind.LINES


def blocks_of(container: Container, stream: Stream, scratch: Scratch, start: Place) -> Iterator[Block]:
    """Yield a container's records; damage that ends the reading comes as a refused line of its own.

    `stream` stands at `start`, which is only for lines another place than the beginning.
    """
    if container.kind is Kind.LINES:
        yield from line_blocks(stream, start)
    elif container.kind is Kind.DOCUMENT:
        yield from document_blocks(stream)
    elif container.kind in (Kind.CSV, Kind.TSV):
        yield from csv_blocks(stream, "," if container.kind is Kind.CSV else "\t")
    else:
        yield from _random_access(container, stream, scratch)


def _random_access(container: Container, stream: Stream, scratch: Scratch) -> Iterator[Block]:
    end = Place()
    reason = "broken_parquet" if container.kind is Kind.PARQUET else "broken_zip"
    with tempfile.TemporaryFile() as spool:
        try:
            file = _spooled(stream, spool) if container.compression else container.file
            found = parquet_blocks(file, scratch) if container.kind is Kind.PARQUET else inspect_blocks(file)
            for block in found:
                end = block.end
                yield block
        except (UnreadableRows, *PARQUET_ERRORS, *ZIP_ERRORS) as broken:
            detail = " ".join(str(broken).split())[:500] or type(broken).__name__
            yield empty_block(end, RefusedLine(end.line_count + 1, None, reason, detail, ""))


def _spooled(stream: Stream, spool: IO[bytes]) -> IO[bytes]:
    """Unpack into a temporary file, for what cannot be read from front to back."""
    size = 0
    while chunk := stream.read(BLOCK_BYTES):
        size += len(chunk)
        if size > _MOST_SPOOLED:
            raise OSError(f"it unpacks to more than {_MOST_SPOOLED} bytes")
        spool.write(chunk)
    spool.seek(0)
    return spool
