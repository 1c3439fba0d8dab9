"""Why rows that were published are gone: each that leaves has a reason, in quarantine or as a tombstone."""

import polars as pl

from flywheel.core.ids import tombstone_of
from flywheel.core.lake import Lake

FORGOTTEN = "forgotten"
_REFUSED = """
select
    refused_id as correction_id,
    arg_min(reason, quarantined_at) as why,
    arg_min(detail, quarantined_at) as detail
from quarantine where table_name = 'corrections' and refused_id is not null
group by refused_id
"""
_TOMBSTONES = "select subject_hash, min(forgotten_at) as forgotten_at from forgotten group by subject_hash"


def withdrawn(lake: Lake, published: pl.DataFrame) -> pl.DataFrame:
    """Return (correction_id, why, detail) of the published rows (correction_id, trace_id) that may be gone.

    A person or a call that was forgotten takes its corrections along; anything else leaves through quarantine.
    """
    traces = published.select("correction_id", "trace_id").drop_nulls("trace_id")
    hashes = pl.Series("subject_hash", [tombstone_of(trace_id) for trace_id in traces["trace_id"]], dtype=pl.String)
    buried = traces.with_columns(hashes).join(lake.frame(_TOMBSTONES), on="subject_hash")
    forgotten = buried.select(
        "correction_id",
        pl.lit(FORGOTTEN).alias("why"),
        pl.format("its call was forgotten on {}", pl.col("forgotten_at").dt.date()).alias("detail"),
    )
    refused = lake.frame(_REFUSED).join(published.select("correction_id"), on="correction_id", how="semi")
    return pl.concat([forgotten, refused.join(forgotten, on="correction_id", how="anti")])
