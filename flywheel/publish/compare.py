"""What changed between two releases: which corrections came, went or were changed, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from flywheel.core.lake import Lake
from flywheel.core.records import Split
from flywheel.core.releases import Release
from flywheel.core.storage import Store
from flywheel.publish.release_rows import read_rows
from flywheel.publish.withdrawn import withdrawn

_KEY = "correction_id"
_NO_CONTENT = ("day", "run_id")  # when something was written, not what it says
_TOLD = ("mode_name", "author_kind", "author_id", "trace_id", "query", "rejected", "chosen")
CHANGES = ("added", "removed", "changed")


@dataclass(frozen=True, slots=True)
class Difference:
    """How the second release differs from the first.

    `rows` are those that differ: correction_id, change, split_before, split_after, columns, why, detail, and what a
    reader knows the correction by; what it says is as in the second release, or the first where it is gone.
    """

    dataset: str
    before: int
    after: int
    rows: pl.DataFrame
    same_count: int
    new_columns: tuple[str, ...]
    lost_columns: tuple[str, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how many rows came, went, changed and stayed the same."""
        found = dict(self.rows.group_by("change").len().iter_rows())
        return {change: found.get(change, 0) for change in CHANGES} | {"same": self.same_count}

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """Return how many rows there are for each change and reason, most first."""
        return (
            self.rows.group_by("change", "why")
            .len("rows")
            .sort("rows", "change", "why", descending=[True, False, False])
            .to_dicts()
        )


def compare(lake: Lake, store: Store, before: Release, after: Release) -> Difference:
    """Return what is different in `after`; reasons come from the lake, all else from the two releases' objects.

    Raises:
        CorruptObject: a file of one of them is not what was published.

    """
    old, new = read_rows(store, before), read_rows(store, after)
    shared = [column for column in old.columns if column in new.columns and column not in _NO_CONTENT]
    old, new = _alike(old, new, shared)
    changed, same_count = _changed(old, new, shared)
    parts = [_one_sided(new, old, "added"), _one_sided(old, new, "removed"), changed]
    rows = _explained(lake, pl.concat(parts, how="diagonal_relaxed"), before, after)
    return Difference(
        dataset=after.dataset,
        before=before.version,
        after=after.version,
        rows=rows.sort("change", _KEY),
        same_count=same_count,
        new_columns=tuple(sorted(set(new.columns) - set(old.columns))),
        lost_columns=tuple(sorted(set(old.columns) - set(new.columns))),
    )


def _alike(old: pl.DataFrame, new: pl.DataFrame, shared: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give shared columns one type: a column that was all null in one release has none of its own there."""
    both = pl.concat([old.head(0).select(shared), new.head(0).select(shared)], how="vertical_relaxed").schema
    return old.cast(dict(both)), new.cast(dict(both))  # type: ignore[arg-type] # a schema is a mapping of its types


def _one_sided(here: pl.DataFrame, there: pl.DataFrame, change: str) -> pl.DataFrame:
    side = "split_after" if change == "added" else "split_before"
    found = here.join(there.select(_KEY), on=_KEY, how="anti")
    return _told(found.with_columns(pl.lit(change).alias("change"), pl.col("split").alias(side)))


def _changed(old: pl.DataFrame, new: pl.DataFrame, shared: list[str]) -> tuple[pl.DataFrame, int]:
    """Return the rows that both have and that say something else, and how many say the same."""
    marked = [frame.select(_KEY, pl.struct(shared).hash().alias("mark")) for frame in (old, new)]
    both = marked[0].join(marked[1], on=_KEY, suffix="_after")
    differing = both.filter(pl.col("mark") != pl.col("mark_after")).select(_KEY)
    pairs = new.join(differing, on=_KEY, how="semi").join(old.select(shared), on=_KEY, suffix="_before")
    columns = [column for column in shared if column != _KEY]
    names = pl.concat_list(
        pl.when(pl.col(column).ne_missing(pl.col(f"{column}_before"))).then(pl.lit(column)) for column in columns
    ).list.drop_nulls()
    told = pairs.with_columns(
        pl.lit("changed").alias("change"), pl.col("split").alias("split_after"), names.alias("columns")
    )
    return _told(told), both.height - differing.height


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    texts: dict[str, pl.DataType | type[pl.DataType]] = dict.fromkeys(
        ("split_before", "split_after", *_TOLD), pl.String
    )
    known = texts | {"columns": pl.List(pl.String)}
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in known.items() if name not in rows.columns]
    return rows.with_columns(missing).select(_KEY, "change", "split_before", "split_after", "columns", "day", *_TOLD)


def _explained(lake: Lake, rows: pl.DataFrame, before: Release, after: Release) -> pl.DataFrame:
    """Add `why`, countable, and `detail`, for a reader."""
    reasons = withdrawn(lake, rows.select(_KEY, "trace_id"))
    told = rows.join(reasons, on=_KEY, how="left")
    is_added, is_changed = pl.col("change") == "added", pl.col("change") == "changed"
    is_backwards = after.version < before.version
    accepted = pl.format("by {} on {}", pl.col("author_id").fill_null("nobody known"), pl.col("day"))
    why = (
        pl.when(is_changed & (pl.col("split_after") == Split.RETIRED) & pl.col("columns").list.contains("split"))
        .then(pl.lit("retired"))
        .when(is_changed)
        .then(pl.lit("updated"))
        .when(is_added & ~pl.lit(is_backwards))
        .then(pl.lit("accepted"))
        .when(pl.col("why").is_not_null())
        .then(pl.col("why"))
        .when(pl.lit(is_backwards))
        .then(pl.lit("not_in_that_version"))
        .otherwise(pl.lit("unexplained"))
    )
    detail = (
        pl.when(why == "retired")
        .then(pl.lit("a twin of it is held out or audited"))
        .when(is_changed)
        .then(pl.format("now differs in {}", pl.col("columns").list.join(", ")))
        .when(is_added)
        .then(accepted)
        .otherwise(pl.col("detail"))
    )
    return told.with_columns(why.alias("why"), detail.alias("detail")).drop("day")
