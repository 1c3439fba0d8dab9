"""Tables change - a column is added, renamed, made wider - and versions from before read as they were."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flywheel.core.lake import Lake
from flywheel.core.lake_move import move_lake
from flywheel.core.move_target import Place
from flywheel.core.queries import load_tables
from flywheel.core.settings import Settings
from flywheel.core.storage import open_store

pytestmark = [pytest.mark.team, pytest.mark.xdist_group("team")]
DAY = date(2026, 1, 1)
WIDE = "1099511627776"  # more than an integer holds


@pytest.fixture(params=["", "postgres"])
def evolving(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Name a lake in a folder, with each catalog."""
    catalog = ""
    if request.param:
        server = request.getfixturevalue("postgres")
        catalog = server.catalog(server.new_database())
    return Settings(lake=str(tmp_path / "lake"), catalog=catalog)


def evolve(settings: Settings) -> dict[int, str]:
    """Take a table through its changes, with rows in the catalog and in a file; return what versions hold."""
    with Lake.open(settings) as lake:
        steps = (
            "create table counts (name varchar, seen integer)",
            "insert into counts select 'n' || range, range from range(3)",
            "insert into counts select 'f' || range, range from range(30)",
            "alter table counts add column note varchar",
            "insert into counts values ('noted', 1, 'it''s')",
            "alter table counts rename column seen to seen_count",
            "alter table counts alter column seen_count set data type bigint",
            "insert into counts values ('wide', 1099511627776, null)",
        )
        for step in steps:
            with lake.transaction(step[:20], "counts") as cursor:
                cursor.execute(step)
        return seen(lake)


def seen(lake: Lake) -> dict[int, str]:
    found = {}
    for version in range(2, lake.version() + 1):
        told = lake.connection.execute(f"from counts at (version => {version}) order by all")
        found[version] = f"{[(column[0], str(column[1])) for column in told.description or []]} {told.fetchall()}"
    return found


def test_versions_before_a_change_read_as_they_were(evolving: Settings, tmp_path: Path, postgres: Any) -> None:
    before = evolve(evolving)
    told = [text.partition("] ")[0] for text in before.values()]
    assert len(set(told)) == 4
    assert all(text.startswith("[('name', 'VARCHAR'), ('seen', 'INTEGER')]") for text in list(before.values())[:3])
    assert WIDE in before[max(before)]
    with Lake.open(evolving) as lake:
        assert seen(lake) == before
    # the other kind of catalog holds each of these columns in another way
    other = "" if evolving.on_postgres else postgres.catalog(postgres.new_database())
    moved = Settings(lake=str(tmp_path / "moved"), catalog=other)
    places = [Place(one, open_store(one)) for one in (evolving, moved)]
    assert move_lake(*places, datetime(2026, 1, 2, tzinfo=UTC)).is_equal
    with Lake.open(moved) as lake:
        assert seen(lake) == before


def test_an_older_lake_gets_the_columns_that_came_later(evolving: Settings) -> None:
    with Lake.open(evolving) as lake:
        lake.land("spend", lake.typed("spend", [{"day": DAY, "call_id": "old"}]))
        with lake.transaction("as an older release of ours made it", "spend") as cursor:
            cursor.execute("alter table spend drop column called_at")
        without = lake.version()
    with Lake.open(evolving) as lake:
        lake.land("spend", lake.typed("spend", [{"day": DAY, "call_id": "new", "called_at": datetime(2026, 1, 1)}]))  # noqa: DTZ001
        assert lake.frame("select call_id, called_at is null from spend order by 1").rows() == [
            ("new", False),
            ("old", True),
        ]
        with pytest.raises(duckdb.BinderException, match="called_at"):
            lake.frame(f"select called_at from spend at (version => {without})")  # noqa: S608 - a number


def test_every_table_is_in_parts_by_day(evolving: Settings) -> None:
    with Lake.open(evolving) as lake:
        calls = [{"day": date(2026, 1, 1 + number % 3), "call_id": str(number)} for number in range(60)]
        lake.land("spend", lake.typed("spend", calls))
        parts = lake.frame(
            "select t.table_name from __ducklake_metadata_lake.ducklake_partition_column as p "
            "inner join __ducklake_metadata_lake.ducklake_table as t on p.table_id = t.table_id "
            "inner join __ducklake_metadata_lake.ducklake_column as c "
            "on c.table_id = p.table_id and c.column_id = p.column_id where c.column_name = 'day'"
        )
    assert set(parts["table_name"]) == set(load_tables())
    folders = {name.split("/")[3] for name in open_store(evolving).names("tables/main/spend")}
    assert folders == {"day=2026-01-01", "day=2026-01-02", "day=2026-01-03"}
