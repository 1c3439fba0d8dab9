"""The rows of a release, read back from its objects and checked against its manifest."""

import io

import polars as pl

from flywheel.core.ids import rows_hash
from flywheel.core.records import Split
from flywheel.core.releases import Release, read_file
from flywheel.core.storage import Store


def content_hash_of(rows: pl.DataFrame, preferences: pl.DataFrame) -> str:
    """Return the identity of a release's content: the same rows are the same release, whenever they are gathered.

    Args:
        rows: all corrections by id, with `split` and `group_id`.
        preferences: pairs of its training rows, by id.

    """
    content = pl.concat([rows.drop("day"), preferences.drop("day")], how="diagonal_relaxed")
    return rows_hash(content.iter_rows(named=True))


def read_side(store: Store, release: Release, name: str, columns: list[str] | None = None) -> pl.DataFrame:
    """Return one Parquet file of a release, named without its ending, or some of its columns.

    Raises:
        CorruptObject: the bytes are not those that were published.

    """
    return pl.read_parquet(io.BytesIO(read_file(store, release, f"{name}.parquet")), columns=columns)


def read_rows(store: Store, release: Release) -> pl.DataFrame:
    """Return all corrections of a release by id, whatever side they are on; `split` says which.

    Raises:
        CorruptObject: the bytes are not those that were published.

    """
    sides = [read_side(store, release, side) for side in Split if f"{side}.parquet" in release.manifest["files"]]
    # a side without rows may have lost the type of a column
    return pl.concat(sides, how="diagonal_relaxed").sort("correction_id")
