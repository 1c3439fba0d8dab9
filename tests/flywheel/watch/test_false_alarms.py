"""Driftless days must not alarm: on-call people stop reading alerts that cry wolf."""

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

import polars as pl

from flywheel.stats.drift import benjamini_hochberg
from flywheel.watch.day import Finding, WatchPolicy, measure

Days = Callable[..., list[dict[str, Any]]]
POLICY = WatchPolicy()


def as_watched(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return calls as `measure` takes them."""
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("query").str.len_chars().alias("query_length"),
        pl.col("error").fill_null("none"),
        pl.lit(True).alias("is_opening"),
        pl.lit(True).alias("is_same_model"),
    )


def alarms(findings: list[Finding]) -> int:
    adjusted = benjamini_hochberg([finding.p_value for finding in findings])
    level = POLICY.columns.level
    return sum(
        bool(p < level and finding.value > finding.bound) for finding, p in zip(findings, adjusted, strict=True)
    )


def slower(row: dict[str, Any], _: Random) -> dict[str, Any]:
    return row | {"latency_ms": row["latency_ms"] * 1.2}


def test_of_twenty_driftless_days_at_most_one_alarms(day_of: Days) -> None:
    reference = as_watched(day_of(date(2026, 1, 1), "reference", 2000))
    days = [as_watched(day_of(date(2026, 1, 8), f"seed {seed}", 600)) for seed in range(20)]
    noisy = [seed for seed, day in enumerate(days) if alarms(measure(reference, day, POLICY))]
    assert len(noisy) <= 1, noisy


def test_the_same_days_alarm_when_they_drift(day_of: Days) -> None:
    reference = as_watched(day_of(date(2026, 1, 1), "reference", 2000))
    slow = [as_watched(day_of(date(2026, 1, 8), f"seed {seed}", 600, slower)) for seed in range(5)]
    assert [alarms(measure(reference, day, POLICY)) > 0 for day in slow] == [True] * 5
