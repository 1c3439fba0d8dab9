"""Small pieces of a day become one file, in a commit like any other."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.core.lake_catalog import inlined_rows, named_files
from flywheel.core.lake_pieces import gather_small, scattered_days

DAY = date(2026, 1, 1)
_FEW, _MANY = "'s' || $part || '-' || range", "md5('l' || range) || md5('m' || range)"


def insert(lake: Lake, count: int, name: str = _FEW, part: int = 0) -> None:
    with lake.transaction("rows", "raw_traces") as cursor:
        given = {"day": DAY, "count": count} | ({"part": part} if "$part" in name else {})
        cursor.execute(
            f"insert into lake.raw_traces by name select $day as day, {name} as trace_id from range($count)",  # noqa: S608
            given,
        )


def files(lake: Lake) -> dict[str, int]:
    found = named_files(lake).values()
    return {file.name: file.size_bytes for file in found if file.table == "raw_traces" and file.end is None}


@pytest.fixture
def scattered(lake: Lake) -> Iterator[Lake]:
    """Fill a day with a large file, four small ones and rows that wait in the catalog."""
    insert(lake, 300_000, _MANY)
    for part in range(4):
        insert(lake, 30, part=part)
    insert(lake, 3, part=9)
    yield lake


def test_small_pieces_become_one_file_and_a_large_one_stays(scattered: Lake) -> None:
    before, version = files(scattered), scattered.version()
    assert gather_small(scattered, ["raw_traces"]) == 1
    after = files(scattered)
    large = max(before, key=lambda name: before[name])
    assert (len(before), len(after), large in after) == (5, 2, True)
    assert ("raw_traces", DAY) not in inlined_rows(scattered)
    assert scattered.version() == version + 1
    counted = "select count(*), count(distinct trace_id), count(*) filter (trace_id like 's%') from raw_traces"
    assert scattered.frame(counted).row(0) == (300_123, 300_123, 123)
    earlier = f"select count(*) from raw_traces at (version => {version - 1})"  # noqa: S608 - a number
    assert scattered.scalar(earlier) == 300_120


def test_what_is_gathered_is_gathered_once(scattered: Lake) -> None:
    gather_small(scattered, ["raw_traces"])
    version = scattered.version()
    assert scattered_days(scattered) == []
    assert gather_small(scattered, ["raw_traces"]) == 0
    assert scattered.version() == version


def test_other_tables_are_left_alone(scattered: Lake, rows_for: Callable[..., Any]) -> None:
    version = scattered.version()
    assert gather_small(scattered, ["traces"]) == 0
    assert scattered.version() == version
