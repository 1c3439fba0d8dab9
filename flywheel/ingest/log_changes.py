"""What changed about a log's fields: the newest day of each format against the days before."""

import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import polars as pl

from flywheel.core.lake import Lake

DAYS_BEFORE = 7
EXPECTED_COUNT = 10  # seen at least so often if nothing had changed: missed by chance once in 22,000 fields
CONTENT_DROP = 0.1  # of the share of calls with content
_Z = 4.0  # standard errors by which a drop must exceed chance

_OBSERVED = """
with days as (
    select format, day, row_number() over (partition by format order by day desc) as age
    from (select distinct format, day from log_fields)
)
select
    log_fields.format, log_fields.day, days.age = 1 as is_newest, log_fields.path, log_fields.json_type,
    sum(log_fields.record_count)::bigint as record_count, sum(log_fields.sampled_count)::bigint as sampled_count,
    sum(log_fields.trace_count)::bigint as trace_count, sum(log_fields.content_count)::bigint as content_count
from log_fields
inner join days on log_fields.format = days.format and log_fields.day = days.day
where days.age <= $day_count
group by all
order by all
"""


class ChangeKind(StrEnum):
    """What happened to a field, or to the calls."""

    NEW = "new"
    MISSING = "missing"
    RETYPED = "retyped"
    CONTENT = "less_content"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One change of a format's fields on its newest day; before and now are shares of records, or of calls."""

    format: str
    day: date
    kind: ChangeKind
    path: str
    before: float
    now: float
    detail: str


def log_changes(lake: Lake) -> list[FieldChange]:
    """Return what changed in each format on its newest day, against up to seven days before that have records."""
    observed = lake.frame(_OBSERVED, day_count=DAYS_BEFORE + 1)
    return [change for _, rows in observed.group_by("format", maintain_order=True) for change in _changes(rows)]


def change_hint(lake: Lake) -> str | None:
    """Return one line about what changed, for the end of an ingest; None where nothing did."""
    changes = log_changes(lake)
    if not changes:
        return None
    counts = pl.Series([change.kind.value for change in changes]).value_counts(sort=True)
    told = ", ".join(f"{count} {kind}" for kind, count in counts.iter_rows())
    return f"The logs' fields changed ({told}): flywheel log-changes"


def _changes(rows: pl.DataFrame) -> list[FieldChange]:
    """Return the changes of one format; none where only one day was seen."""
    sides = {is_newest: part for (is_newest,), part in rows.group_by("is_newest")}
    if set(sides) != {True, False}:
        return []
    totals = {side: part.filter(pl.col("path") == "").sum() for side, part in sides.items()}
    sampled = {side: int(total["sampled_count"][0] or 0) for side, total in totals.items()}
    counted = (
        rows.filter(pl.col("path") != "")
        .group_by("path", "json_type")
        .agg(
            pl.col("record_count").filter("is_newest").sum().alias("now"),
            pl.col("record_count").filter(~pl.col("is_newest")).sum().alias("before"),
        )
        .sort("path", "json_type")
    )
    format_name, day = rows["format"][0], sides[True]["day"][0]
    found = [
        FieldChange(format_name, day, kind, path, before / sampled[False], now / sampled[True], detail)
        for kind, path, before, now, detail in _field_changes(counted, sampled)
    ]
    drop = _content_drop(totals)
    return [*([FieldChange(format_name, day, ChangeKind.CONTENT, "", *drop)] if drop else []), *found]


def _field_changes(counted: pl.DataFrame, sampled: dict[bool, int]) -> list[tuple[ChangeKind, str, int, int, str]]:
    """Return fields on one side only, and types on one side only of fields that are on both."""
    known = {path: (before, now) for path, json_type, now, before in counted.iter_rows() if json_type == "any"}
    found = []
    for path, json_type, now, before in counted.iter_rows():
        appeared = before == 0 and now * sampled[False] >= EXPECTED_COUNT * sampled[True]
        vanished = now == 0 and before * sampled[True] >= EXPECTED_COUNT * sampled[False]
        if json_type == "any" and (appeared or vanished) and not _has_changed_parent(path, known):
            found.append((ChangeKind.NEW if appeared else ChangeKind.MISSING, path, before, now, ""))
        elif json_type not in ("any", "null") and appeared and known[path][0]:
            types = counted.filter((pl.col("path") == path) & (pl.col("before") > 0))["json_type"]
            told = ", ".join(sorted(set(types) - {"any"}))
            found.append((ChangeKind.RETYPED, path, before, now, f"{told} before, {json_type} now"))
    return found


def _has_changed_parent(path: str, known: dict[str, tuple[int, int]]) -> bool:
    """Whether the field that holds it came or went with it: then that one is told, and its parts are not."""
    parent = path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0]
    before, now = known.get(parent, (1, 1))
    return before == 0 or now == 0


def _content_drop(totals: dict[bool, pl.DataFrame]) -> tuple[float, float, str] | None:
    """Return the share of calls with content before and now, if it fell by more than chance explains."""
    calls = {side: int(total["trace_count"][0] or 0) for side, total in totals.items()}
    if not all(calls.values()):
        return None
    before, now = (int(totals[side]["content_count"][0] or 0) / calls[side] for side in (False, True))
    pooled = (before * calls[False] + now * calls[True]) / sum(calls.values())
    error = math.sqrt(pooled * (1 - pooled) * (1 / calls[False] + 1 / calls[True]))
    if before - now < CONTENT_DROP or before - now < _Z * error:
        return None
    return before, now, "calls with what was asked and answered; is the emitter's capture of content still on?"
