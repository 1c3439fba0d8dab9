"""Gather a candidate from one version of the lake, now and again later: the same inputs are the same content."""

from datetime import date

import polars as pl

from flywheel.core.errors import UsageError
from flywheel.core.lake import Lake
from flywheel.core.releases import Release, find_release
from flywheel.core.settings import Settings
from flywheel.core.storage import Store
from flywheel.publish.candidate import Candidate, gather
from flywheel.publish.release_rows import read_rows

_PARENT_COLUMNS = ("correction_id", "trace_id", "split", "chosen")


def parent_rows(store: Store, release: Release | None) -> pl.DataFrame:
    """Return what a candidate has to know of the release before it; no rows where there is none.

    Raises:
        CorruptObject: a file of it is not what was published.

    """
    if release is None:
        return pl.DataFrame(schema=dict.fromkeys(_PARENT_COLUMNS, pl.String))
    return read_rows(store, release).select(_PARENT_COLUMNS)


def gather_at(settings: Settings, version: int, day: date, dataset: str, parent: pl.DataFrame) -> Candidate:
    """Return the candidate that one version of the lake gives; what is committed meanwhile is not in it."""
    with Lake.open(settings, at=version) as then:
        return gather(then, day, dataset, parent)


def reproduce(store: Store, then: Lake, release: Release) -> str:
    """Return the content hash that a release's recorded inputs give now: its own, unless something is wrong.

    Args:
        store: where releases live.
        then: the lake at the version that the release was made of.
        release: the release.

    Raises:
        UsageError: the manifest does not name its inputs; an older version of this code wrote it.

    """
    day = release.manifest.get("day")
    if day is None:
        raise UsageError(
            f"The manifest of version {release.version} of {release.dataset!r} has no 'day', so nobody knows up to "
            "when it gathered. Reproduce a version that was published since."
        )
    number = release.manifest["parent"]
    parent = find_release(store, release.dataset, str(number)) if number else None
    return gather(then, date.fromisoformat(day), release.dataset, parent_rows(store, parent)).content_hash
