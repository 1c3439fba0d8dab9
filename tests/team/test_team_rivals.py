"""Writers on Postgres: what each table's lock holds back, and what becomes of those who lose."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.errors import LakeBusy, TransientError
from flywheel.core.lake import Lake
from flywheel.core.locks import file_lock, postgres_lock, writer_lock
from flywheel.core.settings import Settings

pytestmark = [pytest.mark.team, pytest.mark.xdist_group("team")]

THURSDAY = date(2026, 1, 1)

HANGING = """
import sys, time
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings

with Lake.open(Settings(lake=sys.argv[1], catalog=sys.argv[2])) as lake, lake.transaction("never ends") as cursor:
    cursor.execute("insert into spend (day, call_id) values ('2026-01-01', 'lost')")
    print("written", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def settings(postgres: Any, tmp_path: Path) -> Settings:
    """Name a lake in a folder with a catalog in Postgres."""
    return Settings(lake=str(tmp_path / "lake"), catalog=postgres.catalog(postgres.new_database()))


def land_one(lake: Lake, table: str = "spend", name: str = "a") -> int:
    row = {"day": THURSDAY, "call_id": name, "column_name": name}
    return lake.land(table, lake.typed(table, [row]))


def finishes_while_locked(lake: Lake, table: str, write: Callable[[], object], within_seconds: float = 1.0) -> bool:
    """Return whether a write ends while somebody else holds the table; it has ended in any case when this returns."""
    assert lake.settings is not None
    writer = threading.Thread(target=write)
    with writer_lock(lake.connection, lake.settings, table):
        writer.start()
        writer.join(timeout=within_seconds)
        has_finished = not writer.is_alive()
    writer.join(timeout=60)
    assert not writer.is_alive()
    return has_finished


def test_same_rows_wait_for_each_other(lake: Lake, settings: Settings) -> None:
    with Lake.open(settings) as rival:
        assert not finishes_while_locked(rival, "spend", lambda: land_one(lake))
        assert land_one(rival) == 0
        assert not finishes_while_locked(
            rival, "spend", lambda: lake.replace("spend", THURSDAY, lake.typed("spend", []))
        )
        assert not finishes_while_locked(rival, "preferences", lambda: lake.build("preferences", THURSDAY))


def test_other_tables_do_not_wait(lake: Lake, settings: Settings) -> None:
    with Lake.open(settings) as rival:
        assert finishes_while_locked(rival, "spend", lambda: land_one(lake, "drift"), within_seconds=60)
        assert rival.scalar("select count(*) from drift") == 1


def test_lock_that_is_not_given_up_is_lake_busy(lake: Lake, settings: Settings, tmp_path: Path) -> None:
    with (
        Lake.open(settings) as rival,
        postgres_lock(lake.connection, "mine"),
        pytest.raises(LakeBusy, match=r"'mine' was locked by another writer for 0 s"),
        postgres_lock(rival.connection, "mine", wait_seconds=0.2),
    ):
        pass
    path = str(tmp_path / "a.lock")
    with file_lock(path), pytest.raises(LakeBusy, match="was locked"), file_lock(path, wait_seconds=0.2):
        pass


def test_loser_of_a_conflict_can_try_again(lake: Lake, settings: Settings) -> None:
    calls = [{"day": THURSDAY, "call_id": str(number), "cost_usd": 0.5} for number in range(1000)]
    lake.land("spend", lake.typed("spend", calls))
    with Lake.open(settings) as rival:
        with pytest.raises(LakeBusy) as lost, lake.transaction("typed by hand") as cursor:
            cursor.execute("delete from spend where call_id = '7'")
            rival.replace("spend", THURSDAY, rival.typed("spend", calls[:500]))
        assert isinstance(lost.value, TransientError)
        assert rival.scalar("select count(*) from spend") == 500
    with lake.transaction("again") as cursor:
        cursor.execute("delete from spend where call_id = '7'")
    assert lake.scalar("select count(*) from spend") == 499


def test_killed_writer_leaves_nothing_and_holds_nobody_up(lake: Lake, settings: Settings) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", HANGING, settings.lake, settings.catalog], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "written\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    started = time.monotonic()
    with lake.transaction("after") as cursor:
        cursor.execute("insert into spend (day, call_id) values ('2026-01-01', 'kept')")
    assert lake.frame("select call_id from spend")["call_id"].to_list() == ["kept"]
    assert time.monotonic() - started < 30
