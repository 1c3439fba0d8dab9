"""Forget a person or a call: take everything that tells of it out of the live lake, and do not let it back in.

Releases are immutable; those that contain some of it are listed, and withdrawing them is the operator's decision.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl

from flywheel.core.ids import content_id, tombstone_of
from flywheel.core.lake import Lake
from flywheel.core.purge import purge_history, vacuum_sqlite
from flywheel.core.storage import Store
from flywheel.ingest.actors import actor_hash
from flywheel.ingest.blocks import RefusedLine
from flywheel.ingest.forget_places import ReleaseHit, clean_inbox, delete_reports, releases_with
from flywheel.ingest.forget_rows import Subject, Told, rows_that_tell, tables_of, words_of
from flywheel.ingest.redaction import redacted_id
from flywheel.llm.ledger import Ledger

# what a tombstone may stand for, in rows that land
_ID_COLUMNS = ("trace_id", "own_trace_id", "response_id", "target_id", "target", "actor_hash")
_MODES_OF = """
select day, mode_id from mode_members group by day, mode_id
having bool_or(trace_id in (select unnest($traces::varchar[])))
    and ($is_empty = bool_and(trace_id in (select unnest($traces::varchar[]))))
"""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed, or would be, and what could not be."""

    request_id: str
    kind: str
    trace_count: int
    removed: Mapping[str, int]  # rows by table, and what is not a table: cached_replies, inbox_lines, reports
    releases: tuple[ReleaseHit, ...]
    days: tuple[str, ...]  # to be mined again
    is_dry_run: bool


def preview(lake: Lake, store: Store, subject: Subject) -> Forgotten:
    """Return what `forget` would remove, and the releases it would list; nothing changes."""
    told = rows_that_tell(lake.connection, subject)
    counted = _counted(lake.connection, told) | _beside(lake, store, told, is_dry_run=True)
    return _report(told, counted, store, is_dry_run=True)


def forget(lake: Lake, store: Store, subject: Subject, now: datetime, run_id: str = "") -> Forgotten:
    """Remove all that tells of a person or a call from the lake, with every older version of the lake.

    Safe to run again, also after a crash. What is removed in one transaction is the tables and the tombstone; the
    places beside them come first, because only the tables say what belongs there.

    Raises:
        LakeBusy: somebody else keeps the lake for longer than we wait.

    """
    with lake.transaction("forget") as cursor:
        told = rows_that_tell(cursor, subject)
        removed = _beside(lake, store, told, is_dry_run=False) | _removed(cursor, told)
        report = _report(told, removed, store, is_dry_run=False)
        _entomb(cursor, told, report, now, run_id)
    purge_history(lake)
    return report


def without_forgotten(lake: Lake, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that tell of nobody and nothing forgotten; for redacted traces and feedback about to land."""
    known = entombed_hashes(lake)
    if not known or frame.is_empty():
        return frame
    gone = pl.lit(False)
    for column in _ID_COLUMNS:
        if column in frame.columns:
            gone = gone | pl.col(column).is_in(_entombed(frame[column], known)).fill_null(False)
    if "aliases" in frame.columns:
        ids = _entombed(frame["aliases"].explode().cast(pl.String), known)
        gone = gone | pl.col("aliases").list.set_intersection(ids).list.len().fill_null(0).gt(0)
    return frame.filter(~gone)


def entombed_hashes(lake: Lake) -> frozenset[str]:
    """Return the tombstones of all that was forgotten."""
    return frozenset(lake.frame("select subject_hash from forgotten")["subject_hash"])


def tells_of_forgotten(line: RefusedLine, known: frozenset[str]) -> bool:
    """Whether a refused line is of somebody forgotten, or names them or their call, as far as it can be read."""
    if not known:
        return False
    words = words_of(line.raw, is_parsed=line.actor_hash is not None)
    ids = {line.actor_hash, *map(actor_hash, words), *map(redacted_id, words)} - {None}
    return any(tombstone_of(str(one)) in known for one in ids)


def _entombed(ids: pl.Series, known: frozenset[str]) -> list[str]:
    return [one for one in ids.drop_nulls().unique() if tombstone_of(one) in known]


def _where(told: Told, table: str, columns: list[str]) -> tuple[str, dict[str, Any]]:
    conditions = list(told.conditions(table, columns))
    parameters = {name: value for _, given in conditions for name, value in given.items()}
    return " or ".join(condition for condition, _ in conditions), parameters


def _counted(cursor: Any, told: Told) -> dict[str, int]:
    counts = {}
    for table, columns in tables_of(cursor).items():
        where, parameters = _where(told, table, columns)
        if where:
            counted = cursor.execute(f"select count(*) from lake.{table} where {where}", parameters)  # noqa: S608 - our own names
            counts[table] = counted.fetchone()[0]
    return {table: count for table, count in counts.items() if count}


def _removed(cursor: Any, told: Told) -> dict[str, int]:
    """Delete the rows, table by table; modes without another member go, others lose the example they quote."""
    traces = sorted(told.ids["trace_id"] | told.others_trace_ids)
    empty, shared = (
        cursor.execute(_MODES_OF, {"traces": traces, "is_empty": is_empty}).fetchall() for is_empty in (True, False)
    )
    counts = _counted(cursor, told)
    columns = tables_of(cursor)
    for table in counts:
        where, parameters = _where(told, table, columns[table])
        cursor.execute(f"delete from lake.{table} where {where}", parameters)  # noqa: S608 - our own names
    for day, mode_id in empty:
        cursor.execute("delete from lake.failure_modes where day = $day and mode_id = $mode_id", _mode(day, mode_id))
    for day, mode_id in shared:
        cursor.execute(
            "update lake.failure_modes set description = name where day = $day and mode_id = $mode_id",
            _mode(day, mode_id),
        )
    return counts | ({"failure_modes": len(empty)} if empty else {})


def _mode(day: Any, mode_id: str) -> dict[str, Any]:
    return {"day": day, "mode_id": mode_id}


def _beside(lake: Lake, store: Store, told: Told, *, is_dry_run: bool) -> dict[str, int]:
    """Clean the places beside the tables, or count what is there; return what is not zero."""
    examples = told.ids["example_id"]
    counts = {
        "inbox_lines": clean_inbox(store, examples, is_dry_run=is_dry_run),
        "reports": delete_reports(store, told.ids["trace_id"] | examples, is_dry_run=is_dry_run),
        "cached_replies": _drop_replies(lake, told, is_dry_run=is_dry_run),
    }
    return {place: count for place, count in counts.items() if count}


def _drop_replies(lake: Lake, told: Told, *, is_dry_run: bool) -> int:
    """Drop cached replies to prompts made of the subject's calls, and those of which nobody knows."""
    path = lake.settings.control_folder / "ledger.sqlite" if lake.settings else None
    if path is None or not path.exists() or not told.ids["trace_id"]:
        return 0
    with Ledger(path) as ledger:
        count = ledger.drop_answers(told.ids["example_id"], is_dry_run=is_dry_run)
    if count and not is_dry_run:
        vacuum_sqlite(path)
    return count


def _report(told: Told, removed: Mapping[str, int], store: Store, *, is_dry_run: bool) -> Forgotten:
    subject = told.subject
    return Forgotten(
        request_id=content_id("forget", *subject.actors, *subject.ids),
        kind=subject.kind,
        trace_count=len(told.ids["trace_id"]),
        removed=dict(sorted(removed.items())),
        releases=releases_with(store, told.ids),
        days=told.days,
        is_dry_run=is_dry_run,
    )


def _entomb(cursor: Any, told: Told, report: Forgotten, now: datetime, run_id: str) -> None:
    """Write down, as hashes, what must not come back; a tombstone that is there already stays as it is."""
    main = {
        "trace_count": report.trace_count,
        "removed": orjson.dumps(dict(report.removed)).decode(),
        "releases": orjson.dumps([asdict(hit) for hit in report.releases]).decode(),
    }
    subject = told.subject
    traces, aliases = set(told.ids["trace_id"]), set(told.aliases)
    first = subject.actors or subject.ids
    rows = [{"kind": subject.kind, "subject_hash": tombstone_of(first[0])} | main]
    rows += [{"kind": "trace", "subject_hash": tombstone_of(one)} for one in sorted(traces - {first[0]})]
    rows += [{"kind": "alias", "subject_hash": tombstone_of(one)} for one in sorted(aliases - traces - {first[0]})]
    shared = {
        "day": now.astimezone(UTC).date(),
        "run_id": run_id,
        "request_id": report.request_id,
        "forgotten_at": now,
    }
    schema = cursor.execute("select * from lake.forgotten limit 0").pl().schema
    frame = pl.DataFrame([{name: (row | shared).get(name) for name in schema} for row in rows], schema=schema)
    cursor.register("tombstones", frame.to_arrow())
    cursor.execute(
        "insert into lake.forgotten by name select * from tombstones "
        "where subject_hash not in (select subject_hash from lake.forgotten)"
    )
