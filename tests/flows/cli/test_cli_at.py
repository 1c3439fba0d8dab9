"""`--at`: every command that reads shows the lake as it was, and leaves it as it is."""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest

from flows.cli.main import cli
from flywheel.core.lake import Lake
from flywheel.core.queries import load_tables
from flywheel.core.settings import Settings
from flywheel.core.versions import lake_versions

Flywheel = Callable[..., Any]

QUESTION = "How long does a refund take to arrive on my card after you approved it, and can it be any faster?"
# every command that takes --at, with what else it is given; MODE and BENCHMARK are filled in
READING = {
    "sql": ["sql", "select day, count(*) as n from traces group by day order by day", "--json"],
    "queue": ["queue", "--limit", "5"],
    "modes": ["modes", "--json"],
    "modes show": ["modes", "show", "MODE"],
    "signals": ["signals"],
    "hard-examples": ["hard-examples", "--json"],
    "gate": ["gate"],
    "quarantine list": ["quarantine", "list"],
    "quarantine show": ["quarantine", "show"],
    "sources": ["sources", "--json"],
    "decontaminate": ["decontaminate", "--against", "BENCHMARK", "--json"],
    "log-changes": ["log-changes", "--json"],
    "shell": ["shell"],
    "attach": ["attach"],
}


@dataclass(frozen=True)
class Grown:
    """A lake that went on after a version."""

    lake: Path
    version: int
    mode_id: str


def counted(lake: Path) -> int:
    return len(lake_versions(Settings(lake=str(lake))))


@pytest.fixture(scope="module")
def grown(turned: Path, tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """Return a copy of the lake that turned, in which every row came again the day after."""
    folder = tmp_path_factory.mktemp("grown") / "lake"
    shutil.copytree(turned, folder)
    with Lake.open(Settings(lake=str(folder))) as lake:
        version = lake.version()
        with lake.transaction("the day after") as cursor:
            for table in load_tables():
                cursor.execute(f"insert into {table} select * replace (day + 1 as day) from {table}")  # noqa: S608 - our tables
            cursor.execute("update log_fields set path = path || '2' where path != '' and day > '2026-03-02'")
        mode_id = lake.scalar("select mode_id from failure_modes where day = '2026-03-02' order by rank limit 1")
    return Grown(folder, version, mode_id)


@pytest.fixture
def filled(grown: Grown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], list[str]]]:
    """Give a command of READING its words."""
    benchmark = tmp_path / "benchmark.jsonl"
    benchmark.write_text(json.dumps({"question": QUESTION}) + "\n", encoding="utf-8")
    words = {"MODE": grown.mode_id, "BENCHMARK": str(benchmark)}

    def fill(name: str) -> list[str]:
        monkeypatch.setattr("sys.stdin", io.StringIO("select count(*) as traces from traces;\n.quit\n"))
        return [words.get(word, word) for word in READING[name]]

    yield fill


def commands_with_at(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    if any(parameter.name == "at" for parameter in command.params):
        yield " ".join(path)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands_with_at(found, (*path, name))


def test_every_command_that_takes_it_is_here_and_every_look_takes_it() -> None:
    taking = set(commands_with_at(cli))
    assert taking == set(READING)
    looks = set(type(cli).sections["Look"])  # type: ignore[attr-defined]
    assert looks - {name.split()[0] for name in taking} == set()


@pytest.mark.parametrize("name", [name for name in READING if name != "attach"])
def test_the_version_of_then_shows_what_was_shown_then(
    flywheel: Flywheel, turned: Path, grown: Grown, filled: Callable[[str], list[str]], name: str
) -> None:
    before = flywheel(*filled(name), lake=turned)
    now = flywheel(*filled(name), lake=grown.lake)
    version_count = counted(grown.lake)
    then = flywheel(*filled(name), "--at", str(grown.version), lake=grown.lake)
    assert before.code in (0, 1), before.err
    assert (then.code, then.out) == (before.code, before.out)
    assert now.out != before.out
    assert counted(grown.lake) == version_count


def test_attach_prints_the_version(flywheel: Flywheel, grown: Grown) -> None:
    said = flywheel("attach", "--at", str(grown.version), lake=grown.lake)
    with duckdb.connect() as connection:
        connection.execute(said.out.replace("install ducklake;", "").replace("install sqlite;", ""))
        assert connection.execute("select count(*) from traces").fetchone() == (60,)
        with pytest.raises(duckdb.Error, match="read-only"):
            connection.execute("delete from traces")


@pytest.mark.parametrize("at", ["release:1", "release:latest", "latest", "prod-2026-11"])
def test_a_release_shows_what_it_was_made_of(flywheel: Flywheel, grown: Grown, at: str) -> None:
    flywheel("releases", "tag", "1", "prod-2026-11", lake=grown.lake)
    said = flywheel("sql", "select count(*) as n from corrections", "--json", "--at", at, lake=grown.lake)
    assert json.loads(said.out) == [{"n": 46}]


def test_a_time_shows_what_was_there_then(flywheel: Flywheel, grown: Grown) -> None:
    versions = lake_versions(Settings(lake=str(grown.lake)))
    made_at = {version.number: version.made_at for version in versions}
    counts = [
        json.loads(flywheel("sql", "select count(*) as n from traces", "--json", "--at", at, lake=grown.lake).out)
        for at in (made_at[grown.version].isoformat(), datetime.now(UTC).date().isoformat())
    ]
    assert counts == [[{"n": 60}], [{"n": 120}]]


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("999", "flywheel: --at '999' is no version of the lake: version 999 is not there"),
        ("yesterday", "flywheel: Dataset 'corrections' has no version or tag 'yesterday'. It has: 1, latest"),
        ("release:7", "has no version or tag '7'. It has: 1, latest"),
        ("2001-01-01", "its versions begin at 20"),
        ("2999-01-01", "it has not come, now is "),
        ("01/03/2026", "expected a version of the lake (12), a release or tag (release:3, latest) or a time"),
        ("0", "Version 0 of the lake has no view 'open_reviews': it came with version 1."),
    ],
)
def test_a_moment_that_is_none_is_a_wrong_call(flywheel: Flywheel, turned: Path, at: str, told: str) -> None:
    said = flywheel("queue", "--at", at, lake=turned)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("name", [name for name in READING if name not in ("attach", "shell")])
def test_a_version_without_tables_says_that_they_came_later(
    flywheel: Flywheel, grown: Grown, filled: Callable[[str], list[str]], name: str
) -> None:
    said = flywheel(*filled(name), "--at", "0", lake=grown.lake)
    assert (said.code, said.out) == (2, "")
    assert "Version 0 of the lake has no " in said.err
    assert "it came with version 1." in said.err


def test_the_shell_says_what_came_later_and_goes_on(
    flywheel: Flywheel, turned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("from traces;\nselect 42 as answer;\n"))
    said = flywheel("shell", "--at", "0", lake=turned)
    assert "Version 0 of the lake has no table 'traces'" in said.err
    assert "42" in said.out


def test_no_lake_is_made_by_looking_back(flywheel: Flywheel, tmp_path: Path) -> None:
    said = flywheel("queue", "--at", "1")
    assert (said.code, said.out) == (2, "")
    assert "there is no lake yet" in said.err
    assert list(tmp_path.iterdir()) == []


def test_the_past_is_not_written(flywheel: Flywheel, turned: Path) -> None:
    said = flywheel("sql", "delete from traces", "--at", "1", "--write", lake=turned)
    assert said.code == 2
    assert "--write and --at exclude each other" in said.err


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["decontaminate", "--against", "f.jsonl", "--file", "f.jsonl", "--at", "1"], "--at and --file exclude"),
        (["modes", "--at", "1", "show", "ab"], "Write --at after `show`"),
    ],
)
def test_an_at_that_would_do_nothing_is_refused(
    flywheel: Flywheel, turned: Path, tmp_path: Path, args: list[str], told: str
) -> None:
    (tmp_path / "f.jsonl").write_text('{"question": "Why?"}\n', encoding="utf-8")
    said = flywheel(*args, lake=turned)
    assert said.code == 2
    assert told in said.err
