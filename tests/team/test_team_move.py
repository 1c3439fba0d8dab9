"""`flywheel lake move` to Postgres and S3 and back: every version, object and row, and nothing secret is told."""

import json
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.cli.main import main
from flywheel.core.errors import LakeBusy
from flywheel.core.lake import Lake
from flywheel.core.lake_check import check_tables
from flywheel.core.lake_move import move_lake
from flywheel.core.locks import every_writer_lock, postgres_lock
from flywheel.core.move_target import Place
from flywheel.core.queries import load_tables
from flywheel.core.release_check import check_releases
from flywheel.core.releases import publish_files
from flywheel.core.settings import Settings, load_settings
from flywheel.core.storage import open_store

pytestmark = [pytest.mark.team, pytest.mark.xdist_group("team")]
NOW = datetime(2026, 1, 5, tzinfo=UTC)
THURSDAY, FRIDAY = date(2026, 1, 1), date(2026, 1, 2)
TABLES = ("spend", "raw_traces", "text_sketches", "failure_modes", "forgotten")


def place(settings: Settings) -> Place:
    return Place(settings, open_store(settings))


def fill(settings: Settings) -> None:
    """Put rows into files and into the catalog, of every type, delete some of both, and publish."""
    rows: dict[str, list[dict[str, Any]]] = {
        "raw_traces": [{"day": THURSDAY, "trace_id": "a", "input": json.dumps("it's\0"), "output": "é\\x00\n\0'"}],
        "text_sketches": [
            {"day": FRIDAY, "fingerprint": -5, "kind": "words", "band_keys": b"\0\xff'", "marks": b"a"}
        ],
        "failure_modes": [{"day": FRIDAY, "mode_id": "m", "signals": ["a", "b'c, d"], "centroid": [0.1, 0.2]}],
    }
    costs = (0.1, float("nan"), float("inf"), None)
    rows["spend"] = [
        {"day": THURSDAY, "call_id": f"{n}", "cost_usd": costs[n % 4], "called_at": NOW} for n in range(4)
    ]
    with Lake.open(settings) as lake:
        for table, made in rows.items():
            lake.land(table, lake.typed(table, made))
        more = [{"day": THURSDAY, "call_id": f"{n}", "cost_usd": costs[n % 4]} for n in range(40)]
        lake.land("spend", lake.typed("spend", more))
        made_of = lake.version()
        for name in ("2", "20"):
            with lake.transaction("by hand", "spend") as cursor:
                cursor.execute("delete from spend where call_id = $name", {"name": name})
    files = {"train.parquet": b"rows", "large.bin": b"0123456789" * 1_000_000}
    publish_files(open_store(settings), "corrections", files, {"content_hash": "abc", "lake_version": made_of}, NOW)


def state(settings: Settings) -> dict[str, object]:
    """Return what a reader sees of a lake at every version, and its objects."""
    with Lake.open(settings) as lake:
        asked = [(table, version) for version in range(2, lake.version() + 1) for table in TABLES]
        rows = {one: str(lake.frame(f"from {one[0]} at (version => {one[1]}) order by all").rows()) for one in asked}
        log = str(lake.frame("select * from lake.snapshots()").rows())
        faults = [one for one in check_tables(lake, open_store(settings), NOW).findings if one.kind.is_fault]
    store = open_store(settings)
    faults += check_releases(store, is_deep=True)
    names = [name for name in store.names("") if name.startswith(("releases", "claims", "tags", "tables"))]
    return {"rows": rows, "log": log, "faults": faults, "objects": {name: store.read(name) for name in names}}


def test_there_and_back_with_equal_hashes(s3_settings: Settings, postgres: Any, tmp_path: Path) -> None:
    old = Settings(lake=str(tmp_path / "old"))
    fill(old)
    before = state(old)
    assert before["faults"] == []
    team = s3_settings.model_copy(update={"catalog": postgres.catalog(postgres.new_database())})
    there = move_lake(place(old), place(team), NOW)
    assert there.is_equal
    assert state(team) == before
    with Lake.open(team) as lake:  # it goes on where it was
        more = lake.typed("forgotten", [{"day": FRIDAY, "subject_hash": "x"}])
        assert (lake.land("forgotten", more), lake.version()) == (1, there.version + 1)
    back = Settings(lake=str(tmp_path / "back"))
    home = move_lake(place(team), place(back), NOW)
    assert (home.is_equal, home.version) == (True, there.version + 1)
    assert state(back) == state(team)
    assert set(there.tables) <= {*home.tables, *(one for one in there.tables if one.version == there.version)}


def test_postgres_has_the_types_it_would_have_made_itself(postgres: Any, tmp_path: Path) -> None:
    """A catalog that came from SQLite has to be what DuckLake makes there, or it would be refused one day."""
    old, native = Settings(lake=str(tmp_path / "old")), postgres.new_database()
    moved = postgres.new_database()
    fill(old)
    fill(Settings(lake=str(tmp_path / "native"), catalog=postgres.catalog(native)))
    assert move_lake(place(old), place(Settings(lake=old.lake, catalog=postgres.catalog(moved))), NOW).is_equal
    asked = (
        "select regexp_replace(table_name, '_[0-9]+', '_N') as name, column_name, data_type, count(*) "
        "from information_schema.columns where table_schema = 'public' group by 1, 2, 3 order by 1, 2, 3"
    )
    keys = (
        "select conname, pg_get_constraintdef(oid) from pg_constraint "
        "where connamespace = 'public'::regnamespace order by 1"
    )
    for question in (asked, keys):
        assert postgres.run(question, moved) == postgres.run(question, native)


@pytest.mark.slow
def test_only_the_catalog_and_only_the_objects(s3_settings: Settings, postgres: Any, tmp_path: Path) -> None:
    old = Settings(lake=str(tmp_path / "lake"), control=tmp_path / "control")
    fill(old)
    before = state(old)
    on_postgres = old.model_copy(update={"catalog": postgres.catalog(postgres.new_database())})
    assert move_lake(place(old), place(on_postgres), NOW).is_equal
    on_s3 = s3_settings.model_copy(update={"catalog": on_postgres.catalog})
    assert move_lake(place(on_postgres), place(on_s3), NOW).is_equal
    assert state(on_s3) == before


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from flywheel.core.lake_move import move_lake
from flywheel.core.move_target import Place
from flywheel.core.settings import Settings
from flywheel.core.storage import S3Store, open_store

old, new, moment = Settings.model_validate_json(sys.argv[1]), Settings.model_validate_json(sys.argv[2]), sys.argv[3]
class Mortal(S3Store):
    left = int(moment) if moment.isdigit() else -1
    def put(self, name, data):
        Mortal.left -= 1
        if Mortal.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        super().put(name, data)
def tell(step):
    if step.startswith(moment):
        os.kill(os.getpid(), signal.SIGKILL)
move_lake(Place(old, open_store(old)), Place(new, Mortal(new, new.lake_root)), datetime.now(UTC), tell)
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["1", "4", "the catalog", "comparing"])
def test_killed_anywhere_the_next_one_goes_on(
    s3_settings: Settings, postgres: Any, tmp_path: Path, moment: str
) -> None:
    old = Settings(lake=str(tmp_path / "old"))
    fill(old)
    team = s3_settings.model_copy(update={"catalog": postgres.catalog(postgres.new_database())})
    told = [one.model_dump_json(exclude={"llm_api_key", "receive_token"}) for one in (old, team)]
    call = [sys.executable, "-c", KILLED, *told, moment]
    assert subprocess.run(call, check=False).returncode == -signal.SIGKILL
    again = move_lake(place(old), place(team), NOW)
    assert again.is_equal
    assert (again.sent_count == 0) == (not moment.isdigit())
    assert state(team) == state(old)


def test_nothing_secret_is_told(
    s3_settings: Settings, postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    old = tmp_path / "old"
    fill(Settings(lake=str(old)))
    monkeypatch.setenv("FLYWHEEL_LAKE", str(old))
    load_settings.cache_clear()
    catalog = postgres.catalog(postgres.new_database())
    server = ["--s3-endpoint", s3_settings.s3_endpoint, "--no-s3-ssl", "--control", str(tmp_path / "control")]
    call = ["lake", "move", "--to", s3_settings.lake, "--catalog", catalog, *server]
    assert main([*call, "--dry-run"]) == 0
    assert "objects are not there yet" in capfd.readouterr().out
    assert main(call) == 0
    said = capfd.readouterr()
    assert f'    lake = "{s3_settings.lake}"\n    catalog = "postgres:dbname=lake_' in said.out
    assert main([*call, "--json"]) == 0
    again = capfd.readouterr()
    assert json.loads(again.out)["sent_count"] == 0
    wrong = catalog.replace("port=", "port=1")
    assert main(["lake", "move", "--to", f"{s3_settings.lake}/2", "--catalog", wrong, *server]) == 2
    refused = capfd.readouterr()
    assert main([*call[:4], "--catalog", catalog.replace(postgres.password, "not-the-one"), *server]) == 2
    wrong_password = capfd.readouterr()
    store = open_store(s3_settings)
    left = b"".join(store.read(name) for name in store.names("moves"))
    for text in (said.out, said.err, again.out, refused.out, refused.err, wrong_password.err, left.decode()):
        assert postgres.password not in text
        assert "not-the-one" not in text
    load_settings.cache_clear()


def test_writers_of_every_table_wait_while_the_last_of_it_is_copied(postgres: Any, tmp_path: Path) -> None:
    settings = Settings(lake=str(tmp_path / "lake"), catalog=postgres.catalog(postgres.new_database()))
    with Lake.open(settings) as lake, every_writer_lock(settings, load_tables()):
        assert lake.scalar("select count(*) from spend") == 0
        for table in ("", "spend", "votes"):
            rival = postgres_lock(lake.connection, f"flywheel table {table}", wait_seconds=0.2)
            with pytest.raises(LakeBusy), rival:
                pass
