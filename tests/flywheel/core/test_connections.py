"""One connection for a whole run of small steps, or one for each use."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flywheel.core.connections import kept_open, open_lake
from flywheel.core.lake import Lake
from flywheel.core.settings import load_settings

DAY = date(2026, 1, 1)


@pytest.fixture(autouse=True)
def _lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FLYWHEEL_LAKE", str(tmp_path / "lake"))
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


def is_closed(lake: Lake) -> bool:
    try:
        lake.scalar("select 1")
    except duckdb.ConnectionException:
        return True
    return False


def opened() -> Lake:
    with open_lake() as lake:
        return lake


def threads() -> int:
    with open_lake() as lake:
        return int(lake.scalar("select current_setting('threads')"))


@pytest.fixture
def usual_threads() -> Iterator[int]:
    with duckdb.connect() as connection:
        row = connection.execute("select current_setting('threads')").fetchone()
    yield row[0] if row else 0


def test_each_use_has_a_connection_of_its_own() -> None:
    first, second = opened(), opened()
    assert first is not second
    assert is_closed(first)
    assert is_closed(second)


def test_kept_connection_is_closed_at_the_end_of_the_outermost() -> None:
    with kept_open():
        first = opened()
        with kept_open(DAY):
            assert opened() is first
        assert opened() is first
        assert not is_closed(first)
    assert is_closed(first)
    assert opened() is not first


def test_connection_that_saw_an_error_is_not_used_again() -> None:
    with kept_open():
        with pytest.raises(RuntimeError, match="the store went away"), open_lake() as broken:
            raise RuntimeError("the store went away")
        assert is_closed(broken)
        assert opened() is not broken


def test_error_ends_what_is_kept() -> None:
    with pytest.raises(RuntimeError, match="enough"), kept_open():
        kept = opened()
        raise RuntimeError("enough")
    assert is_closed(kept)
    assert is_closed(opened())


def test_other_settings_have_another_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with kept_open():
        first = opened()
        monkeypatch.setenv("FLYWHEEL_LAKE", str(tmp_path / "other"))
        load_settings.cache_clear()
        second = opened()
        assert second.settings != first.settings
        assert is_closed(first)


def test_other_threads_have_their_own() -> None:
    with kept_open(), ThreadPoolExecutor(1) as pool:
        kept = opened()
        other = pool.submit(opened).result()
        assert other is not kept
        assert is_closed(other)
        assert not is_closed(kept)


def test_small_day_is_worked_on_in_one_thread(usual_threads: int) -> None:
    with open_lake() as lake, lake.transaction("a day of many traces") as cursor:
        cursor.execute("insert into lake.raw_traces by name select $day as day from range(20_001)", {"day": DAY})
    with kept_open():
        with kept_open(date(2026, 1, 2)):
            assert threads() == 1
        with kept_open(DAY):
            assert threads() == usual_threads
