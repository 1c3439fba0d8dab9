"""One lake contract, wherever objects and catalog are: only settings differ."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson
import polars as pl
import pytest

from flywheel.core.contracts import ensure_contracts
from flywheel.core.duck import attach_statement
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.core.storage import open_store
from flywheel.ingest.files import ingest_file

pytestmark = [pytest.mark.team, pytest.mark.xdist_group("team")]
Rows = Callable[..., pl.DataFrame]

THURSDAY = date(2026, 1, 1)
FRIDAY = date(2026, 1, 2)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)

# it reads its settings from flywheel.toml, as everybody's code does
WRITER = """
import sys
from datetime import date
from flywheel.core.lake import Lake

writer, commits = sys.argv[1], int(sys.argv[2])
with Lake.open() as lake:
    for number in range(commits):
        names = (f"{writer}-{number}", f"shared-{number}")
        calls = [{"day": date(2026, 1, 1), "call_id": name} for name in names]
        lake.land("spend", lake.typed("spend", calls), run_id=writer)
        lake.replace("drift", date(2026, 1, number + 1), lake.typed("drift", [{"column_name": "app"}]))
"""


def test_same_day_twice_is_the_same_rows_and_one_version(lake: Lake, rows_for: Rows) -> None:
    made = [{"day": THURSDAY, "correction_id": name, "chosen": "Rome", "rejected": "Oslo"} for name in ("c1", "c2")]
    delivery = rows_for(lake, "corrections", *made)
    assert lake.land("corrections", delivery) == 2
    assert lake.land("corrections", delivery) == 0
    assert lake.build("preferences", THURSDAY, run_id="first") == 2
    before = lake.version()
    assert lake.build("preferences", THURSDAY, run_id="second") == 2
    assert lake.version() == before
    assert lake.frame("select distinct run_id from preferences")["run_id"].to_list() == ["first"]
    assert lake.replace("corrections", THURSDAY, delivery.head(1)) == 1
    assert lake.build("preferences", THURSDAY, run_id="third") == 1
    assert lake.frame("select correction_id, run_id from preferences").rows() == [("c1", "third")]


def test_large_commits_are_files_and_older_versions_stay(lake: Lake, settings: Settings, rows_for: Rows) -> None:
    calls = [{"day": THURSDAY, "call_id": str(number), "cost_usd": 0.5} for number in range(1000)]
    assert lake.land("spend", rows_for(lake, "spend", *calls)) == 1000
    then = lake.version()
    assert lake.replace("spend", THURSDAY, rows_for(lake, "spend", calls[7])) == 1
    assert lake.scalar("select count(*) from spend") == 1
    assert lake.scalar(f"select sum(cost_usd) from spend at (version => {then})") == 500.0  # noqa: S608 - a number
    with Lake.open(settings, at=then) as older:
        assert older.scalar("select count(*) from spend") == 1000
    files = [name for name in open_store(settings).names("tables") if name.endswith(".parquet")]
    assert len([name for name in files if "/spend/day=2026-01-01/" in name]) >= 1


def test_plain_duckdb_attaches_it(lake: Lake, settings: Settings, rows_for: Rows) -> None:
    calls = [{"day": THURSDAY, "call_id": str(number), "cost_usd": 0.5} for number in range(1000)]
    lake.land("spend", rows_for(lake, "spend", *calls))
    with duckdb.connect() as plain:
        for extension in ("ducklake", "sqlite_scanner", "postgres_scanner", "httpfs"):
            plain.execute(f"load {extension}")
        if settings.on_s3:
            key_id, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
            plain.execute(
                f"create secret (type s3, key_id '{key_id}', secret '{secret}', region 'us-east-1', "
                f"endpoint '{settings.s3_endpoint}', url_style 'path', use_ssl false)"
            )
        plain.execute(attach_statement(settings))
        assert plain.execute("select count(*), sum(cost_usd) from lake.spend").fetchall() == [(1000, 500.0)]
        assert plain.execute("from lake.open_reviews").fetchall() == []


def write_toml(settings: Settings, folder: Path) -> None:
    folder.mkdir()
    kept = settings.model_dump(include={"lake", "catalog", "s3_endpoint", "s3_use_ssl"})
    kept["control"] = str(settings.control_folder)
    lines = [f"{name} = {orjson.dumps(value).decode()}\n" for name, value in kept.items()]
    (folder / "flywheel.toml").write_text("".join(lines))


# a folder with SQLite is what tests/flywheel/core/test_lake_shared.py has
@pytest.mark.parametrize(
    ("place", "catalog"),
    [("moto", "sqlite"), ("folder", "postgres"), ("moto", "postgres"), ("ceph", "postgres")],
    indirect=True,
)
def test_four_writers_lose_and_double_nothing(settings: Settings, tmp_path: Path) -> None:
    """They also make the catalog and the tables at the same time."""
    write_toml(settings, tmp_path / "checkout")
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER, f"w{number}", "10"], cwd=tmp_path / "checkout")
        for number in range(4)
    ]
    assert [writer.wait(timeout=200) for writer in started] == [0, 0, 0, 0]
    with Lake.open(settings) as lake:
        found = lake.frame("select call_id from spend order by call_id")["call_id"].to_list()
        built = [day.day for day in lake.frame("select day from drift order by day")["day"]]
    assert built == list(range(1, 11))
    own = [f"w{writer}-{number}" for writer in range(4) for number in range(10)]
    assert found == sorted([*own, *(f"shared-{number}" for number in range(10))])


def record(number: int, text: str) -> dict[str, Any]:
    return {
        "timestamp": f"2026-01-01T10:00:{number:02}Z",
        "request": {"model": "wheel-small", "messages": [{"role": "user", "content": text}]},
        "response": {
            "id": f"t{number}",
            "choices": [{"message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}],
        },
    }


def test_logs_are_read_from_where_objects_are(lake: Lake, settings: Settings) -> None:
    store = open_store(settings)
    lines = [orjson.dumps(record(number, f"Question {number}?")) for number in range(30)]
    store.put("raw/2026-01-01.jsonl", b"\n".join([*lines, b"{broken"]))
    source = store.url("raw/2026-01-01.jsonl")
    report = ingest_file(lake, source, now=NOON)
    assert (report.read, report.landed, report.duplicates, report.quarantined) == (31, 30, 0, 1)
    again = ingest_file(lake, source, now=NOON)
    assert (again.read, again.landed, again.duplicates, again.quarantined) == (0, 0, 0, 0)
    assert lake.build("traces", THURSDAY) == 30
    kept = lake.frame("select input ->> '$[0].content' as said, source_file from traces order by source_line limit 1")
    assert kept.rows() == [("Question 0?", source)]
    assert lake.scalar("select raw from quarantine") == "{broken"


def test_older_lake_gets_what_its_contracts_miss(lake: Lake, settings: Settings) -> None:
    lake.connection.execute("alter table spend drop column purpose")
    lake.connection.execute("drop table drift")
    with Lake.open(settings) as again:
        assert again.frame("select purpose from spend").height == 0
        assert again.frame("from drift").height == 0
        before = again.version()
        ensure_contracts(again.connection)
        assert again.version() == before


def test_folder_with_its_catalog_can_be_moved(tmp_path: Path, rows_for: Rows) -> None:
    calls = [{"day": THURSDAY, "call_id": str(number), "cost_usd": 0.5} for number in range(100)]
    with Lake.open(Settings(lake=str(tmp_path / "before"))) as lake:
        lake.land("spend", rows_for(lake, "spend", *calls))
    (tmp_path / "before").rename(tmp_path / "after")
    with Lake.open(Settings(lake=str(tmp_path / "after"))) as lake:
        assert lake.scalar("select sum(cost_usd) from spend") == 50.0
        assert lake.land("spend", rows_for(lake, "spend", *calls)) == 0


@pytest.mark.parametrize(("place", "catalog"), [("moto", "postgres")], indirect=True)
def test_rows_of_an_old_lake_move_by_copying(lake: Lake, tmp_path: Path, rows_for: Rows) -> None:
    calls = [{"day": THURSDAY, "call_id": str(number), "cost_usd": 0.5} for number in range(100)]
    old = Settings(lake=str(tmp_path / "old"))
    with Lake.open(old) as before:
        before.land("spend", rows_for(before, "spend", *calls))
    lake.connection.execute("load sqlite_scanner")
    lake.connection.execute(attach_statement(old).replace(" as lake ", " as old "))
    lake.connection.execute("insert into lake.spend by name from old.spend")
    assert lake.land("spend", rows_for(lake, "spend", *calls)) == 0
    assert lake.scalar("select sum(cost_usd) from spend") == 50.0


def test_copied_files_need_their_new_place_in_the_catalog(postgres: Any, tmp_path: Path, rows_for: Rows) -> None:
    database = postgres.new_database()
    settings = Settings(lake=str(tmp_path / "before"), catalog=postgres.catalog(database))
    calls = [{"day": THURSDAY, "call_id": str(number), "cost_usd": 0.5} for number in range(100)]
    with Lake.open(settings) as lake:
        lake.land("spend", rows_for(lake, "spend", *calls))
    (tmp_path / "before").rename(tmp_path / "after")
    place = tmp_path / "after" / "tables"
    postgres.run(f"update ducklake_metadata set value = '{place}/' where key = 'data_path'", database)  # noqa: S608
    with Lake.open(Settings(lake=str(tmp_path / "after"), catalog=settings.catalog)) as lake:
        assert lake.scalar("select sum(cost_usd) from spend") == 50.0
