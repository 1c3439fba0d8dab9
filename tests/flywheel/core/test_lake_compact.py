"""Compaction changes where rows are and never which: every version that is kept reads what it read before."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import orjson
import pytest

from flywheel.core.errors import BrokenLake, MissingPart
from flywheel.core.lake import Lake
from flywheel.core.lake_check import check_tables
from flywheel.core.lake_compact import compact_lake, pinned_versions, replaced_before
from flywheel.core.releases import publish_files
from flywheel.core.settings import Settings
from flywheel.core.statements import open_checked
from flywheel.core.storage import FolderStore

THURSDAY, FRIDAY = date(2026, 1, 1), date(2026, 1, 2)
NO_GRACE = timedelta(0)
TABLES = ("corrections", "preferences", "drift")

# reads until its stdin is closed; what it cannot read ends it with a traceback
READER = """
import sys, threading
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings

done = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
reads = 0
with Lake.open(Settings(lake=sys.argv[1])) as lake:
    print("ready", flush=True)
    while not done.is_set():
        found = lake.frame("select count(distinct correction_id), count(chosen) from corrections").row(0)
        assert found == (159, 159), found
        old = lake.frame("select count(chosen) from corrections at (version => 6)").row(0)
        assert old == (60,), old
        reads += 1
print(reads)
"""


def corrections(lake: Lake, day: date, prefix: str, count: int) -> None:
    made = [
        {"day": day, "correction_id": f"{prefix}{number}", "chosen": "Rome", "rejected": f"{prefix}{number}"}
        for number in range(count)
    ]
    lake.land("corrections", lake.typed("corrections", made))


@pytest.fixture
def grown(lake: Lake) -> Iterator[Lake]:
    """Fill a lake with what compaction can meet: files, rows in the catalog, deleted rows of both, replaced days."""
    for number in range(4):
        for day in (THURSDAY, FRIDAY):
            corrections(lake, day, f"{day}-{number}-", 3 if number == 3 else 20)
            lake.build("preferences", day)
    with lake.transaction("delete", "corrections") as cursor:
        cursor.execute("delete from lake.corrections where correction_id like '2026-01-01-0-1%'")
    with lake.transaction("delete", "corrections") as cursor:
        cursor.execute("delete from lake.corrections where correction_id like '2026-01-02-3-1%'")
    corrections(lake, FRIDAY, "late-", 45)
    yield lake


def store_of(lake: Lake) -> FolderStore:
    assert lake.settings is not None
    return FolderStore(lake.settings.lake_root)


def versions(lake: Lake) -> list[int]:
    return [row[0] for row in lake.frame("select snapshot_id from lake.snapshots() order by 1").rows()]


def contents(lake: Lake, version: int) -> dict[str, list[tuple[object, ...]]]:
    asked = f" at (version => {version})"
    return {table: sorted(lake.frame(f"from {table}{asked}").rows(), key=str) for table in TABLES}


def later(days: int = 0) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def publish(lake: Lake, version: int) -> None:
    facts = {"content_hash": f"of {version}", "lake_version": version}
    publish_files(store_of(lake), "corrections", {"train.txt": b""}, facts, later())


def test_every_version_reads_what_it_did(grown: Lake) -> None:
    known = [version for version in versions(grown) if version]  # version 0 has no tables
    before = {version: contents(grown, version) for version in known}
    done = compact_lake(grown, store_of(grown), later(), grace=NO_GRACE)
    assert done.after.newest_files < done.before.newest_files
    assert done.gathered_days == 2
    assert (done.expired, done.pinned) == ((), ())
    assert {version: contents(grown, version) for version in known} == before
    assert contents(grown, grown.version()) == before[known[-1]]
    again = compact_lake(grown, store_of(grown), later(), grace=NO_GRACE)
    assert (again.before, again.gathered_days, again.waiting_files) == (again.after, 0, 0)
    assert {version: contents(grown, version) for version in known} == before
    found = check_tables(grown, store_of(grown), later(), is_deep=True).findings
    assert found == []


def test_what_nobody_reads_any_more_stays_for_a_day(grown: Lake) -> None:
    files = set(store_of(grown).names("tables"))
    done = compact_lake(grown, store_of(grown), later(days=30), keep_days=7, grace=timedelta(days=31))
    assert (done.deleted_files, done.waiting_files > 0) == (0, True)
    assert set(store_of(grown).names("tables")) > files
    assert check_tables(grown, store_of(grown), later()).findings == []
    soon = compact_lake(grown, store_of(grown), later(days=1) - timedelta(minutes=1))
    assert (soon.deleted_files, soon.waiting_files) == (0, done.waiting_files)
    after_a_day = compact_lake(grown, store_of(grown), later(days=2) + timedelta(minutes=1))
    assert (after_a_day.deleted_files, after_a_day.waiting_files) == (done.waiting_files, 0)
    assert len(store_of(grown).names("tables")) == after_a_day.after.files


def test_versions_of_releases_stay_and_the_others_say_they_are_gone(grown: Lake, settings: Settings) -> None:
    publish(grown, 4)
    publish(grown, 7)
    newest = grown.version()
    before = {version: contents(grown, version) for version in (4, 7, newest)}
    done = compact_lake(grown, store_of(grown), later(days=30), keep_days=7, grace=NO_GRACE)
    assert done.pinned == (4, 7)
    assert versions(grown) == [4, 7, grown.version()]
    assert set(done.expired) == set(range(newest + 1)) - {4, 7} | set(range(newest + 1, grown.version()))
    assert {version: contents(grown, version) for version in (4, 7)} == {v: before[v] for v in (4, 7)}
    assert contents(grown, grown.version()) == before[newest]
    with Lake.open(settings, at=4) as old:
        assert old.scalar("select count(chosen) from corrections") == len(before[4]["corrections"])
    with pytest.raises(MissingPart, match=r"Version 5 of the lake .* is not available. .*No snapshot found"):
        open_checked(settings, at=5)
    with pytest.raises(duckdb.InvalidInputException, match="No snapshot found at version 5"):
        contents(grown, 5)
    assert check_tables(grown, store_of(grown), later(), is_deep=True).broken == ()


def test_what_a_publisher_claimed_is_a_release_about_to_be(grown: Lake) -> None:
    claim = {"manifest": {"dataset": "d", "version": 1, "lake_version": 5, "files": {}}, "staged": {}}
    store_of(grown).put("claims/d/00000001.json", orjson.dumps(claim))
    publish(grown, 4)
    assert pinned_versions(store_of(grown)) == {4, 5}


@pytest.mark.parametrize(
    ("keep_since", "gone"),
    [(0, set()), (1, set()), (2, {1}), (5, {1}), (6, {1, 2}), (99, {1, 2, 3})],
)
def test_what_was_the_newest_at_that_time_is_kept(keep_since: int, gone: set[int]) -> None:
    # version 1 was the newest from minute 0 to 1, version 2 from 1 to 5, version 3 from 5 to 7, version 4 since 7
    start = datetime(2026, 1, 1, tzinfo=UTC)
    history = {number: start + timedelta(minutes=at) for number, at in ((1, 0), (2, 1), (3, 5), (4, 7))}
    assert replaced_before(history, start + timedelta(minutes=keep_since)) == gone


def test_a_reader_never_notices(grown: Lake, settings: Settings) -> None:
    grown.connection.execute(
        "update __ducklake_metadata_lake.ducklake_snapshot set snapshot_time = '2026-01-01 00:00:00+00' "
        "where snapshot_id < $newest",
        {"newest": grown.version()},
    )
    publish(grown, 6)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, settings.lake_root],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "ready\n"
    for number in range(3):
        done = compact_lake(grown, store_of(grown), later(), keep_days=7)
        assert done.gathered_days > 0
        assert (len(done.expired) > 1) == (number == 0)
        with grown.transaction("touch", "corrections") as cursor:  # as many rows, in one more piece
            moved = "correction_id like '2026-01-01-1%'"
            cursor.execute(f"create or replace temp table moved as from lake.corrections where {moved}")
            cursor.execute(f"delete from lake.corrections where {moved}")  # noqa: S608
            cursor.execute("insert into lake.corrections from moved")
    out, err = reader.communicate()
    assert (reader.returncode, err) == (0, "")
    assert int(out) > 1


def test_a_file_that_is_gone_is_not_merged_over(grown: Lake, settings: Settings) -> None:
    for path in (Path(settings.lake_root) / "tables" / "main" / "corrections" / "day=2026-01-02").iterdir():
        path.unlink()
    with pytest.raises(BrokenLake, match="`flywheel lake check` names what is broken"):
        compact_lake(grown, store_of(grown), later())
