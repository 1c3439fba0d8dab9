"""The ledger of what was read: unchanged files are not opened, files that grew are read on, others anew."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import orjson

from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.core.storage import FileStat
from flywheel.ingest.blocks import Place
from flywheel.ingest.landing import Reading, Tally
from flywheel.ingest.lines import CLOSING_BYTES, Stream
from flywheel.ingest.streams import PlainStream

UNKNOWN_FORMAT = "unknown"
_LAST = """
select
    source_file, format, size_bytes, modified, read_to, line_to, head_hash, tail_hash, is_finished, began_at
from sources
where source_file in (select unnest($sources)) and began_at is not null
qualify row_number() over (
    partition by source_file order by began_at desc, ingested_at desc, read_to desc, is_finished desc
) = 1
"""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file was read, and which file it was then."""

    stat: FileStat
    began_at: datetime
    format: str
    head: bytes = b""
    place: Place = field(default_factory=Place)
    is_finished: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says about a file: how far it was read, and what it was then."""

    format: str
    stat: FileStat
    place: Place
    head_hash: str
    tail_hash: str
    is_finished: bool
    began_at: datetime

    def is_unchanged(self, stat: FileStat) -> bool:
        """Whether the file was read to its end and is still the same by size and time."""
        return self.is_finished and self.stat == stat


def known_sources(lake: Lake, sources: Sequence[str]) -> Mapping[str, Known]:
    """Return what the ledger says about some files, by their names."""
    rows = lake.frame(_LAST, sources=list(sources)).iter_rows(named=True)
    return {
        row["source_file"]: Known(
            format=row["format"],
            stat=FileStat(row["size_bytes"], row["modified"]),
            place=Place(row["read_to"], row["line_to"]),
            head_hash=row["head_hash"],
            tail_hash=row["tail_hash"],
            is_finished=row["is_finished"],
            began_at=row["began_at"],
        )
        for row in rows
    }


def end_hash(piece: bytes) -> str:
    """Return what the ledger keeps of one end of a file."""
    return hashlib.blake2b(piece, digest_size=16).hexdigest()


def read_over(stream: Stream, known: Known) -> tuple[bytes, Place] | None:
    """Bring a stream to where the file was read to before; None where it is another file by now.

    Returns the beginning of the file and the place.
    """
    left = known.place.byte_offset
    head, closing = b"", b""
    if isinstance(stream, PlainStream) and left > 2 * CLOSING_BYTES:
        head = stream.read(CLOSING_BYTES)
        left = CLOSING_BYTES
        stream.jump(known.place.byte_offset - left)
    while left and (piece := stream.read(min(left, 1024 * 1024))):
        head = head if len(head) >= CLOSING_BYTES else (head + piece)[:CLOSING_BYTES]
        closing = (closing + piece)[-CLOSING_BYTES:]
        left -= len(piece)
    is_same = not left and (end_hash(head), end_hash(closing)) == (known.head_hash, known.tail_hash)
    return (head, replace(known.place, closing=closing)) if is_same else None


def write_down(lake: Lake, reading: Reading, position: Position, tally: Tally) -> None:
    """Add a stretch to the ledger; inside of the commit that lands its rows."""
    place = position.place
    told = {
        "source_file": reading.source,
        "format": position.format or UNKNOWN_FORMAT,
        "size_bytes": position.stat.size_bytes,
        "modified": position.stat.modified,
        "read_to": place.byte_offset,
        "line_to": place.line_count,
        "head_hash": end_hash(position.head[: place.byte_offset]),
        "tail_hash": end_hash(place.closing),
        "is_finished": position.is_finished,
        "began_at": position.began_at,
    }
    counts = {
        "read_count": tally.read,
        "landed_count": tally.landed,
        "duplicate_count": tally.duplicates,
        "quarantined_count": tally.quarantined,
        "context_count": tally.context,
        "redacted_count": tally.redacted,
        "redacted_kinds": orjson.dumps(tally.redacted_kinds).decode(),
    }
    when = {"day": reading.now.astimezone(UTC).date(), "ingested_at": reading.now}
    row = told | counts | when | {"fingerprint": content_id(*told.values())}
    lake.land("sources", lake.typed("sources", [row]), reading.run_id)
