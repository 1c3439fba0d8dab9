"""Where else than in tables a call may be told of: people's answer files, reports, and releases, which stay."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson
import polars as pl

from flywheel.core.releases import Release, list_releases, read_file
from flywheel.core.storage import Store

_RELEASE_COLUMNS = ("trace_id", "example_id", "correction_id")


@dataclass(frozen=True, slots=True)
class ReleaseHit:
    """A release with rows that tell of what was forgotten."""

    dataset: str
    version: int
    row_count: int


def releases_with(store: Store, ids: Mapping[str, frozenset[str]]) -> tuple[ReleaseHit, ...]:
    """Return the releases that contain rows with one of the ids, and how many; preferences count as rows, too."""
    if not any(ids[column] for column in _RELEASE_COLUMNS):
        return ()
    hits = [ReleaseHit(one.dataset, one.version, _row_count(store, one, ids)) for one in list_releases(store)]
    return tuple(hit for hit in hits if hit.row_count)


def clean_inbox(store: Store, example_ids: frozenset[str], *, is_dry_run: bool) -> int:
    """Remove the lines about examples from people's answer files; return how many there were.

    A file keeps the name it got from its first content, so that the same file offered again stays known.
    """
    removed_count = 0
    for name in store.names("inbox") if example_ids else []:
        lines = store.read(name).splitlines(keepends=True)
        kept = [line for line in lines if _example_of(line) not in example_ids]
        removed_count += len(lines) - len(kept)
        if len(kept) < len(lines) and not is_dry_run:
            store.put(name, b"".join(kept))
    return removed_count


def delete_reports(store: Store, ids: Iterable[str], *, is_dry_run: bool) -> int:
    """Delete reports and alerts that name one of the ids, which quote its text; return how many there were."""
    marks = [one.encode() for one in ids]
    names = [name for folder in ("reports", "alerts") for name in store.names(folder)] if marks else []
    told = [name for name in names if _names_one(store.read(name), marks)]
    for name in [] if is_dry_run else told:
        store.delete(name)
    return len(told)


def _row_count(store: Store, release: Release, ids: Mapping[str, frozenset[str]]) -> int:
    names = [name for name in release.manifest["files"] if name.endswith(".parquet")]
    frames = [pl.read_parquet(io.BytesIO(read_file(store, release, name))) for name in names]
    return sum(frame.filter(_names_any(frame, ids)).height for frame in frames)


def _names_any(frame: pl.DataFrame, ids: Mapping[str, frozenset[str]]) -> pl.Expr:
    held = [column for column in _RELEASE_COLUMNS if column in frame.columns and ids[column]]
    return pl.any_horizontal(
        pl.lit(False), *[pl.col(column).is_in(sorted(ids[column])).fill_null(False) for column in held]
    )


def _names_one(data: bytes, marks: list[bytes]) -> bool:
    return any(mark in data for mark in marks)


def _example_of(line: bytes) -> str | None:
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    named = said.get("example_id") if isinstance(said, dict) else None
    return named if isinstance(named, str) else None
