"""Watch: one day's traffic against the days before it, column by column, into `drift`."""

import math
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from flywheel.core.lake import Lake
from flywheel.stats.c2st import TextDrift, classifier_two_sample_test
from flywheel.stats.drift import (
    ColumnDrift,
    DriftPolicy,
    DriftVerdict,
    benjamini_hochberg,
    categorical_drift,
    category_counts,
    numeric_drift,
)


@dataclass(frozen=True, slots=True)
class WatchPolicy:
    """What counts as drift."""

    window_days: int = 7  # the same weekdays are in every reference
    most_rows: int = 5_000  # per day; more rows find differences too small to matter
    text_floor: float = 0.55  # AUC of telling the days' texts apart, Evidently's bound
    columns: DriftPolicy = field(default_factory=DriftPolicy)


@dataclass(frozen=True, slots=True)
class Finding:
    """One watched column of one day."""

    column: str
    statistic: str
    value: float
    bound: float
    p_value: float
    sizes: tuple[int, int]  # rows of reference and current
    explanation: str

    @property
    def is_known(self) -> bool:
        """Whether there was enough to measure."""
        return not math.isnan(self.p_value)


# Answers and confidence are compared within the model that serves the day: a promotion changes them on purpose.
_ROWS = """
with drawn as (
    select *, row_number() over (partition by day order by md5(trace_id)) as draw from traces
    where day between $first and $day
),
served as (
    select model from traces where day = $day group by model order by count(*) desc, model limit 1
)
select
    drawn.day, drawn.turn = 1 as is_opening, coalesce(drawn.query, '') as query, length(drawn.query) as query_length,
    drawn.confidence, drawn.output, drawn.latency_ms, coalesce(drawn.error, 'none') as error,
    drawn.model is not distinct from (select served.model from served) as is_same_model
from drawn where drawn.draw <= $most order by drawn.day, drawn.draw
"""


def watch_day(lake: Lake, day: date, policy: WatchPolicy, run_id: str = "") -> list[str]:
    """Measure the day against its reference into `drift`; return the columns that drifted."""
    first = day - timedelta(days=policy.window_days)
    rows = lake.frame(_ROWS, day=day, first=first, most=policy.most_rows)
    reference, current = rows.filter(pl.col("day") < day), rows.filter(pl.col("day") == day)
    found = measure(reference, current, policy)
    adjusted = benjamini_hochberg([finding.p_value for finding in found])
    window: dict[str, object] = {"reference_from": reference["day"].min(), "reference_to": reference["day"].max()}
    judged = [_row(finding, float(p), policy) | window for finding, p in zip(found, adjusted, strict=True)]
    lake.replace("drift", day, lake.typed("drift", judged), run_id)
    return [str(row["column_name"]) for row in judged if row["verdict"] == DriftVerdict.DRIFT.value]


def measure(reference: pl.DataFrame, current: pl.DataFrame, policy: WatchPolicy) -> list[Finding]:
    """Return what was found in every watched column."""
    # what opens conversations is independent; a rephrased query has a twin in the same day and looks like news
    opened, opening = (frame.filter(pl.col("is_opening")) for frame in (reference, current))
    served = pl.col("is_same_model") & (pl.col("error") == "none")
    return [
        _text("query", opened["query"], opening["query"], policy),
        _numeric("query_length", opened, opening, policy),
        _numeric("latency_ms", reference, current, policy),
        _categorical("error", reference, current, policy),
        _categorical("output", opened.filter(served), opening.filter(served), policy),
        _numeric("confidence", opened.filter(served), opening.filter(served), policy),
    ]


def _numeric(column: str, reference: pl.DataFrame, current: pl.DataFrame, policy: WatchPolicy) -> Finding:
    found = numeric_drift(column, reference[column], current[column], policy.columns)
    return _finding(found, f"mean {_mean(reference[column])} -> {_mean(current[column])}")


def _mean(values: pl.Series) -> str:
    known = values.drop_nulls()
    return f"{float(known.sum()) / len(known):.4g}" if len(known) else "unknown"


def _categorical(column: str, reference: pl.DataFrame, current: pl.DataFrame, policy: WatchPolicy) -> Finding:
    found = categorical_drift(column, reference[column], current[column], policy.columns)
    return _finding(found, _moved(reference[column], current[column]))


def _moved(reference: pl.Series, current: pl.Series) -> str:
    """Return the values whose share changed most, in words."""
    if reference.is_empty() or current.is_empty():
        return ""
    names = pl.concat([reference, current]).cast(pl.String).unique().sort()
    before, now = category_counts(reference, current)
    shares = sorted(
        zip(names, before / before.sum(), now / now.sum(), strict=True), key=lambda row: -abs(row[2] - row[1])
    )
    return ", ".join(f"{name or 'null'} {100 * b:.1f} % -> {100 * n:.1f} %" for name, b, n in shares[:3])


def _finding(found: ColumnDrift, explanation: str) -> Finding:
    sizes = (found.n_reference, found.n_current)
    return Finding(found.column, found.statistic.value, found.value, found.bound, found.p_value, sizes, explanation)


def _text(column: str, reference: pl.Series, current: pl.Series, policy: WatchPolicy) -> Finding:
    sizes = (len(reference), len(current))
    if min(sizes) < policy.columns.fewest_rows:
        return Finding(column, "auc", math.nan, policy.text_floor, math.nan, sizes, "")
    told = classifier_two_sample_test(reference.to_list(), current.to_list(), seed=0)
    return Finding(column, "auc", told.auc, policy.text_floor, told.p_value, sizes, _phrases(told))


def _phrases(told: TextDrift) -> str:
    more = [term for term, weight in told.terms if weight > 0][:5]
    less = [term for term, weight in told.terms if weight < 0][:5]
    return f"more of: {', '.join(more) or '-'}; less of: {', '.join(less) or '-'}"


def _row(finding: Finding, p_adjusted: float, policy: WatchPolicy) -> dict[str, object]:
    verdict = DriftVerdict.INSUFFICIENT
    if finding.is_known:
        drifted = p_adjusted < policy.columns.level and finding.value > finding.bound
        verdict = DriftVerdict.DRIFT if drifted else DriftVerdict.OK
    return {
        "column_name": finding.column,
        "statistic": finding.statistic,
        "value": _or_null(finding.value),
        "bound": finding.bound,
        "p_value": _or_null(finding.p_value),
        "p_adjusted": _or_null(p_adjusted),
        "verdict": verdict.value,
        "reference_count": finding.sizes[0],
        "current_count": finding.sizes[1],
        "explanation": finding.explanation,
    }


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value
