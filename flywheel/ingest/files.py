"""One log file into the lake: every line lands, is a duplicate, or is in quarantine with its reason."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import orjson
import polars as pl

from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.core.storage import open_store
from flywheel.ingest.actors import hashed_actor
from flywheel.ingest.feedback import land_feedback
from flywheel.ingest.formats import detect_format, format_query
from flywheel.ingest.hints import hint_for
from flywheel.ingest.lines import LineBatch, RefusedLine, read_batches
from flywheel.ingest.redaction import redact_line, redact_place, redact_records

# what parsing yields beside the columns of raw_traces
_NEEDED = "a record needs a timestamp, request.messages and a response or an error: docs/ingest.md"
_EXTRA_COLUMNS = ("byte_offset", "feedback", "problem", "actor")
_IS_CALL = pl.col("problem").is_null() & pl.col("trace_id").is_not_null()  # the others are only feedback
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of one file: read = landed + duplicates + quarantined."""

    source_file: str
    format: str
    read: int
    landed: int
    duplicates: int
    quarantined: int
    redacted: int
    days: tuple[str, ...]


@dataclass(slots=True)
class _Reading:
    """One file being read, and what became of it so far."""

    source: str
    now: datetime
    run_id: str
    format: str
    read: int = 0
    landed: int = 0
    quarantined: int = 0
    redacted: int = 0
    redacted_kinds: Counter[str] = field(default_factory=Counter)
    days: set[str] = field(default_factory=set)

    def report(self) -> IngestReport:
        """Return the counts, which always add up."""
        return IngestReport(
            source_file=self.source,
            format=self.format or "unknown",
            read=self.read,
            landed=self.landed,
            duplicates=self.read - self.landed - self.quarantined,
            quarantined=self.quarantined,
            redacted=self.redacted,
            days=tuple(sorted(self.days)),
        )


def ingest_file(lake: Lake, source: str, *, now: datetime, log_format: str = "", run_id: str = "") -> IngestReport:
    """Read one JSONL log, local or s3://, into raw_traces, raw_feedback and quarantine.

    Raises:
        UnknownFormat: no format fits and none was given.
        FileNotFoundError: there is no such file.

    """
    reading = _Reading(redact_place(source), now, run_id, log_format)
    digest = hashlib.sha256()
    folder, name = split_source(source)
    with open_store(lake.settings, folder).open(name) as stream:
        for batch in read_batches(_chunks(stream, digest)):
            _land_batch(lake, batch, reading)
    report = reading.report()
    _record_source(lake, report, digest.hexdigest(), reading)
    return report


def split_source(source: str) -> tuple[str, str]:
    """Return the folder or s3:// prefix of a source and the name in it."""
    if "://" in source:
        folder, _, name = source.rpartition("/")
        return folder, name
    path = Path(source).expanduser().resolve()
    return str(path.parent), path.name


def _chunks(stream: IO[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK_BYTES):
        digest.update(chunk)
        yield chunk


def _land_batch(lake: Lake, batch: LineBatch, reading: _Reading) -> None:
    reading.read += batch.read_count
    refused = batch.refused
    if batch.records:
        reading.format = reading.format or detect_format(reading.source, batch.records)
        parsed = _parse(lake, batch, reading)
        redaction = redact_records(_dated(parsed.filter(_IS_CALL)))
        good = redaction.records
        reading.redacted += redaction.changed_count
        reading.redacted_kinds.update(redaction.counts)
        reading.landed += lake.land("raw_traces", good.drop(_EXTRA_COLUMNS), reading.run_id)
        reading.landed += land_feedback(lake, parsed, reading.run_id)
        reading.days |= {str(day) for day in good["day"].unique()}
        refused = refused + _problem_lines(parsed, batch)
    reading.quarantined += len(refused)
    if refused:
        rows = lake.typed("quarantine", [_refusal_row(reading, line) for line in refused])
        lake.land("quarantine", rows, reading.run_id)


def _parse(lake: Lake, batch: LineBatch, reading: _Reading) -> pl.DataFrame:
    """Return the batch as raw_traces columns, all but the day, plus feedback, actor, problem and byte_offset."""
    parsed = _asked(lake, "log_lines", batch.frame(), format_query(reading.format), now=reading.now)
    return parsed.with_columns(
        pl.lit(reading.source).alias("source_file"),
        hashed_actor(pl.col("actor")).alias("actor_hash"),
    )


def _dated(good: pl.DataFrame) -> pl.DataFrame:
    """Return records whose time is known to be one, with their day."""
    return good.with_columns(pl.col("started_at").dt.date().alias("day"))


def _asked(lake: Lake, view: str, rows: pl.DataFrame, query: str, **parameters: object) -> pl.DataFrame:
    """Return what a query makes of rows that it knows by a name; times without a zone are in UTC."""
    cursor = lake.connection.cursor()
    try:
        cursor.execute("set timezone = 'UTC'")  # a cursor does not inherit it: the machine's zone would decide days
        cursor.register(view, rows.to_arrow())
        return cursor.execute(query, parameters or None).pl()
    finally:
        cursor.close()


def _problem_lines(parsed: pl.DataFrame, batch: LineBatch) -> list[RefusedLine]:
    """Return the lines that are JSON but cannot be a trace."""
    raw = dict(zip(batch.source_lines, batch.records, strict=True))
    problems = parsed.filter(pl.col("problem").is_not_null()).select("source_line", "byte_offset", "problem")
    return [
        RefusedLine(line, offset, problem, hint_for(problem, raw[line]) or _NEEDED, raw[line])
        for line, offset, problem in problems.iter_rows()
    ]


def _refusal_row(reading: _Reading, line: RefusedLine) -> dict[str, object]:
    return {
        "day": reading.now.astimezone(UTC).date(),
        "quarantine_id": content_id(reading.source, line.source_line, line.reason, line.raw),
        "table_name": "raw_traces",
        "reason": line.reason,
        "detail": line.detail,
        "source_file": reading.source,
        "source_line": line.source_line,
        "byte_offset": line.byte_offset,
        "raw": redact_line(line.raw),
        "quarantined_at": reading.now,
    }


def _record_source(lake: Lake, report: IngestReport, fingerprint: str, reading: _Reading) -> None:
    row = {
        "day": reading.now.astimezone(UTC).date(),
        "source_file": report.source_file,
        "fingerprint": fingerprint,
        "format": report.format,
        "read_count": report.read,
        "landed_count": report.landed,
        "duplicate_count": report.duplicates,
        "quarantined_count": report.quarantined,
        "redacted_count": report.redacted,
        "redacted_kinds": orjson.dumps(reading.redacted_kinds).decode(),
        "ingested_at": reading.now,
    }
    lake.land("sources", lake.typed("sources", [row]), reading.run_id)
