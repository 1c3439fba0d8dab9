"""Records that come from no file into the lake: they are there when this returns, however often they come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.ingest.actors import hashed_actor
from flywheel.ingest.feedback import adopt_orphans, land_feedback
from flywheel.ingest.formats import format_query
from flywheel.ingest.hints import hint_for
from flywheel.ingest.redaction import redact_line, redact_records

_NOT_OURS = ("byte_offset", "feedback", "problem", "actor")
_CONTEXT = "not_a_call"


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that went to quarantine: its number among those landed with it, from 1, and why."""

    number: int
    reason: str
    hint: str


def land_records(lake: Lake, source: str, records: Sequence[str], log_format: str, *, now: datetime) -> list[Refused]:
    """Land records, each the text of a JSON object, and return those that are in quarantine instead."""
    lines = pl.DataFrame(
        {"source_line": range(1, len(records) + 1), "byte_offset": 0, "record": records},
        schema={"source_line": pl.Int64, "byte_offset": pl.Int64, "record": pl.String},
    )
    parsed = _asked(lake, "log_lines", lines, format_query(log_format), now=now)
    parsed = parsed.filter(pl.col("problem").ne_missing(_CONTEXT)).with_columns(
        pl.lit(source).alias("source_file"), hashed_actor(pl.col("actor")).alias("actor_hash")
    )
    is_call = pl.col("problem").is_null() & pl.col("trace_id").is_not_null()
    calls = parsed.filter(is_call).with_columns(pl.col("started_at").dt.date().alias("day"))
    landed = redact_records(calls).records.drop(_NOT_OURS)
    lake.land("raw_traces", landed)
    land_feedback(lake, parsed, "")
    if landed.height:
        adopt_orphans(lake, "", landed)
    return _set_aside(lake, parsed.filter(pl.col("problem").is_not_null()), records, now)


def _asked(lake: Lake, view: str, rows: pl.DataFrame, query: str, **parameters: object) -> pl.DataFrame:
    cursor = lake.connection.cursor()
    try:
        cursor.execute("set timezone = 'UTC'")
        cursor.register(view, rows.to_arrow())
        return cursor.execute(query, parameters or None).pl()
    finally:
        cursor.close()


def _set_aside(lake: Lake, problems: pl.DataFrame, records: Sequence[str], now: datetime) -> list[Refused]:
    refused = [
        Refused(number, reason, hint_for(reason, records[number - 1]))
        for number, reason in problems.select("source_line", "problem").iter_rows()
    ]
    rows = [_quarantined(each, records[each.number - 1], problems["source_file"][0], now) for each in refused]
    if rows:
        lake.land("quarantine", lake.typed("quarantine", rows))
    return refused


def _quarantined(refused: Refused, record: str, source: str, now: datetime) -> dict[str, object]:
    """Return the row of a refused record; sent again, it is the same row."""
    return {
        "day": now.astimezone(UTC).date(),
        "quarantine_id": content_id(source, refused.reason, record),
        "table_name": "raw_traces",
        "reason": refused.reason,
        "detail": refused.hint,
        "source_file": source,
        "source_line": refused.number,
        "raw": redact_line(record),
        "quarantined_at": now,
    }
