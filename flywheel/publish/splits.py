"""Put each problem, with all its near-duplicates, on one side: to train on, or held out for good."""

import hashlib
from collections.abc import Mapping, Sequence

import polars as pl

from flywheel.core.records import Split
from flywheel.text.near_duplicates import near_duplicates

_AUDIT = "audit-"  # correction ids are hexadecimal, so no correction looks like this
HELDOUT_SHARE = 0.2  # of groups: enough failures to measure a fix with, few enough to still learn from


def assign_splits(rows: pl.DataFrame, audited: Sequence[str], frozen: Mapping[str, str]) -> pl.DataFrame:
    """Return rows (correction_id, query) with a `group_id` and a `split`.

    A group goes where its members went in earlier releases. Held-out wins over train: a row that was trained on is
    held out from now on when a twin of it turns out to be an anchor, and no row ever goes the other way.

    Args:
        rows: candidate corrections.
        audited: queries of audits.
        frozen: split of every correction of the parent release.

    """
    groups = near_duplicates(_texts(rows, audited)).select("id", pl.col("cluster_id").alias("group_id"))
    before = pl.DataFrame(
        {"id": list(frozen), "before": list(frozen.values())}, schema={"id": pl.String, "before": pl.String}
    )
    sides = (
        groups.join(before, on="id", how="left")
        .group_by("group_id")
        .agg(
            (pl.col("before") == Split.TRAIN).any().alias("was_train"),
            (pl.col("before") == Split.HELDOUT).any().alias("was_heldout"),
            pl.col("id").str.starts_with(_AUDIT).any().alias("has_audit"),
            pl.col("id").min().alias("first_id"),
        )
    )
    drawn = pl.Series([_is_drawn(first_id) for first_id in sides["first_id"]], dtype=pl.Boolean)
    heldout = sides["was_heldout"] | sides["has_audit"] | (~sides["was_train"] & drawn)
    split = pl.when(heldout).then(pl.lit(Split.HELDOUT.value)).otherwise(pl.lit(Split.TRAIN.value))
    placed = groups.join(sides.select("group_id", split.alias("split")), on="group_id")
    return rows.join(placed.rename({"id": "correction_id"}), on="correction_id", how="left", maintain_order="left")


def _texts(rows: pl.DataFrame, audited: Sequence[str]) -> pl.DataFrame:
    """Return corrections and audits as (id, text), audits marked by their id."""
    audits = {"id": [f"{_AUDIT}{number}" for number in range(len(audited))], "text": list(audited)}
    corrections = rows.select(pl.col("correction_id").alias("id"), pl.col("query").fill_null("").alias("text"))
    return pl.concat([corrections, pl.DataFrame(audits, schema={"id": pl.String, "text": pl.String})])


def _is_drawn(group_id: str) -> bool:
    """Whether a group is held out, by its own hash: the draw does not change as others come."""
    digest = hashlib.blake2b(f"heldout:{group_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 < HELDOUT_SHARE
