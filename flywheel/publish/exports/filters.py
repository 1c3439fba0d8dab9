"""Which rows of a release are exported, what each weighs, and how many each filter left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

NO_MODE = "none"
_TEXT_COLUMNS = ("mode_id", "mode_name", "route")  # releases of older code may lack them


@dataclass(frozen=True, slots=True)
class Filters:
    """Bounds on rows; what is None or empty bounds nothing."""

    modes: Sequence[str] = ()  # names or ids; `none` for rows without one
    routes: Sequence[str] = ()
    min_trust: float | None = None  # of `agreement`, 0-1
    max_depth: int | None = None


def weighed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with a `weight`: people's agreement with who corrected it, 1 for a person, and where unknown 1.

    It is what `preferences` calls `soft_label`.
    """
    missing = [pl.lit(None, pl.String).alias(name) for name in _TEXT_COLUMNS if name not in rows.columns]
    return rows.with_columns(pl.col("agreement").cast(pl.Float64).fill_null(1.0).alias("weight"), *missing)


def filtered(rows: pl.DataFrame, filters: Filters) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the rows that pass, and how many each filter left out; a row counts for the first that it fails.

    What a filter cannot judge does not pass it: a row of unknown agreement has no trust.
    """
    left_out: dict[str, int] = {}
    for name, keeps in _conditions(filters).items():
        kept = rows.filter(keeps.fill_null(value=False))
        left_out[name] = rows.height - kept.height
        rows = kept
    return rows, left_out


def _conditions(filters: Filters) -> Mapping[str, pl.Expr]:
    conditions = {}
    if filters.modes:
        named = [mode for mode in filters.modes if mode != NO_MODE]
        is_named = pl.col("mode_name").is_in(named).fill_null(value=False) | pl.col("mode_id").is_in(named).fill_null(
            value=False
        )
        has_none = pl.lit(NO_MODE in filters.modes) & pl.col("mode_name").is_null() & pl.col("mode_id").is_null()
        conditions["mode"] = is_named | has_none
    if filters.routes:
        conditions["route"] = pl.col("route").is_in(list(filters.routes))
    if filters.min_trust is not None:
        conditions["min_trust"] = pl.col("agreement") >= filters.min_trust
    if filters.max_depth is not None:
        conditions["max_depth"] = pl.col("depth") <= filters.max_depth
    return conditions
