"""Read again what is in quarantine: after a fix in the log, a new format or a changed mapping it may land."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO

import numpy as np
import polars as pl

from flywheel.core.lake import Lake
from flywheel.core.scratch import Scratch
from flywheel.core.storage import open_store
from flywheel.ingest.blocks import BLOCK_BYTES, LONGEST_RECORD_BYTES, Block, Place, text_array
from flywheel.ingest.containers import Kind, recognise
from flywheel.ingest.feedback import adopt_orphans
from flywheel.ingest.files import ingest_source, split_source
from flywheel.ingest.landing import LANDED_TABLES, Parsed, Reading, land_parsed, parse_block
from flywheel.ingest.ledger import UNKNOWN_FORMAT, Known, known_sources, read_over
from flywheel.ingest.lines import Stream
from flywheel.ingest.reading import find_format
from flywheel.ingest.strict import checked

_REFUSED = """
select quarantine_id, source_file, source_line, byte_offset, reason
from quarantine
where
    table_name = 'raw_traces' and resolved_at is null and source_file is not null
    and ($reason is null or reason = $reason) and ($id is null or starts_with(quarantine_id, $id))
order by source_file, byte_offset, source_line
"""
_RESOLVE = "update lake.quarantine set resolved_at = $now where quarantine_id in (select unnest($ids))"
_STILL = "select count(*) from quarantine where resolved_at is null and quarantine_id in (select unnest($ids))"
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of the refused records of one source; with a `problem` it could not be read again."""

    source_file: str
    tried: int
    resolved: int
    landed: int
    refused: int
    problem: str | None = None


def retry_refused(
    lake: Lake, now: datetime, *, quarantine_id: str | None = None, reason: str | None = None
) -> list[Retried]:
    """Read refused records of logs again from where they stand, and return what became of them, by source."""
    rows = lake.frame(_REFUSED, id=quarantine_id, reason=reason)
    retried = [_retry_source(lake, part, now) for part in rows.partition_by("source_file", maintain_order=True)]
    if any(one.landed for one in retried):
        adopt_orphans(lake, "")
    return retried


def _retry_source(lake: Lake, rows: pl.DataFrame, now: datetime) -> Retried:
    source, ids = str(rows["source_file"][0]), rows["quarantine_id"].to_list()
    known = known_sources(lake, [source]).get(source)
    folder, name = split_source(source)
    store = open_store(lake.settings, folder)
    if name not in store.stats(name):
        return Retried(source, len(ids), 0, 0, len(ids), f"there is no file {source!r} any more")
    with store.open(name) as opened:
        landed = None if known is None else _retry_lines(lake, opened, rows, known, Reading(source, now))
    if landed is None:
        landed = ingest_source(lake, source, Reading(source, now, is_anew=True)).landed
    still = int(lake.scalar(_STILL, ids=ids))
    return Retried(source, len(ids), len(ids) - still, landed, still)


def _retry_lines(lake: Lake, opened: IO[bytes], rows: pl.DataFrame, known: Known, reading: Reading) -> int | None:
    """Read only the refused lines of a file that holds lines; None where all of it has to be read anew."""
    container = recognise(opened, reading.source)
    is_placed = (
        container.kind is Kind.LINES and rows["byte_offset"].null_count() == rows["source_line"].null_count() == 0
    )
    if not is_placed or read_over(container.stream(), known) is None:
        return None
    landed = 0
    with Scratch(lake) as scratch:
        for block in (checked(scratch, one) for one in _blocks_at(container.stream(), rows)):
            log_format = known.format if known.format != UNKNOWN_FORMAT else find_format(block, reading.source)
            if log_format:
                parsed = parse_block(scratch, block, log_format, reading)
                landed += _land_what_can(lake, parsed, block, rows, reading)
    return landed


def _land_what_can(lake: Lake, parsed: Parsed, block: Block, rows: pl.DataFrame, reading: Reading) -> int:
    """Land what is a record now, and mark what was refused of the block and is no longer as resolved."""
    refused = [line.source_line for line in parsed.refused]
    tried = pl.col("source_line").is_in(block.source_lines.tolist()) & ~pl.col("source_line").is_in(refused)
    with lake.together(f"retry {reading.source}", *LANDED_TABLES):
        tally = land_parsed(lake, replace(parsed, refused=()), reading)
        with lake.transaction("resolve quarantine", "quarantine") as cursor:
            cursor.execute(_RESOLVE, {"now": reading.now, "ids": rows.filter(tried)["quarantine_id"].to_list()})
    return tally.landed


def _blocks_at(stream: Stream, rows: pl.DataFrame) -> Iterator[Block]:
    """Yield the lines that begin at some offsets, in blocks; one over the limit stays cut, and is refused."""
    places = rows.unique("source_line").sort("byte_offset").select("source_line", "byte_offset").rows()
    found: list[tuple[int, int, bytes]] = []
    size = 0
    lines = _read_lines(stream, [offset for _, offset in places])
    for (number, offset), line in zip(places, lines, strict=True):
        found.append((number, offset, line.strip(b" \t\r\n") or b"null"))
        size += len(line)
        if size >= BLOCK_BYTES:
            yield _block(found)
            found, size = [], 0
    if found:
        yield _block(found)


def _block(found: list[tuple[int, int, bytes]]) -> Block:
    numbers, offsets, texts = zip(*found, strict=True)
    return Block(text_array(list(texts)), np.array(numbers, np.int64), np.array(offsets, np.int64), Place())


def _read_lines(stream: Stream, offsets: Sequence[int]) -> Iterator[bytes]:
    """Yield the line at each of some rising offsets, reading the stream once from front to back."""
    held, at = b"", 0
    for offset in offsets:
        while at + len(held) <= offset and (piece := stream.read(_PIECE_BYTES)):
            at, held = (at + len(held), piece) if at + len(held) <= offset else (at, held + piece)
        held, at = held[max(0, offset - at) :], offset
        while b"\n" not in held and len(held) <= LONGEST_RECORD_BYTES and (piece := stream.read(_PIECE_BYTES)):
            held += piece
        yield held.partition(b"\n")[0]
