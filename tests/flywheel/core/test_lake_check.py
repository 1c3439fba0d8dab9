"""A check of the lake names each thing that was done to its files, and nothing else."""

import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from flywheel.core.findings import Finding, Kind
from flywheel.core.lake import Lake
from flywheel.core.lake_check import check_tables
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore, open_store

THURSDAY, FRIDAY = date(2026, 1, 1), date(2026, 1, 2)
NOW = datetime(2026, 1, 3, 12, tzinfo=UTC)
Find = Callable[[str], Path]


def corrections(lake: Lake, day: date, prefix: str = "c", count: int = 20) -> pl.DataFrame:
    made = [
        {"day": day, "correction_id": f"{prefix}{day.day}-{number}", "chosen": "Rome", "rejected": f"Oslo {number}"}
        for number in range(count)
    ]
    return lake.typed("corrections", made)


@pytest.fixture
def kept(lake: Lake) -> Lake:
    """Fill two days of two tables; one has a file that deletes rows."""
    for day in (THURSDAY, FRIDAY):
        lake.land("corrections", corrections(lake, day))
        lake.build("preferences", day)
    with lake.transaction("delete", "corrections") as cursor:
        cursor.execute("delete from lake.corrections where day = $day and rejected > 'Oslo 14'", {"day": THURSDAY})
    return lake


@pytest.fixture
def find(settings: Settings) -> Find:
    """Return the one file that a pattern below tables/main/ means."""

    def one(pattern: str) -> Path:
        (found,) = (Path(settings.lake_root) / "tables" / "main").glob(pattern)
        return found

    return one


def found_in(lake: Lake, *, is_deep: bool = False) -> list[Finding]:
    found = check_tables(lake, store_of(lake), NOW, is_deep=is_deep).findings
    return [finding for finding in found if finding.kind is not Kind.UNCOMPACTED]


def store_of(lake: Lake) -> FolderStore:
    assert lake.settings is not None
    return FolderStore(lake.settings.lake_root)


def flip(path: Path, at: float = 0.3) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 0xFF
    path.write_bytes(data)


def name_of(lake: Lake, path: Path) -> str:
    return str(path.relative_to(store_of(lake).root))


def test_a_healthy_lake_is_clean_and_its_files_are_recorded_once(kept: Lake) -> None:
    assert found_in(kept) == []
    (record,) = store_of(kept).names("checksums")
    assert found_in(kept) == []
    assert found_in(kept, is_deep=True) == []
    assert store_of(kept).names("checksums") == [record]
    kept.land("corrections", corrections(kept, FRIDAY, "later"))
    assert found_in(kept) == []
    assert len(store_of(kept).names("checksums")) == 2


def test_a_deleted_file_is_missing(kept: Lake, find: Find) -> None:
    gone = find("preferences/day=2026-01-01/*.parquet")
    size = gone.stat().st_size
    gone.unlink()
    (finding,) = found_in(kept)
    assert (finding.kind, finding.object) == (Kind.MISSING, name_of(kept, gone))
    assert (finding.expected, finding.found) == (f"{size} bytes", "no such object")
    assert "`flywheel lake repair`, which builds preferences of 2026-01-01 again" in finding.what_to_do


def test_a_truncated_file_has_another_size(kept: Lake, find: Find) -> None:
    cut = find("corrections/day=2026-01-02/*.parquet")
    size = cut.stat().st_size
    os.truncate(cut, 500)
    (finding,) = found_in(kept)
    assert (finding.kind, finding.object) == (Kind.SIZE, name_of(kept, cut))
    assert (finding.expected, finding.found) == (f"{size} bytes", "500 bytes")


@pytest.mark.parametrize("pattern", ["corrections/day=2026-01-02/*.parquet", "corrections/*-delete.parquet"])
def test_a_flipped_byte_is_corruption_to_whoever_hashes(kept: Lake, find: Find, pattern: str) -> None:
    found_in(kept)
    flip(find(pattern))
    assert found_in(kept) == []  # the size and the footer are what they were
    (finding,) = found_in(kept, is_deep=True)
    assert (finding.kind, finding.object) == (Kind.CORRUPTED, name_of(kept, find(pattern)))
    assert re.fullmatch("sha256 [0-9a-f]{64}", finding.expected)
    assert re.fullmatch("sha256 [0-9a-f]{64}", finding.found)
    assert finding.expected != finding.found


def test_a_footer_that_is_none_is_unreadable(kept: Lake, find: Find) -> None:
    broken = find("preferences/day=2026-01-02/*.parquet")
    broken.write_bytes(b"x" * broken.stat().st_size)
    (finding,) = found_in(kept)
    assert (finding.kind, finding.object, finding.expected) == (
        Kind.UNREADABLE,
        name_of(kept, broken),
        "a Parquet file",
    )
    assert "magic bytes" in finding.found


def test_a_file_of_another_number_of_rows_is_named(kept: Lake, find: Find) -> None:
    kept.connection.execute(
        "update __ducklake_metadata_lake.ducklake_data_file set record_count = 21 where data_file_id = 0"
    )
    (finding,) = found_in(kept)
    assert (finding.kind, finding.object) == (
        Kind.ROWS,
        name_of(kept, find("corrections/day=2026-01-01/*.parquet")),
    )
    assert (finding.expected, finding.found) == ("21 rows", "20 rows")


def test_a_file_with_damaged_pages_is_not_recorded_as_good(kept: Lake, find: Find) -> None:
    broken = find("corrections/day=2026-01-02/*.parquet")
    data = broken.read_bytes()
    broken.write_bytes(data[:4] + b"\xff" * 400 + data[404:])
    (finding,) = found_in(kept)
    assert (finding.kind, finding.object) == (Kind.UNREADABLE, name_of(kept, broken))
    (again,) = found_in(kept)
    assert again.kind is Kind.UNREADABLE


def test_a_stray_file_is_an_orphan_since_it_was_written(kept: Lake, find: Find) -> None:
    stray = find("preferences/day=2026-01-01/*.parquet").with_name("stray.parquet")
    stray.write_bytes(b"12345")
    os.utime(stray, (NOW - timedelta(hours=30)).timestamp().as_integer_ratio()[:1] * 2)
    (finding,) = found_in(kept)
    assert (finding.kind, finding.object) == (Kind.ORPHANED, name_of(kept, stray))
    assert finding.found == "5 bytes since 2026-01-02 06:00:00 UTC"
    assert not finding.kind.is_fault


def test_a_file_that_is_about_to_be_deleted_is_neither_orphan_nor_fault(kept: Lake) -> None:
    kept.land("corrections", corrections(kept, FRIDAY, "more"))
    kept.connection.execute("call ducklake_merge_adjacent_files('lake')").fetchall()
    waiting = kept.scalar("select count(*) from __ducklake_metadata_lake.ducklake_files_scheduled_for_deletion")
    assert waiting == 2
    assert found_in(kept, is_deep=True) == []


def test_a_file_of_older_versions_says_which(kept: Lake, find: Find) -> None:
    old = find("preferences/day=2026-01-02/*.parquet")
    kept.land("corrections", corrections(kept, FRIDAY, "more"))
    kept.build("preferences", FRIDAY)
    old.unlink()
    (finding,) = found_in(kept)
    assert finding.kind is Kind.MISSING
    assert "let go of versions 5 to 7, which alone read it" in finding.what_to_do


def test_a_record_that_cannot_be_read_is_named(kept: Lake) -> None:
    found_in(kept)
    (record,) = store_of(kept).names("checksums")
    store_of(kept).put(record, b"{")
    assert [(finding.kind, finding.object) for finding in found_in(kept)] == [(Kind.UNREADABLE, record)]


def test_a_file_somewhere_else_is_not_said_to_be_checked(kept: Lake, tmp_path: Path) -> None:
    added = tmp_path / "day=2026-01-02" / "added.parquet"
    added.parent.mkdir()
    kept.connection.table("lake.corrections").limit(3).write_parquet(str(added))
    kept.connection.execute(f"call ducklake_add_data_files('lake', 'corrections', '{added}')").fetchall()
    (finding,) = found_in(kept)
    assert (finding.kind, finding.object) == (Kind.OUTSIDE, str(added))


def test_waiting_rows_and_small_files_are_a_note(kept: Lake) -> None:
    kept.land("corrections", corrections(kept, FRIDAY, "few", 3))
    kept.land("corrections", corrections(kept, FRIDAY, "more"))
    (note,) = check_tables(kept, open_store(kept.settings), NOW).findings
    assert note.kind is Kind.UNCOMPACTED
    assert note.found == "2 days of 1 tables are in many small pieces"
    assert not note.kind.is_fault
