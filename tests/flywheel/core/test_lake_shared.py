"""Many processes, killed writers, older contracts and other people's DuckDB on one lake."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from flywheel.core.duck import attach_statement
from flywheel.core.lake import Lake
from flywheel.core.queries import load_folder, load_tables
from flywheel.core.settings import Settings

WRITER = """
import sys
from datetime import date
import polars as pl
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings

writer, commits = sys.argv[2], int(sys.argv[3])
with Lake.open(Settings(lake=sys.argv[1])) as lake:
    schema = lake.frame("select * exclude (run_id) from spend limit 0").schema
    for number in range(commits):
        rows = [{"day": date(2026, 1, 1), "call_id": name} for name in (f"{writer}-{number}", "shared")]
        lake.land("spend", pl.DataFrame(rows, schema=schema), run_id=writer)
"""

HANGING = """
import sys, time
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings

with Lake.open(Settings(lake=sys.argv[1])) as lake, lake.transaction("never ends") as cursor:
    cursor.execute("insert into spend (day, call_id) values ('2026-01-01', 'lost')")
    print("written", flush=True)
    time.sleep(60)
"""


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("writer_count", [2, 4])
def test_writers_lose_nothing(settings: Settings, writer_count: int) -> None:
    writers = [start(WRITER, settings.lake, f"w{number}", "5") for number in range(writer_count)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * writer_count
    with Lake.open(settings) as lake:
        found = lake.frame("select call_id from spend")["call_id"].to_list()
    expected = ["shared"] + [f"w{writer}-{number}" for writer in range(writer_count) for number in range(5)]
    assert sorted(found) == sorted(expected)


@pytest.fixture
def hanging_writer(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    writer = start(HANGING, settings.lake)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "written\n"
    yield writer
    writer.kill()
    writer.wait()


def test_killed_writer_leaves_nothing_and_holds_nobody_up(
    hanging_writer: subprocess.Popen[str], settings: Settings
) -> None:
    hanging_writer.send_signal(signal.SIGKILL)
    hanging_writer.wait()
    started = time.monotonic()
    with Lake.open(settings) as lake:
        assert lake.scalar("select count(*) from spend") == 0
        with lake.transaction("after") as cursor:
            cursor.execute("insert into spend (day, call_id) values ('2026-01-01', 'kept')")
        assert lake.scalar("select call_id from spend") == "kept"
    assert time.monotonic() - started < 30


def test_older_lake_gets_new_columns_and_keeps_its_rows(settings: Settings) -> None:
    with Lake.open(settings) as lake:
        lake.connection.execute("alter table spend drop column purpose")
        lake.connection.execute("insert into spend (day, call_id) values ('2026-01-01', 'old')")
    with Lake.open(settings) as lake:
        assert lake.connection.execute("select call_id, purpose from spend").fetchall() == [("old", None)]


def test_older_lake_gets_new_tables_and_new_text_of_views(settings: Settings) -> None:
    with Lake.open(settings) as lake:
        lake.connection.execute("drop table drift")
        lake.connection.execute("create or replace view open_reviews as select 1 as outdated")
    with Lake.open(settings) as lake:
        assert lake.scalar("select count(*) from drift") == 0
        assert "example_id" in lake.frame("select * from open_reviews").columns


def test_opening_an_up_to_date_lake_is_no_version(lake: Lake, settings: Settings) -> None:
    version = lake.version()
    with Lake.open(settings) as again:
        assert again.version() == version


def test_plain_duckdb_reads_tables_and_views(lake: Lake, settings: Settings) -> None:
    lake.connection.execute("insert into spend (day, call_id) values ('2026-01-01', 'a')")
    with duckdb.connect() as plain:
        plain.execute("load ducklake")
        plain.execute("load sqlite_scanner")
        plain.execute(attach_statement(settings))
        assert plain.execute("select call_id from lake.spend").fetchall() == [("a",)]
        for name in [*load_tables(), *load_folder("views")]:
            assert len(plain.execute(f"from lake.{name}").fetchall()) == (1 if name == "spend" else 0)


def test_rows_are_plain_parquet(lake: Lake, settings: Settings) -> None:
    lake.connection.execute("insert into spend (day, call_id) select '2026-01-01'::date, i from range(1000) as t(i)")
    files = [str(path) for path in Path(settings.lake_root, "tables").rglob("*.parquet")]
    assert len(duckdb.read_parquet(files).select("call_id").fetchall()) == 1000
