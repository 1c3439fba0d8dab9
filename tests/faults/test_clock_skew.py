"""Machines whose clocks are hours apart: order comes from numbers, and nothing goes that somebody may still need."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flywheel.core.lake import Lake
from flywheel.core.lake_check import check_tables
from flywheel.core.lake_compact import compact_lake
from flywheel.core.lake_repair import repair_lake
from flywheel.core.release_repair import repair_releases
from flywheel.core.releases import find_release, list_releases, publish_files
from flywheel.core.repair_steps import RepairPolicy
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.core.tags import move_tag, roll_back, tags
from tests.faults.acts import spend

HOURS = [-20, 20, 0, -3, 11]


@pytest.fixture
def store(settings: Settings) -> FolderStore:
    return FolderStore(settings.lake_root)


def clock(hours: int) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


def test_versions_and_tags_are_in_the_order_they_came(
    store: FolderStore, whole_releases: Callable[..., list[int]]
) -> None:
    for number, hours in enumerate(HOURS, start=1):
        content = {"content_hash": str(number)}
        assert publish_files(store, "corrections", {"a": b"a"}, content, clock(hours)).version == number
        move_tag(store, "corrections", "prod", number, clock(-hours))
    assert whole_releases(Path(store.root)) == [1, 2, 3, 4, 5]
    assert [release.manifest["parent"] for release in list_releases(store)] == [None, 1, 2, 3, 4]
    assert tags(store, "corrections") == {"latest": 5, "prod": 5}
    assert roll_back(store, "corrections", "prod", clock(-48)) == (5, 4)
    assert find_release(store, "corrections", "prod").content_hash == "4"


@pytest.mark.parametrize("hours", [-20, 20])
def test_a_repair_by_another_clock_leaves_what_a_publisher_is_about_to_need(store: FolderStore, hours: int) -> None:
    store.put("staged/corrections/begun", b"a")
    repair_releases(store, clock(hours), RepairPolicy())
    assert store.names("staged") == ["staged/corrections/begun"]


@pytest.mark.parametrize("hours", [-20, 20])
def test_a_lake_kept_by_another_clock_loses_no_row_and_no_reader(
    lake: Lake, settings: Settings, store: FolderStore, hours: int
) -> None:
    for first in range(0, 60, 20):
        lake.land("spend", lake.typed("spend", spend(first, 20)))
    version = lake.version()
    with Lake.open(settings, at=version) as reader:
        compact_lake(lake, store, clock(hours), keep_days=1)
        repair_lake(lake, store, clock(hours), RepairPolicy())
        assert reader.frame("select count(*), count(distinct call_id) from spend").row(0) == (60, 60)
    with Lake.open(settings, at=version) as then:  # not a day old by any clock
        assert then.scalar("select count(*) from spend") == 60
    assert not [one for one in check_tables(lake, store, clock(hours)).findings if one.kind.is_fault]
