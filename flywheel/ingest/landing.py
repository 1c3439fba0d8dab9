"""One block of records into the lake: parsed by its format, redacted, landed; what is refused goes to quarantine.

checked JSON -> the format's query -> without what was forgotten -> redacted -> raw_traces, raw_feedback, quarantine
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import polars as pl

from flywheel.core.errors import UnreadableRows
from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.core.scratch import Scratch
from flywheel.ingest.actors import hashed_actor
from flywheel.ingest.blocks import RAW_BYTES, Block, RefusedLine, shown
from flywheel.ingest.feedback import land_feedback
from flywheel.ingest.forget import entombed_hashes, tells_of_forgotten, without_forgotten
from flywheel.ingest.formats import format_query
from flywheel.ingest.hints import hint_for
from flywheel.ingest.log_fields import observe, sampled_places
from flywheel.ingest.redaction import redact_line, redact_records
from flywheel.text.pii_names import NameFinder, name_finder

LANDED_TABLES = ("log_fields", "quarantine", "raw_feedback", "raw_traces", "sources")
NOT_A_CALL = "not_a_call"  # a row that is context: spans of HTTP, databases, chains, agents
# what parsing yields beside the columns of raw_traces
_EXTRA_COLUMNS = ("byte_offset", "feedback", "problem", "actor")
_NEEDED = "a record needs a time, its messages, and a response or an error: docs/ingest.md, docs/formats.md"
_REOPEN = """
update lake.quarantine set resolved_at = null
where resolved_at is not null and quarantine_id in (select unnest($ids))
"""


@dataclass(slots=True)
class Tally:
    """What became of records: read = landed + duplicates + quarantined."""

    read: int = 0
    landed: int = 0
    quarantined: int = 0
    context: int = 0
    redacted: int = 0
    redacted_kinds: Counter[str] = field(default_factory=Counter)
    days: set[str] = field(default_factory=set)

    @property
    def duplicates(self) -> int:
        """How many were in the lake already."""
        return self.read - self.landed - self.quarantined

    def add(self, other: "Tally") -> None:
        """Count what another tally counted."""
        self.read += other.read
        self.landed += other.landed
        self.quarantined += other.quarantined
        self.context += other.context
        self.redacted += other.redacted
        self.redacted_kinds.update(other.redacted_kinds)
        self.days |= other.days


@dataclass(frozen=True, slots=True)
class Parsed:
    """A block after its format's query: rows of all kinds, and what was refused."""

    rows: pl.DataFrame | None
    refused: tuple[RefusedLine, ...]
    fields: pl.DataFrame | None = None  # which a sample of the records has, as rows of `log_fields`


@dataclass(frozen=True, slots=True)
class Reading:
    """Which source is read, when, by which run, and whether it may have been read before."""

    source: str
    now: datetime
    run_id: str = ""
    is_anew: bool = False


def parse_block(scratch: Scratch, block: Block, log_format: str, reading: Reading) -> Parsed:
    """Return what the format's query makes of a block of records that are JSON objects."""
    if not len(block.records):
        return Parsed(None, block.refused)
    rows, unreadable = _asked(scratch, block, format_query(log_format), reading.now)
    if rows is None:
        return Parsed(None, (*block.refused, *unreadable))
    rows = rows.with_columns(
        pl.lit(reading.source).alias("source_file"), hashed_actor(pl.col("actor")).alias("actor_hash")
    )
    fields = _fields(block, rows, log_format, reading)
    return Parsed(rows, (*block.refused, *unreadable, *_problem_rows(rows, block)), fields)


def _fields(block: Block, rows: pl.DataFrame, log_format: str, reading: Reading) -> pl.DataFrame:
    """Return which fields a sample of the block has, for the day most of its records are of."""
    days = rows.filter(pl.col("problem").is_null())["started_at"].dt.date().drop_nulls().mode().sort()
    day = days[0] if len(days) else reading.now.astimezone(UTC).date()
    sample = block.records.take(sampled_places(len(block.records))).to_pylist()
    return observe(sample, log_format, day, content_id(reading.source, int(block.source_lines[0])), rows)


def _asked(
    scratch: Scratch, block: Block, query: str, now: datetime
) -> tuple[pl.DataFrame | None, list[RefusedLine]]:
    """Ask the format's query; a record over which it stumbles is found by halving, and refused."""
    frames, refused, left = [], [], [block]
    while left:
        part = left.pop()
        try:
            frames.append(scratch.ask(query, {"log_lines": part.table()}, now=now))
        except UnreadableRows as failed:
            half = len(part.records) // 2
            if half:
                left += [part.part(half, len(part.records)), part.part(0, half)]
            else:
                refused.append(_refused(part, 0, "unreadable_record", failed.reason[:500]))
    return (pl.concat(frames, how="vertical_relaxed") if frames else None), refused


def joined(parts: Sequence[Parsed]) -> Parsed:
    """Return several blocks as one."""
    frames = [part.rows for part in parts if part.rows is not None]
    refused = tuple(line for part in parts for line in part.refused)
    fields = [part.fields for part in parts if part.fields is not None]
    return Parsed(
        pl.concat(frames, how="vertical_relaxed") if frames else None, refused, pl.concat(fields) if fields else None
    )


def _problem_rows(rows: pl.DataFrame, block: Block) -> Iterable[RefusedLine]:
    """Return the rows that are JSON but cannot be a record; the place of each is that of what it came from."""
    problems = rows.filter(pl.col("problem").is_not_null() & (pl.col("problem") != NOT_A_CALL))
    places = block.source_lines.searchsorted(problems["source_line"].to_numpy())
    items = problems.select(pl.int_range(pl.len()).over("source_line", "problem")).to_series()
    return [
        replace(_refused(block, int(at), problem, _NEEDED), item=item, actor_hash=actor)
        for at, problem, item, actor in zip(places, problems["problem"], items, problems["actor_hash"], strict=True)
    ]


def _refused(block: Block, at: int, reason: str, detail: str) -> RefusedLine:
    raw = shown(block.records[at].as_buffer()[:RAW_BYTES].to_pybytes())
    told = hint_for(reason, raw) or detail
    return RefusedLine(int(block.source_lines[at]), block.offset_of(at), reason, told, raw)


def land_parsed(lake: Lake, parsed: Parsed, reading: Reading) -> Tally:
    """Land a parsed block and return what became of it; to be called inside of `lake.together`."""
    tally = Tally(read=len(parsed.refused))
    if parsed.fields is not None:
        lake.land("log_fields", parsed.fields, reading.run_id)
    if parsed.rows is not None:
        _land_rows(lake, parsed.rows, reading, tally)
    if parsed.refused:
        tally.quarantined = land_refused(lake, parsed.refused, reading, name_finder(lake.settings))
    return tally


def _land_rows(lake: Lake, rows: pl.DataFrame, reading: Reading, tally: Tally) -> None:
    """Land calls and what was said about calls; rows that are context are counted and go no further."""
    is_fine = pl.col("problem").is_null()
    tally.context = rows.filter(pl.col("problem") == NOT_A_CALL).height
    tally.read += rows.filter(is_fine).height
    calls = rows.filter(is_fine & pl.col("trace_id").is_not_null())
    calls = calls.with_columns(pl.col("started_at").dt.date().alias("day"))
    names = name_finder(lake.settings)
    redaction = redact_records(calls, names)
    kept = without_forgotten(lake, redaction.records)
    tally.redacted, tally.redacted_kinds = redaction.changed_count, Counter(redaction.counts)
    tally.landed = lake.land("raw_traces", kept.drop(_EXTRA_COLUMNS), reading.run_id)
    tally.landed += land_feedback(lake, rows, reading.now, reading.run_id, names)
    tally.days = {str(day) for day in calls["day"].unique()}


def land_refused(
    lake: Lake, refused: Sequence[RefusedLine], reading: Reading, names: NameFinder | None = None
) -> int:
    """Put lines into quarantine, redacted, and return how many; one that is there already is refused once more.

    Lines that tell of somebody or something forgotten stay out. `names` finds people's names in what is kept.
    """
    known = entombed_hashes(lake)
    rows = [_quarantine_row(reading, line, names) for line in refused if not tells_of_forgotten(line, known)]
    lake.land("quarantine", lake.typed("quarantine", rows), reading.run_id)
    if reading.is_anew:
        with lake.transaction("reopen quarantine", "quarantine") as cursor:
            cursor.execute(_REOPEN, {"ids": [str(row["quarantine_id"]) for row in rows]})
    return len(rows)


def _quarantine_row(reading: Reading, line: RefusedLine, names: NameFinder | None) -> dict[str, object]:
    # a record that an exporter sends again has another number then
    number = None if reading.source.startswith("receiver:") else line.source_line
    return {
        "day": reading.now.astimezone(UTC).date(),
        "quarantine_id": content_id(
            reading.source, number, line.reason, line.raw, *([line.item] if line.item else [])
        ),
        "table_name": "raw_traces",
        "reason": line.reason,
        "detail": line.detail,
        "source_file": reading.source,
        "source_line": line.source_line,
        "byte_offset": line.byte_offset,
        "raw": redact_line(line.raw, names),
        "actor_hash": line.actor_hash,
        "quarantined_at": reading.now,
    }
