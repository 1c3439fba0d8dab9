"""`flywheel init` makes a folder to work in and overwrites nothing."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.cli.example import example_answers, example_log
from flows.cli.init import settings_text
from flywheel.core.settings import Settings

Flywheel = Callable[..., Any]


def test_init_writes_settings_logs_and_gitignore(flywheel: Flywheel, tmp_path: Path) -> None:
    assert flywheel("init", "shop").code == 0
    assert sorted(path.name for path in (tmp_path / "shop").iterdir()) == [".gitignore", "flywheel.toml", "logs"]
    assert (tmp_path / "shop" / ".gitignore").read_text() == "data/\n"


def test_init_with_example_writes_logs_and_answers(flywheel: Flywheel, tmp_path: Path) -> None:
    assert flywheel("init", "--example").code == 0
    log = [json.loads(line) for line in (tmp_path / "logs" / "example.jsonl").read_text().splitlines()]
    answers = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert (len(log), len(answers)) == (60, 46)
    assert log[0]["request"]["messages"][1]["content"] == "Where is my parcel?"
    assert set(answers[0]) == {"input", "rejected", "chosen", "author"}


def test_init_keeps_what_is_there(flywheel: Flywheel, tmp_path: Path) -> None:
    (tmp_path / "flywheel.toml").write_text("dataset = 'mine'\n")
    (tmp_path / ".gitignore").write_text("*.pyc")
    said = flywheel("init")
    flywheel("init")
    assert "kept    flywheel.toml" in said.out
    assert (tmp_path / "flywheel.toml").read_text() == "dataset = 'mine'\n"
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\ndata/\n"


def test_the_settings_file_names_every_setting_and_changes_none() -> None:
    text = settings_text()
    named = [name for name in Settings.model_fields if f"\n#{name} = " in text]
    assert set(Settings.model_fields) - set(named) == {"llm_api_key"}
    assert tomllib.loads(text) == {}


def test_every_setting_shown_is_the_default_in_toml() -> None:
    shown = tomllib.loads("\n".join(re.findall(r"^#(\w+ = .*)$", settings_text(), re.MULTILINE)))
    assert (shown["lake"], shown["daily_budget"], shown["s3_use_ssl"]) == ("./data", 200, True)


@pytest.mark.parametrize(
    ("about", "count"),
    [("thumbs down", 10), ("edits", 2), ("errors", 3)],
)
def test_the_example_holds_failures_to_find(about: str, count: int) -> None:
    log = example_log()
    said = [item for record in log for item in record["feedback"]]
    found = {
        "thumbs down": sum(item["kind"] == "thumb" and item["value"] < 0 for item in said),
        "edits": sum(item["kind"] == "edit" for item in said),
        "errors": sum("error" in record for record in log),
    }
    assert found[about] == count


def test_example_corrections_differ_from_the_errors() -> None:
    answers = example_answers()
    assert [answer for answer in answers if answer["rejected"] == answer["chosen"]] == []
    assert len({answer["input"] for answer in answers}) == 46
