"""Help answers without heavy imports; errors are one line and the right exit code."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from flows.cli.main import cli

Flywheel = Callable[..., Any]

HEAVY = ["prefect", "polars", "duckdb", "great_expectations", "openai", "sklearn", "pandas", "rich"]
IMPORTED = """
import json, sys
from flows.cli.main import main
code = main(sys.argv[2:])
print("|" + json.dumps([name for name in sys.argv[1].split(",") if name in sys.modules]))
sys.exit(code)
"""


def walk(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from walk(command, (*path, name))


COMMANDS = list(walk(cli))


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["mine", "--help"], ["releases", "show", "--help"]])
def test_help_imports_nothing_heavy(args: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", IMPORTED, ",".join(HEAVY), *args], capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout.rpartition("|")[2]) == []


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[" ".join(path) for path, _ in COMMANDS])
def test_every_command_has_help_with_an_example(path: tuple[str, ...], command: click.Command) -> None:
    assert command.help is not None
    assert f"\b\nExample:\n  flywheel {path[0]}" in command.help


def test_every_command_is_in_the_docs() -> None:
    told = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [" ".join(path) for path, _ in COMMANDS if f"flywheel {' '.join(path)}" not in told] == []


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["nope"], 2, "No such command 'nope'"),
        (["mine", "--day", "2026-02-30"], 2, "'2026-02-30' is not a day"),
        (["mine"], 2, "The lake holds no traces yet"),
        (["ingest", "nope.jsonl"], 2, "No log files at 'nope.jsonl'"),
        (["releases", "show", "7"], 2, "has no version or tag '7'"),
        (["data", "fetch", "nope"], 2, "There is no data set 'nope'"),
        (["sql", "selec 1"], 2, "DuckDB refused 'selec 1'"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(flywheel: Flywheel, args: list[str], code: int, told: str) -> None:
    said = flywheel(*args)
    assert said.code == code
    assert told in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("FLYWHEEL_DAILY_BUDGET", "0", "Setting 'daily_budget' is '0'; expected greater than or equal to 1"),
        ("FLYWHEEL_S3_USE_SSL", "perhaps", "Setting 's3_use_ssl' is 'perhaps'"),
    ],
)
def test_a_bad_setting_is_named(
    flywheel: Flywheel, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    said = flywheel("queue")
    assert (said.code, told in said.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "told"), [("lakee = 'x'", "Setting 'lakee' is 'x'"), ("lake = ", "flywheel.toml is not valid TOML")]
)
def test_a_bad_settings_file_is_told(flywheel: Flywheel, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "flywheel.toml").write_text(text)
    said = flywheel("queue")
    assert (said.code, told in said.err) == (2, True)


def test_debug_shows_the_traceback(flywheel: Flywheel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_DEBUG", "1")
    said = flywheel("releases", "show", "7")
    assert "Traceback (most recent call last)" in said.err
    assert said.code == 2


def test_what_nobody_expected_says_how_to_report_it(flywheel: Flywheel, tmp_path: Path) -> None:
    manifest = tmp_path / "lake" / "releases" / "corrections" / "1" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    known = {"dataset": "corrections", "version": 1, "content_hash": "a", "created_at": "then", "files": {}}
    manifest.write_text(json.dumps(known))
    mark = tmp_path / "lake" / "marks" / "corrections" / "1" / "a.json"
    mark.parent.mkdir(parents=True)
    mark.write_text("{}")
    said = flywheel("releases", "list")
    assert said.code == 1
    assert said.err.startswith("flywheel: unexpected KeyError: 'version'.")
    assert "flywheel --debug" in said.err
