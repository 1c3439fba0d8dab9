"""Decide which columns of current traffic are not distributed like the reference.

A column drifts only if the difference is both unlikely by chance, after correcting for how many columns were
looked at, and large enough to matter: at a million rows every p-value fires, at a hundred every fixed bound does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import polars as pl

from flywheel.stats.distances import (
    chi_square_test,
    js_distance,
    kolmogorov_smirnov,
    psi_critical_value,
    psi_of_counts,
    psi_p_value,
    quantile_counts,
)
from flywheel.stats.intervals import Numbers


class DriftVerdict(StrEnum):
    """What was found about a column."""

    OK = "ok"
    DRIFT = "drift"
    INSUFFICIENT = "insufficient"


class DriftStatistic(StrEnum):
    """What the value of a column's drift is."""

    W1_OVER_SD = "w1_over_sd"
    CRAMERS_V = "cramers_v"
    PSI = "psi"


@dataclass(frozen=True, slots=True)
class DriftPolicy:
    """When to call it drift (methods 5.3)."""

    # Evidently's bound for its own effect sizes, and methods 5.3's floor.
    effect_floor: float = 0.1
    level: float = 0.05
    # Below 500 rows a fixed floor alarms without drift: 20% of the time at 500, 68% at 200 (methods 5.2).
    fewest_rows: int = 500


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """One column: value against bound, the p-value (adjusted once judged with others), effect size and verdict."""

    column: str
    statistic: DriftStatistic
    value: float
    bound: float
    p_value: float
    effect: float
    verdict: DriftVerdict
    n_reference: int
    n_current: int


DEFAULT_POLICY = DriftPolicy()


def numeric_drift(
    column: str, reference: pl.Series, current: pl.Series, policy: DriftPolicy = DEFAULT_POLICY
) -> ColumnDrift:
    """Compare a numeric column: Kolmogorov-Smirnov's p-value, Wasserstein-1 / sd as the effect.

    Missing values are left out and not counted; watch their share as a categorical column of its own.
    """
    known, fresh = _numbers(reference), _numbers(current)
    if min(len(known), len(fresh)) < policy.fewest_rows:
        return _insufficient(column, DriftStatistic.W1_OVER_SD, (len(known), len(fresh)), policy.effect_floor)
    tested = kolmogorov_smirnov(known, fresh)
    found = ColumnDrift(
        column=column,
        statistic=DriftStatistic.W1_OVER_SD,
        value=tested.w1_over_sd,
        bound=policy.effect_floor,
        p_value=tested.p_value,
        effect=tested.w1_over_sd,
        verdict=DriftVerdict.OK,
        n_reference=len(known),
        n_current=len(fresh),
    )
    return _with_verdict(found, found.p_value, policy)


def categorical_drift(
    column: str, reference: pl.Series, current: pl.Series, policy: DriftPolicy = DEFAULT_POLICY
) -> ColumnDrift:
    """Compare a categorical column: chi-square's p-value, Cramer's V as the effect. Missing is a category.

    Insufficient too when no category is frequent enough to be tested (an id, say).
    """
    sizes = len(reference), len(current)
    if min(sizes) < policy.fewest_rows:
        return _insufficient(column, DriftStatistic.CRAMERS_V, sizes, policy.effect_floor)
    tested = chi_square_test(*category_counts(reference, current))
    if tested.pooled and tested.categories < 2:
        return _insufficient(column, DriftStatistic.CRAMERS_V, sizes, policy.effect_floor)
    found = ColumnDrift(
        column=column,
        statistic=DriftStatistic.CRAMERS_V,
        value=tested.cramers_v,
        bound=policy.effect_floor,
        p_value=tested.p_value,
        effect=tested.cramers_v,
        verdict=DriftVerdict.OK,
        n_reference=sizes[0],
        n_current=sizes[1],
    )
    return _with_verdict(found, found.p_value, policy)


def psi_drift(
    column: str, reference: pl.Series, current: pl.Series, policy: DriftPolicy = DEFAULT_POLICY, bins: int = 10
) -> ColumnDrift:
    """Compare a numeric column by PSI against its own critical value; the effect is the Jensen-Shannon distance."""
    known, fresh = _numbers(reference), _numbers(current)
    if min(len(known), len(fresh)) < policy.fewest_rows:
        return _insufficient(column, DriftStatistic.PSI, (len(known), len(fresh)), float("nan"))
    counts = quantile_counts(known, fresh, bins)
    value = psi_of_counts(*counts)
    found = ColumnDrift(
        column=column,
        statistic=DriftStatistic.PSI,
        value=value,
        bound=psi_critical_value(counts[0], len(fresh), 1 - policy.level),
        p_value=psi_p_value(value, counts[0], len(fresh)),
        effect=js_distance(*counts),
        verdict=DriftVerdict.OK,
        n_reference=len(known),
        n_current=len(fresh),
    )
    return _with_verdict(found, found.p_value, policy)


def judged_together(columns: Sequence[ColumnDrift], policy: DriftPolicy = DEFAULT_POLICY) -> list[ColumnDrift]:
    """Return the columns with p-values adjusted for their number (Benjamini-Hochberg) and verdicts to match.

    Columns with too few rows stay insufficient and do not count as looked at.
    """
    adjusted = benjamini_hochberg([column.p_value for column in columns])
    return [_with_verdict(column, float(p), policy) for column, p in zip(columns, adjusted, strict=True)]


def benjamini_hochberg(p_values: npt.ArrayLike) -> Numbers:
    """Return p-values adjusted to control the false discovery rate (Benjamini and Hochberg 1995).

    nan stays nan and does not count as a test.
    """
    p = np.asarray(p_values, np.float64)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested])]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def category_counts(reference: pl.Series, current: pl.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Count both samples in the union of their categories, in the same order."""
    sides = [s.cast(pl.String).alias("category").value_counts() for s in (reference, current)]
    joined = sides[0].join(sides[1], on="category", how="full", coalesce=True, nulls_equal=True).sort("category")
    counts = joined.select(pl.col("count", "count_right").fill_null(0).cast(pl.Int64))
    return counts["count"].to_numpy(), counts["count_right"].to_numpy()


def _numbers(values: pl.Series) -> Numbers:
    return values.cast(pl.Float64).fill_nan(None).drop_nulls().to_numpy()


def _with_verdict(found: ColumnDrift, p_value: float, policy: DriftPolicy) -> ColumnDrift:
    if found.verdict is DriftVerdict.INSUFFICIENT:
        return found
    drifted = p_value < policy.level and found.effect > policy.effect_floor
    return replace(found, p_value=p_value, verdict=DriftVerdict.DRIFT if drifted else DriftVerdict.OK)


def _insufficient(column: str, statistic: DriftStatistic, sizes: tuple[int, int], bound: float) -> ColumnDrift:
    unknown = float("nan")
    return ColumnDrift(
        column, statistic, unknown, bound, unknown, unknown, DriftVerdict.INSUFFICIENT, sizes[0], sizes[1]
    )
