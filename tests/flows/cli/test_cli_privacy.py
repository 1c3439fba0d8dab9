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
    said = flywheel("forget", "--trace", trace_id, lake=copied)
    assert (said.code, "hard_examples" in said.out) == (0, True), said.err
    assert "Mine these days again: 2026-03-02" in said.out
    again = flywheel("forget", "--trace", trace_id, lake=copied)
    assert "The lake holds nothing that tells of it." in again.out


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
