"""`flywheel forget` and `flywheel log-changes` at the terminal."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Flywheel = Callable[..., Any]


@pytest.fixture
def copied(turned: Path, tmp_path: Path) -> Path:
    """Return a copy of the lake that turned once, to change."""
    return Path(shutil.copytree(turned, tmp_path / "copy"))


@pytest.mark.parametrize("options", [(), ("--actor", "a", "--trace", "b")])
def test_one_of_person_and_call_is_named(flywheel: Flywheel, options: tuple[str, ...]) -> None:
    said = flywheel("forget", *options)
    assert (said.code, "Name one of --actor and --trace." in said.err) == (2, True)


def test_a_call_is_forgotten(flywheel: Flywheel, copied: Path) -> None:
    query = "select trace_id from hard_examples order by trace_id limit 1"
    trace_id = json.loads(flywheel("sql", query, "--json", lake=copied).out)[0]["trace_id"]
    previewed = flywheel("forget", "--trace", trace_id, "--dry-run", "--json", lake=copied)
    assert (previewed.code, previewed.err) == (0, "")
    seen = json.loads(previewed.out)
    assert (seen["trace_count"], seen["is_dry_run"]) == (1, True)
    said = flywheel("forget", "--trace", trace_id, "--no-publish", lake=copied)
    assert (said.code, "hard_examples" in said.out) == (0, True), said.err
    assert "Mine these days again: 2026-03-02" in said.out
    again = flywheel("forget", "--trace", trace_id, lake=copied)
    assert "The lake holds nothing that tells of it." in again.out


def first(flywheel: Flywheel, lake: Path, column: str, table: str) -> str:
    statement = f"select {column} from {table} order by all limit 1"  # noqa: S608 - names of ours
    said = flywheel("sql", statement, "--json", lake=lake)
    return str(json.loads(said.out)[0][column])


def test_what_is_forgotten_leaves_the_newest_release(flywheel: Flywheel, copied: Path) -> None:
    row = {"trace_id": first(flywheel, copied, "trace_id", "traces")}
    row["correction_id"] = first(flywheel, copied, "correction_id", "release_corrections_1")
    linked = "update corrections set trace_id = '{trace_id}' where correction_id = '{correction_id}'"
    assert flywheel("sql", linked.format(**row), "--write", lake=copied).code == 0
    assert flywheel("publish", lake=copied).code == 0
    trained = """
        insert into models (day, event_id, model_id, dataset, version, status, happened_at) values
        ('2026-03-02', 'a', 'ft:1', 'corrections', 2, 'candidate', '2026-03-02T10:00:00Z'),
        ('2026-03-02', 'b', 'ft:1', 'corrections', 2, 'promoted', '2026-03-02T11:00:00Z')
    """
    assert flywheel("sql", trained, "--write", lake=copied).code == 0
    said = flywheel("forget", "--trace", row["trace_id"], "--json", lake=copied)
    assert said.code == 0, said.err
    done = json.loads(said.out)
    assert done["trained"] == [{"model_id": "ft:1", "dataset": "corrections", "version": 2, "status": "promoted"}]
    assert done["successors"] == [{"dataset": "corrections", "version": 3, "reason": None}]
    found = json.loads(flywheel("releases", "diff", "2", "latest", "--json", lake=copied).out)
    assert [(one["correction_id"], one["why"]) for one in found["rows"] if one["change"] == "removed"] == [
        (row["correction_id"], "forgotten")
    ]
    listed = json.loads(flywheel("releases", "list", "--json", lake=copied).out)
    row_count = done["releases"][0]["row_count"]
    assert [(one["version"], one["forgotten_rows"]) for one in listed] == [(1, row_count), (2, row_count), (3, 0)]
    assert flywheel("releases", "verify", "latest", lake=copied).code == 0
    again = json.loads(flywheel("forget", "--trace", row["trace_id"], "--json", lake=copied).out)
    assert (again["successors"], again["releases"]) == ([], [])


def test_nothing_changed_about_logs_of_one_day(flywheel: Flywheel, turned: Path) -> None:
    assert json.loads(flywheel("log-changes", "--json", lake=turned).out) == []
    assert "only one day was read" in flywheel("log-changes", lake=turned).out


def test_a_changed_field_is_told(flywheel: Flywheel) -> None:
    statement = """
        insert into log_fields (day, format, observation_id, path, json_type, record_count, sampled_count) values
        ('2026-03-01', 'openai', 'a', '', 'any', 50, 50), ('2026-03-01', 'openai', 'a', 'id', 'any', 50, 50),
        ('2026-03-02', 'openai', 'b', '', 'any', 50, 50), ('2026-03-02', 'openai', 'b', 'name', 'any', 50, 50)
    """
    assert flywheel("sql", statement, "--write").code == 0
    told = json.loads(flywheel("log-changes", "--json").out)
    assert [(one["kind"], one["path"]) for one in told] == [("missing", "id"), ("new", "name")]
