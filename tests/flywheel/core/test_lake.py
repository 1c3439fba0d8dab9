"""One writer at a time: days are built, landed and replaced; every commit is a version."""

from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb
import polars as pl
import pytest

from flywheel.core.errors import SchemaMismatch, UnknownTable
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings

Rows = Callable[..., pl.DataFrame]

THURSDAY = date(2026, 1, 1)
FRIDAY = date(2026, 1, 2)


def correction(day: date, name: str, **columns: Any) -> dict[str, Any]:
    return {"day": day, "correction_id": name, "chosen": "Rome", "rejected": "Paris", **columns}


def call(day: date, name: str, cost_usd: float = 0.01) -> dict[str, Any]:
    return {"day": day, "call_id": name, "cost_usd": cost_usd}


def test_build_twice_leaves_same_rows_and_no_new_version(lake: Lake, rows_for: Rows) -> None:
    lake.land("corrections", rows_for(lake, "corrections", correction(THURSDAY, "c1"), correction(THURSDAY, "c2")))
    assert lake.build("preferences", THURSDAY, run_id="first") == 2
    version, rows = lake.version(), lake.frame("select * from preferences order by all")
    assert lake.build("preferences", THURSDAY, run_id="second") == 2
    assert lake.version() == version
    assert lake.frame("select * from preferences order by all").equals(rows)
    assert set(rows["run_id"]) == {"first"}


def test_build_again_replaces_only_its_day(lake: Lake, rows_for: Rows) -> None:
    lake.land("corrections", rows_for(lake, "corrections", correction(THURSDAY, "c1"), correction(FRIDAY, "c2")))
    lake.build("preferences", THURSDAY, run_id="old")
    lake.build("preferences", FRIDAY, run_id="old")
    lake.replace("corrections", THURSDAY, rows_for(lake, "corrections", correction(THURSDAY, "c3")))
    lake.build("preferences", THURSDAY, run_id="new")
    found = lake.connection.execute("select day, correction_id, run_id from preferences order by all").fetchall()
    assert found == [(THURSDAY, "c3", "new"), (FRIDAY, "c2", "old")]


def test_rows_of_writes_nothing(lake: Lake, rows_for: Rows) -> None:
    lake.land("corrections", rows_for(lake, "corrections", correction(THURSDAY, "c1")))
    version = lake.version()
    assert lake.rows_of("preferences", THURSDAY)["correction_id"].to_list() == ["c1"]
    assert lake.scalar("select count(*) from preferences") == 0
    assert lake.version() == version


def test_older_version_is_still_there(lake: Lake, settings: Settings, rows_for: Rows) -> None:
    lake.land("spend", rows_for(lake, "spend", call(THURSDAY, "a")))
    version = lake.version()
    lake.land("spend", rows_for(lake, "spend", call(THURSDAY, "b")))
    assert lake.scalar(f"select count(*) from spend at (version => {version})") == 1  # noqa: S608 - a number
    with Lake.open(settings, at=version) as then:
        assert then.frame("select call_id from spend")["call_id"].to_list() == ["a"]
        with pytest.raises(duckdb.Error, match="read-only"):
            then.connection.execute("delete from spend")
    assert lake.scalar("select count(*) from spend") == 2


def test_land_counts_only_new_keys(lake: Lake, rows_for: Rows) -> None:
    delivery = rows_for(lake, "spend", call(THURSDAY, "a"), call(THURSDAY, "b"), call(THURSDAY, "b", 9.0))
    assert lake.land("spend", delivery, run_id="first") == 2
    assert lake.land("spend", delivery, run_id="second") == 0
    more = rows_for(lake, "spend", call(FRIDAY, "a", 5.0), call(FRIDAY, "c"))
    assert lake.land("spend", more) == 1
    found = lake.connection.execute("select call_id, cost_usd, run_id from spend order by all").fetchall()
    assert found == [("a", 0.01, "first"), ("b", 0.01, "first"), ("c", 0.01, "")]


def test_land_keeps_one_row_per_day_where_the_key_says_so(lake: Lake, rows_for: Rows) -> None:
    thursday = {"day": THURSDAY, "signal": "refusal", "fired_count": 1}
    friday = {"day": FRIDAY, "signal": "refusal", "fired_count": 2}
    assert lake.land("signal_weights", rows_for(lake, "signal_weights", thursday)) == 1
    assert lake.land("signal_weights", rows_for(lake, "signal_weights", thursday, friday)) == 1


def test_landing_nothing_is_no_version(lake: Lake, rows_for: Rows) -> None:
    version = lake.version()
    assert lake.land("spend", rows_for(lake, "spend")) == 0
    assert lake.version() == version


def test_replace_makes_rows_the_whole_day(lake: Lake, rows_for: Rows) -> None:
    lake.land("spend", rows_for(lake, "spend", call(THURSDAY, "a"), call(THURSDAY, "b"), call(FRIDAY, "c")))
    assert lake.replace("spend", THURSDAY, rows_for(lake, "spend", call(FRIDAY, "d"))) == 1
    found = lake.connection.execute("select day, call_id from spend order by all").fetchall()
    assert found == [(THURSDAY, "d"), (FRIDAY, "c")]
    version = lake.version()
    assert lake.replace("spend", THURSDAY, rows_for(lake, "spend", call(THURSDAY, "d"))) == 1
    assert lake.version() == version


def test_rows_with_other_columns_are_refused() -> None:
    rows = pl.DataFrame({"day": [THURSDAY], "call_id": ["a"], "price": [1.0]})
    with Lake.in_memory() as lake:
        with pytest.raises(SchemaMismatch, match="table 'spend' have the wrong columns: got call_id, day, price;"):
            lake.land("spend", rows)
        with pytest.raises(SchemaMismatch, match="'spend'"):
            lake.replace("spend", THURSDAY, rows)
        assert lake.scalar("select count(*) from spend") == 0


def test_only_tables_with_a_query_are_built() -> None:
    with Lake.in_memory() as lake:
        with pytest.raises(UnknownTable, match=r"defines table 'failure'.*failures, feedback"):
            lake.build("failure", THURSDAY)
        with pytest.raises(SchemaMismatch, match="a stage lands this table"):
            lake.build("spend", THURSDAY)


def test_failed_transaction_leaves_nothing(lake: Lake) -> None:
    version = lake.version()
    with pytest.raises(ZeroDivisionError), lake.transaction("try") as cursor:
        cursor.execute("insert into spend (day, call_id) values ('2026-01-01', 'a')")
        raise ZeroDivisionError
    assert lake.scalar("select count(*) from spend") == 0
    assert lake.version() == version


def test_transaction_is_one_version_with_a_message(lake: Lake) -> None:
    version = lake.version()
    with lake.transaction("two tables") as cursor:
        cursor.execute("insert into spend (day, call_id) values ('2026-01-01', 'a')")
        cursor.execute("insert into answers (day, answer_id) values ('2026-01-01', 'a')")
    newest = lake.connection.execute(
        "select snapshot_id, author, commit_message from lake.snapshots() order by snapshot_id desc limit 1"
    ).fetchone()
    assert newest == (version + 1, "flywheel", "two tables")


@pytest.mark.parametrize("trace_count", [10_000, 10_001, 10_002])
def test_build_reads_the_whole_day_whether_it_is_copied_or_not(lake: Lake, trace_count: int) -> None:
    with lake.transaction("many failed calls") as cursor:
        cursor.execute(
            "insert into lake.traces by name select $day as day, 't' || range as trace_id, 'timeout' as error, "
            "'[]'::json as input from range($trace_count)",
            {"day": THURSDAY, "trace_count": trace_count},
        )
    fired = lake.rows_of("signals", THURSDAY)
    assert fired["signal"].value_counts().rows() == [("failed_call", trace_count)]
    assert lake.rows_of("signals", FRIDAY).is_empty()
