"""`flywheel sql`, `shell` and `attach`: what SQL sees, what it may do, and how it is printed."""

import io
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from flows.cli.query import attach_lines
from flywheel.core.queries import load_folder
from flywheel.core.releases import publish_files
from flywheel.core.settings import Settings
from flywheel.core.storage import open_store

Flywheel = Callable[..., Any]


def test_json_is_an_array_of_objects_with_iso_dates(flywheel: Flywheel, turned: Path) -> None:
    said = flywheel(
        "sql", "select day, started_at, turn from traces order by started_at limit 1", "--json", lake=turned
    )
    assert json.loads(said.out) == [{"day": "2026-03-02", "started_at": "2026-03-02T08:00:00+00:00", "turn": 1}]


def test_csv_has_a_header(flywheel: Flywheel, turned: Path) -> None:
    assert flywheel("sql", "select 1 as a, 'x,y' as b, 2 as a", "--csv", lake=turned).out == 'a,b,a_2\n1,"x,y",2\n'


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        (
            "select dataset, version, tags from releases",
            [{"dataset": "corrections", "version": 1, "tags": ["latest"]}],
        ),
        ("select rows['train'] as n from releases", [{"n": 40}]),
        ("select count(*) as n from release_corrections_1", [{"n": 40}]),
        ("select count(*) as n from release_corrections_latest_heldout", [{"n": 6}]),
        ("select count(*) as n from open_reviews", [{"n": 20}]),
        (
            "select dataset, version, split, count(*) as n from release_contents group by all",
            [{"dataset": "corrections", "version": 1, "split": "train", "n": 40}],
        ),
    ],
)
def test_releases_and_views_are_there(flywheel: Flywheel, turned: Path, statement: str, rows: list[Any]) -> None:
    assert json.loads(flywheel("sql", statement, "--json", lake=turned).out) == rows


def test_contents_are_those_of_all_releases_whatever_their_columns(
    flywheel: Flywheel, turned: Path, tmp_path: Path
) -> None:
    shutil.copytree(turned, tmp_path / "lake")
    settings = Settings(lake=str(tmp_path / "lake"))
    file = io.BytesIO()
    pl.DataFrame({"correction_id": ["x1", "x2"], "split": "train", "mood": "glad"}).write_parquet(file)
    files = {"train.parquet": file.getvalue(), "heldout.parquet": file.getvalue()}
    publish_files(open_store(settings), "more", files, {"content_hash": "c"}, datetime.now(UTC))
    asked = "select dataset, version, mood, count(chosen) as n, count(*) as all_n from release_contents group by all"
    assert json.loads(flywheel("sql", f"{asked} order by all", "--json").out) == [
        {"dataset": "corrections", "version": 1, "mood": None, "n": 40, "all_n": 40},
        {"dataset": "more", "version": 1, "mood": "glad", "n": 0, "all_n": 2},
    ]


def test_contents_are_empty_before_the_first_release(flywheel: Flywheel) -> None:
    said = flywheel("sql", "select dataset, version, split, correction_id from release_contents", "--json")
    assert json.loads(said.out) == []


def test_a_release_is_only_opened_by_a_statement_that_names_it(
    flywheel: Flywheel, turned: Path, tmp_path: Path
) -> None:
    shutil.copytree(turned, tmp_path / "lake")
    (tmp_path / "lake" / "releases" / "corrections" / "1" / "train.parquet").unlink()
    assert flywheel("sql", "select count(*) from releases").code == 0
    assert flywheel("sql", "select count(*) from release_contents").code == 2


def test_at_reads_an_older_version(flywheel: Flywheel) -> None:
    flywheel("sql", "insert into answers (day, answer_id) values (date '2026-03-01', 'a')", "--write")
    newest = json.loads(flywheel("sql", "select max(snapshot_id) as v from lake.snapshots()", "--json").out)[0]["v"]
    counted = "select count(*) as n from answers"
    assert json.loads(flywheel("sql", counted, "--json").out) == [{"n": 1}]
    assert json.loads(flywheel("sql", counted, "--json", "--at", str(newest - 1)).out) == [{"n": 0}]


@pytest.mark.parametrize(
    "statement",
    [
        "delete from traces",
        "with a as (select 1) insert into answers (answer_id) select * from a",
        "copy traces to 'out.csv'",
        "explain analyze delete from traces",
        "select 1; drop table traces",
        "set memory_limit = '1GB'",
        "",
    ],
)
def test_what_changes_something_is_refused(flywheel: Flywheel, turned: Path, statement: str) -> None:
    said = flywheel("sql", statement, lake=turned)
    assert said.code == 2
    assert said.err.startswith(f"flywheel: DuckDB refused {statement!r}")


@pytest.mark.parametrize(
    "statement",
    ["select 1", "with a as (select 1) from a", "show tables", "describe traces", "from traces limit 1",
     "explain select 1", "summarize traces", "values (1)"],
)  # fmt: skip
def test_what_only_reads_runs(flywheel: Flywheel, turned: Path, statement: str) -> None:
    assert flywheel("sql", statement, lake=turned).code == 0


def test_a_table_cannot_be_drawn_over_by_text_from_logs(flywheel: Flywheel, turned: Path) -> None:
    said = flywheel("sql", "select '[red]' || chr(27) || '[31m' || chr(10) || 'x' as t", lake=turned)
    assert said.out.splitlines()[1].strip() == "[red]�[31m x"


def test_the_shell_answers_statements_over_several_lines(
    flywheel: Flywheel, turned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = "select count(*)\n  as trace_count from traces;\n.tables\nnope;\n.quit\nselect 'never';\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    said = flywheel("shell", lake=turned)
    assert said.code == 0
    assert "trace_count\n         60" in said.out
    assert "release_corrections_latest" not in said.err
    assert "hard_examples" in said.out
    assert "DuckDB refused 'nope'" in said.err
    assert "never" not in said.out


def test_attach_works_in_any_duckdb(flywheel: Flywheel, turned: Path) -> None:
    said = flywheel("attach", lake=turned)
    with duckdb.connect() as connection:
        # the wheels' extensions are installed already; `install` would go to the network where they are not
        connection.execute(said.out.replace("install ducklake;", "").replace("install sqlite;", ""))
        assert connection.execute("select count(*) from traces").fetchone() == (60,)
        for view in load_folder("views"):
            assert connection.execute(f"select count(*) from {view}").fetchone(), view  # noqa: S608 - our own views
        with pytest.raises(duckdb.Error, match="read-only"):
            connection.execute("delete from traces")


def test_attach_prints_no_secrets() -> None:
    settings = Settings(lake="s3://bucket/wheel", catalog="postgres:dbname=wheel host=db password=hunter2 user=w")
    lines = "\n".join(attach_lines(settings))
    assert "hunter2" not in lines
    assert "provider credential_chain" in lines
    assert "ducklake:postgres:dbname=wheel host=db user=w" in lines
