"""Feedback into the lake: said inside a record or on its own, about a known call or one that still has to come."""

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.core.queries import find_query
from flywheel.ingest.forget import without_forgotten
from flywheel.ingest.redaction import pseudonyms, without_names
from flywheel.text.pii import redact_column
from flywheel.text.pii_names import NameFinder

_CALL_COLUMNS = ("day", "trace_id", "response_id", "conversation_id", "started_at", "aliases")
_SAYING_COLUMNS = (
    *("source_file", "source_line", "trace_id", "response_id", "conversation_id"),
    *("started_at", "problem", "feedback"),
)
_NOTHING_SAID = ("[]", "null")
_LAKE_CALLS = f"create or replace temp view calls as select {', '.join(_CALL_COLUMNS)} from lake.raw_traces"  # noqa: S608
_IDS = [column for column in _CALL_COLUMNS if column != "conversation_id"]
_LAKE_IDS = f"""
create or replace temp view calls as select {", ".join(_IDS)}, null::varchar as conversation_id from lake.raw_traces
"""  # noqa: S608
_ADOPT = """
update lake.raw_feedback as said set day = adopted.day, trace_id = adopted.trace_id, run_id = $run_id
from adopted where said.feedback_id = adopted.feedback_id and said.trace_id is null
"""
_KNOWN = "select feedback_id from lake.raw_feedback where feedback_id in (select feedback_id from said)"
_INSERT = "insert into lake.raw_feedback by name select *, $run_id as run_id from fresh"


def land_feedback(
    lake: Lake, parsed: pl.DataFrame, now: datetime, run_id: str, names: NameFinder | None = None
) -> int:
    """Land what a block of records says about calls; return how many records that are only feedback were new.

    `parsed` has what the format's query gave, plus `source_file`, as it was before redaction: texts are redacted and
    ids turned into pseudonyms here. Its calls are in raw_traces already. What names a call nobody knows waits without
    a trace, and so does what names a conversation: only when all is landed, `adopt_orphans` knows its last call. Said
    twice is landed once, also where it found its trace in between. `names` finds people's names in what was said.
    """
    says_something = pl.col("feedback").is_not_null() & ~pl.col("feedback").is_in(_NOTHING_SAID)
    records = parsed.filter(says_something).select(_SAYING_COLUMNS).with_row_index("place")
    if records.is_empty():
        return 0
    said = without_forgotten(lake, _placed(lake, _heard(lake, records, now, names), parsed))
    own, named = said.filter(pl.col("is_own")), said.filter(~pl.col("is_own"))
    lake.land("raw_feedback", _rows(lake, own).drop("place", "is_alone"), run_id)
    return _land_named(lake, _rows(lake, named), run_id) if named.height else 0


def adopt_orphans(lake: Lake, run_id: str, calls: pl.DataFrame | None = None) -> int:
    """Give feedback that waits its trace, where it has come by now; return how many found theirs.

    With `calls`, rows of raw_traces that were just landed, only those are looked at; without, all traces are: once
    per run. The feedback moves to the day of its trace, which is then due for mining again.
    """
    waiting = _asked(lake, find_query("landing", "waiting"))
    if waiting.is_empty():
        return 0
    adopted = _with_traces(lake, waiting, _LAKE_CALLS if calls is None else calls).drop_nulls("trace_id")
    if adopted.is_empty():
        return 0
    with lake.transaction("adopt raw_feedback", "raw_feedback") as cursor:
        cursor.register("adopted", adopted.select("feedback_id", "trace_id", day="trace_day").to_arrow())
        cursor.execute(_ADOPT, {"run_id": run_id})
    return adopted.height


def _heard(lake: Lake, records: pl.DataFrame, now: datetime, names: NameFinder | None) -> pl.DataFrame:
    """Return one row per thing said, without personal data but for the names of what it is about."""
    query = find_query("landing", "feedback_of")
    said = _asked(lake, query, {"now": now}, parsed_records=records)
    texts = redact_column(said["text"])[0]
    actors = said["actor"].drop_nulls().unique()
    hashed = dict(zip(actors, [content_id("actor", name) for name in actors], strict=True))
    return said.with_columns(
        redact_column(said["name"])[0],
        texts if names is None else without_names(texts, names),
        pl.col("actor").replace_strict(hashed, return_dtype=pl.String).alias("actor_hash"),
        pl.col("target").is_null().alias("is_own"),
    )


def _placed(lake: Lake, said: pl.DataFrame, parsed: pl.DataFrame) -> pl.DataFrame:
    """Add `trace_id` and `trace_day` of what each thing said is about: in its record, in this block, in the lake."""
    own = said.filter(pl.col("is_own")).with_columns(
        pl.col("own_trace_id").alias("trace_id"), pl.col("started_at").dt.date().alias("trace_day")
    )
    calls = parsed.filter(pl.col("problem").is_null() & pl.col("trace_id").is_not_null())
    calls = calls.with_columns(
        pl.col("started_at").dt.date().alias("day"), pl.lit(None, pl.String).alias("conversation_id")
    )
    named = said.filter(~pl.col("is_own"))
    if named.is_empty():
        return own
    near = _with_traces(lake, named, calls.select(_CALL_COLUMNS))
    near = near.with_columns(pseudonyms(near["target"]))
    is_far = pl.col("trace_id").is_null()
    far = _with_traces(lake, near.filter(is_far).drop("trace_id", "trace_day"), _LAKE_IDS)
    return pl.concat([own, near.filter(~is_far), far], how="diagonal")


def _with_traces(lake: Lake, named: pl.DataFrame, calls: pl.DataFrame | str) -> pl.DataFrame:
    """Add `trace_id` and `trace_day` of what the targets mean among calls: a frame, or what makes a view of them."""
    if named.is_empty():
        return named
    meant = _asked(
        lake, find_query("landing", "target_of"), wanted=named.select("target", "occurred_at"), calls=calls
    )
    return named.join(meant, on=["target", "occurred_at"], how="left", nulls_equal=True)


def _rows(lake: Lake, said: pl.DataFrame) -> pl.DataFrame:
    return _asked(lake, find_query("landing", "said_things"), said=said)


def _land_named(lake: Lake, rows: pl.DataFrame, run_id: str) -> int:
    """Add what is not there on any day, for a thing said may have moved to the day of its trace since."""
    first = rows.unique("feedback_id", keep="first", maintain_order=True)
    with lake.transaction("land raw_feedback", "raw_feedback") as cursor:
        cursor.register("said", first.select("feedback_id").to_arrow())
        known = cursor.execute(_KNOWN).pl()["feedback_id"]
        fresh = first.filter(~pl.col("feedback_id").is_in(known.implode()))
        cursor.register("fresh", fresh.drop("place", "is_alone").to_arrow())
        cursor.execute(_INSERT, {"run_id": run_id})
    return fresh.filter(pl.col("is_alone"))["place"].n_unique()


def _asked(
    lake: Lake, query: str, given: Mapping[str, object] | None = None, **views: pl.DataFrame | str
) -> pl.DataFrame:
    """Return what a query makes of views it knows by name, frames or statements; it sees what is landed together."""
    with lake.reading() as cursor:
        cursor.execute("set timezone = 'UTC'")  # a cursor does not inherit it: the machine's zone would decide days
        for name, rows in views.items():
            if isinstance(rows, str):
                cursor.execute(rows)
            else:
                cursor.register(name, rows.to_arrow())
        return cursor.execute(query, given).pl()
