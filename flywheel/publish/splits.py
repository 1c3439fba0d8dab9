"""Put each problem, with all its near-duplicates, on one side: to train on, or held out for good."""

import hashlib
from collections.abc import Mapping, Sequence

import polars as pl

from flywheel.core.records import Split
from flywheel.text.near_duplicates import near_duplicates

_AUDIT = "audit-"  # correction ids are hexadecimal, so no correction looks like this
HELDOUT_SHARE = 0.2  # of groups: enough failures to measure a fix with, few enough to still learn from


def assign_splits(rows: pl.DataFrame, audited: Sequence[str], frozen: Mapping[str, str]) -> pl.DataFrame:
    """Return rows (correction_id, query) with a `group_id`, the smallest correction of the group, and a `split`.

    A group goes where its members went in earlier releases; a new one is drawn, and held out when it contains an
    audited query: anchors have no twin in training data. A group that was trained on and then turns out to have a
    twin among what is held out or audited is retired: it can neither teach nor measure any more. What was held out
    itself stays so.

    Args:
        rows: candidate corrections.
        audited: queries of audits.
        frozen: split of every correction of the parent release.

    """
    clusters = near_duplicates(_texts(rows, audited)).select("id", "cluster_id")
    before = pl.DataFrame(
        {"id": list(frozen), "before": list(frozen.values())}, schema={"id": pl.String, "before": pl.String}
    )
    members = clusters.join(before, on="id", how="left")
    sides = _sides(members)
    own = pl.when(pl.col("before") == Split.HELDOUT).then(pl.lit(Split.HELDOUT.value)).otherwise(pl.col("split"))
    placed = members.join(sides, on="cluster_id").select("id", "group_id", own.alias("split"))
    return rows.join(placed.rename({"id": "correction_id"}), on="correction_id", how="left", maintain_order="left")


def _sides(members: pl.DataFrame) -> pl.DataFrame:
    """Return (cluster_id, group_id, split) of each group that has a correction, from what its members were."""
    is_audit = pl.col("id").str.starts_with(_AUDIT)
    groups = (
        members.group_by("cluster_id")
        .agg(
            (pl.col("before") == Split.TRAIN).any().alias("was_train"),
            (pl.col("before") == Split.RETIRED).any().alias("was_retired"),
            ((pl.col("before") == Split.HELDOUT) | is_audit).any().alias("is_kept_apart"),
            pl.col("id").filter(~is_audit).min().alias("group_id"),
        )
        .drop_nulls("group_id")
    )
    drawn = pl.Series("drawn", [_is_drawn(group_id) for group_id in groups["group_id"]], dtype=pl.Boolean)
    retired = pl.col("was_retired") | (pl.col("was_train") & pl.col("is_kept_apart"))
    heldout = pl.col("is_kept_apart") | (~pl.col("was_train") & pl.col("drawn"))
    side = (
        pl.when(retired)
        .then(pl.lit(Split.RETIRED.value))
        .when(heldout)
        .then(pl.lit(Split.HELDOUT.value))
        .otherwise(pl.lit(Split.TRAIN.value))
    )
    return groups.with_columns(drawn).select("cluster_id", "group_id", side.alias("split"))


def _texts(rows: pl.DataFrame, audited: Sequence[str]) -> pl.DataFrame:
    """Return corrections and audits as (id, text), audits marked by their id."""
    audits = {"id": [f"{_AUDIT}{number}" for number in range(len(audited))], "text": list(audited)}
    corrections = rows.select(pl.col("correction_id").alias("id"), pl.col("query").fill_null("").alias("text"))
    return pl.concat([corrections, pl.DataFrame(audits, schema={"id": pl.String, "text": pl.String})])


def _is_drawn(group_id: str) -> bool:
    """Whether a group is held out, by its own hash: the draw does not change as others come."""
    digest = hashlib.blake2b(f"heldout:{group_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 < HELDOUT_SHARE
