"""The repository as material: its Python sources, its tracked files, its commands."""

import ast
import importlib.util
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("flywheel", "tasks", "flows", "benchmarks", "tests")


@dataclass(frozen=True)
class Source:
    """One Python file, by its path in the repository."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def package(self) -> str:
        return self.path.split("/", 1)[0]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    paths = [path for folder in OURS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [Source(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in paths]


@pytest.fixture(scope="session")
def source_of() -> type[Source]:
    """Return the maker of a source, for the violations that tests plant."""
    return Source


@pytest.fixture(scope="session")
def tracked_files() -> list[Path]:
    """Return what is, or would be, in the repository; skip where this is no checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what is part of the repository is not known")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command below a click group with the words that call it."""
    import click

    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield path, command
    if not isinstance(command, click.Group):
        return
    context = click.Context(command, info_name=path[-1])
    for name in command.list_commands(context):
        yield from walk(command.get_command(context, name), (*path, name))


@pytest.fixture(scope="session")
def commands() -> dict[tuple[str, ...], Any]:
    """Return every command of the CLI by its words; skip while there is no CLI."""
    if importlib.util.find_spec("flows.cli.main") is None:
        pytest.skip("flows/cli/main.py does not exist yet")
    from flows.cli.main import cli

    found = dict(walk(cli, ("flywheel",)))
    found.pop(("flywheel",), None)
    return found
