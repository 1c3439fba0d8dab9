"""Put the lake's rows into fewer files, and let go of versions nobody needs any more.

What is let go of is chosen here, because DuckLake knows nothing of releases: a version that one was made from stays
readable.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import duckdb

from flywheel.core.errors import BrokenLake, StoreBusy
from flywheel.core.lake import Lake
from flywheel.core.lake_pieces import gather_day, scattered_days
from flywheel.core.locks import CATALOG, writer_lock
from flywheel.core.refusals import explained
from flywheel.core.releases import list_releases
from flywheel.core.small_objects import read_json
from flywheel.core.storage import Store

# A reader may have asked the catalog for a file just before its version was let go of, and open it only now.
_GRACE = timedelta(days=1)

_EXPIRE = "call ducklake_expire_snapshots('lake', versions => $versions)"
_CLEAN = "call ducklake_cleanup_old_files('lake', older_than => $before)"
_SIZES = f"""
select count(*) filter (end_snapshot is null), count(*), coalesce(sum(size_bytes), 0) from (
    select file_size_bytes as size_bytes, end_snapshot from {CATALOG}.ducklake_data_file
    union all
    select file_size_bytes, end_snapshot from {CATALOG}.ducklake_delete_file
)
"""  # noqa: S608 - names of DuckLake's own
_WAITING = f"select count(*) from {CATALOG}.ducklake_files_scheduled_for_deletion"  # noqa: S608
_VERSIONS = "select snapshot_id, snapshot_time from lake.snapshots() order by snapshot_id"


@dataclass(frozen=True, slots=True)
class LakeSize:
    """How much the catalog names: the newest version, and all versions it has."""

    newest_files: int
    files: int
    bytes: int
    versions: int


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did."""

    before: LakeSize
    after: LakeSize
    gathered_days: int  # days of tables that became one file each
    expired: tuple[int, ...]  # versions that were let go of
    pinned: tuple[int, ...]  # versions as old as those, kept because a release was made from them
    deleted_files: int
    waiting_files: int  # no version reads them; deleted by a compaction after the grace


def compact_lake(
    lake: Lake, store: Store, now: datetime, keep_days: int | None = None, grace: timedelta = _GRACE
) -> Compacted:
    """Make one file of each table's day that is in many small pieces, and delete files no version reads any more.

    Args:
        lake: the lake, open; others may read and write meanwhile.
        store: its objects; the releases are read from it.
        now: when.
        keep_days: let go of versions that were replaced before that many days; None keeps all of them.
        grace: how long a file that no version reads any more stays there, for those who are about to read it.

    Raises:
        LakeBusy: somebody else keeps the lake for longer than we wait.
        BrokenLake: a file that is to be written anew cannot be read.

    """
    settings = lake.settings
    if settings is None:
        nothing = LakeSize(0, 0, 0, 0)
        return Compacted(nothing, nothing, 0, (), (), 0, 0)
    with explained(settings):
        before = _size(lake)
        gathered = _gathered(lake)
        with writer_lock(lake.connection, settings, ""):
            pinned = pinned_versions(store)
            due = set() if keep_days is None else replaced_before(_history(lake), now - timedelta(days=keep_days))
            if due - pinned:
                _called(lake, _EXPIRE, versions=sorted(due - pinned))
            # in SQLite DuckLake 1.5.5 compares only the days of two times: one more is never too early
            before_day = now - grace - (timedelta(0) if settings.on_postgres else timedelta(days=1))
            deleted = _called(lake, _CLEAN, before=before_day)
        kept, gone = tuple(sorted(due & pinned)), tuple(sorted(due - pinned))
        return Compacted(before, _size(lake), gathered, gone, kept, deleted, lake.scalar(_WAITING))


def _gathered(lake: Lake) -> int:
    """Make one file of each day that is in pieces; each is a commit of its own, so that no writer waits for long."""
    days = scattered_days(lake)
    try:
        for table, day in days:
            gather_day(lake, table, day)
    except (duckdb.IOException, duckdb.InvalidInputException) as unread:
        raise BrokenLake(" ".join(str(unread).split())) from unread
    except StoreBusy as away:
        if "HTTP 404" in str(away):  # S3 is there, the object is not
            raise BrokenLake(str(away)) from away
        raise
    return len(days)


def pinned_versions(store: Store) -> set[int]:
    """Return the versions of the lake that releases were made from, or are being made from."""
    manifests = [release.manifest for release in list_releases(store)]
    manifests += [read_json(store, name, "manifest")["manifest"] for name in store.names("claims")]
    return {int(manifest["lake_version"]) for manifest in manifests if manifest.get("lake_version") is not None}


def replaced_before(history: dict[int, datetime], when: datetime) -> set[int]:
    """Return the versions that were not the newest any more at a time: what one read from then on is left out."""
    numbers = sorted(history)
    return {old for old, new in pairwise(numbers) if history[new] < when}


def _history(lake: Lake) -> dict[int, datetime]:
    return {int(number): made_at for number, made_at in lake.connection.execute(_VERSIONS).fetchall()}


def _size(lake: Lake) -> LakeSize:
    newest, files, size = lake.connection.execute(_SIZES).fetchall()[0]
    return LakeSize(int(newest), int(files), int(size), len(_history(lake)))


def _called(lake: Lake, statement: str, **parameters: object) -> int:
    """Run a procedure of DuckLake's and return how many rows it answers; one left open is committed too late."""
    return len(lake.connection.execute(statement, parameters or None).fetchall())
