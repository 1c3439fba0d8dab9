"""Read one open file block by block into the lake; some blocks and their line in the ledger are one version."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import IO

from flywheel.core.errors import UnknownFormat
from flywheel.core.lake import Lake
from flywheel.core.scratch import Scratch, frugal
from flywheel.ingest.blocks import RAW_BYTES, Block, Place, RefusedLine
from flywheel.ingest.containers import Container, Kind, blocks_of, recognise
from flywheel.ingest.formats import detect_format
from flywheel.ingest.landing import LANDED_TABLES, Parsed, Reading, Tally, joined, land_parsed, parse_block
from flywheel.ingest.ledger import UNKNOWN_FORMAT, Known, Position, read_over, write_down
from flywheel.ingest.lines import CLOSING_BYTES, Stream, empty_block
from flywheel.ingest.progress import tell
from flywheel.ingest.strict import checked

COMMIT_BYTES = 24 * 1024 * 1024  # of records in one version: fewer, larger files in the lake, and flat memory
_SEEN_RECORDS = 1_000  # of a block, to recognise the format
_MOST_BROKEN_LINES = 100  # before the first record; a file that has more is no log of records
_HINT = "its records have the keys of no known format; name one with --format or map its columns: docs/formats.md"
_NO_RECORD = "none of its lines is a JSON object; docs/ingest.md lists what can hold records"
_MENDED = """
update lake.quarantine set resolved_at = $now
where source_file = $source and resolved_at is null and ($reasons is null or list_contains($reasons, reason))
"""


@dataclass(slots=True)
class OpenFile:
    """A file being read: who reads it, how far it was read, and what became of its records so far."""

    reading: Reading
    position: Position
    tally: Tally = field(default_factory=Tally)
    waiting: list[Parsed] = field(default_factory=list)  # blocks for the next commit
    waiting_bytes: int = 0
    is_resumed: bool = False
    is_begun: bool = False


def read_file(lake: Lake, opened: IO[bytes], name: str, file: OpenFile, known: Known | None) -> None:
    """Read what is new in an open file; `file` says afterwards what became of it."""
    # what reads ahead has a connection of its own: it works while the other one is in use
    with frugal(lake), Scratch(lake) as scratch, Scratch(lake) as beside:
        container = recognise(opened, name)
        stream = _resumed(container, known, file)
        with closing(ahead(blocks_of(container, stream, beside, file.position.place))) as blocks:
            for block, is_last in blocks:
                tell(file.reading.source, opened.tell(), file.position.stat.size_bytes)
                is_over = not _take_block(scratch, checked(scratch, block), file) or is_last
                if is_over or file.waiting_bytes >= COMMIT_BYTES:
                    _commit(lake, file, is_over)
                if is_over:
                    return


def ahead(blocks: Iterator[Block]) -> Generator[tuple[Block, bool]]:
    """Yield blocks, and whether each is the last, reading on while the caller works; no block is one empty block."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        block: Block | None = next(blocks, None) or empty_block(Place())
        coming = reader.submit(next, blocks, None)
        while block is not None:
            following = coming.result()
            if following is not None:
                coming = reader.submit(next, blocks, None)
            yield block, following is None
            block = following


def _resumed(container: Container, known: Known | None, file: OpenFile) -> Stream:
    """Return the stream at the place where reading goes on: behind what was read, or at the first byte."""
    if known is not None:
        stream = container.stream()
        found = (
            read_over(stream, known) if container.kind is Kind.LINES and _may_go_on(known, file.position) else None
        )
        if found is not None:
            head, place = found
            began = replace(file.position, began_at=known.began_at, format=known.format)
            file.position, file.is_resumed = replace(began, head=head, place=place), True
            return stream
        file.reading = replace(file.reading, is_anew=True)
    file.position = replace(file.position, head=container.stream().read(CLOSING_BYTES))
    return container.stream()


def _may_go_on(known: Known, position: Position) -> bool:
    """Whether the file may be the one that was read, only longer, and is to be read as what it was."""
    is_same_format = known.format != UNKNOWN_FORMAT and position.format in ("", known.format)
    return is_same_format and (position.stat == known.stat or position.stat.size_bytes > known.stat.size_bytes)


def _take_block(scratch: Scratch, block: Block, file: OpenFile) -> bool:
    """Parse one block, which then waits for its commit; False where none of the file can be read."""
    alien = _recognised(block, file)
    if alien is not None:
        file.waiting = [Parsed(None, (alien,))]
        file.position = replace(file.position, place=Place())
        return False
    block = _with_unfinished_line(block)
    file.waiting.append(parse_block(scratch, block, file.position.format, file.reading))
    file.waiting_bytes += block.records.nbytes
    closing_bytes = (file.position.place.closing + block.end.closing)[-CLOSING_BYTES:]
    file.position = replace(file.position, place=replace(block.end, closing=closing_bytes))
    return True


def _commit(lake: Lake, file: OpenFile, is_finished: bool) -> None:
    """Land what waits and write down how far the file is read now, as one version."""
    parsed = joined(file.waiting)
    file.position = replace(file.position, is_finished=is_finished)
    with lake.together(f"read {file.reading.source}", *LANDED_TABLES):
        if not file.is_begun:
            _forget_refusals(lake, file)
        tally = land_parsed(lake, parsed, file.reading)
        write_down(lake, file.reading, file.position, tally)
    file.tally.add(tally)
    file.is_begun, file.waiting, file.waiting_bytes = True, [], 0


def find_format(block: Block, source: str) -> str:
    """Return the format of a block's first records, or nothing where it is none we know."""
    try:
        return detect_format(source, [str(record) for record in block.records[:_SEEN_RECORDS]])
    except UnknownFormat:
        return ""


def _recognised(block: Block, file: OpenFile) -> RefusedLine | None:
    """Find the file's format by its first records; return the refusal of the whole file where it has none."""
    if file.position.format:
        return None
    if len(block.records):
        file.position = replace(file.position, format=find_format(block, file.reading.source))
        if not file.position.format:
            return RefusedLine(None, None, "unknown_format", _HINT, str(block.records[0])[:RAW_BYTES])
    elif not file.is_begun and len(block.refused) > _MOST_BROKEN_LINES:
        return RefusedLine(None, None, "unknown_format", _NO_RECORD, block.refused[0].raw)
    return None


def _with_unfinished_line(block: Block) -> Block:
    """Take back a last line that has no end and is no record: it is read again when the file has grown."""
    if block.tail is None or not block.refused:
        return block
    *others, last = sorted(block.refused, key=lambda line: line.source_line or 0)
    is_unfinished = last.byte_offset == block.tail.byte_offset and last.reason in ("invalid_json", "invalid_utf8")
    if not is_unfinished:
        return block
    return replace(block, end=block.tail, refused=(*others, replace(last, reason="unfinished_line")))


def _forget_refusals(lake: Lake, file: OpenFile) -> None:
    """Take for settled what is read again now: all of a file that is read anew, else how it ended before."""
    reasons = None if file.reading.is_anew else ["unfinished_line", "broken_compression"]
    if reasons is None or file.is_resumed:
        given = {"now": file.reading.now, "source": file.reading.source, "reasons": reasons}
        with lake.transaction("resolve quarantine", "quarantine") as cursor:
            cursor.execute(_MENDED, given)
