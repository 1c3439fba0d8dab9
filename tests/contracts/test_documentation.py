"""Commands explain themselves, and what the documentation tells people to type exists and runs."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(?P<run><!-- run -->\s*\n)?^```sh\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
HELP = {"-h", "--help", "--version"}
Commands = dict[tuple[str, ...], Any]


@dataclass(frozen=True)
class Block:
    """One fenced block of shell."""

    code: str
    is_run: bool


def blocks_in(text: str) -> list[Block]:
    return [Block(found["code"], found["run"] is not None) for found in BLOCK.finditer(text)]


def calls_in(code: str) -> list[list[str]]:
    """Return the words of each call of flywheel: pipes, redirections, comments and variables taken off."""
    calls = []
    for line in code.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set(";&|<>()"):
                calls.append(words)
                words = []
            elif words or not re.fullmatch(r"\$|[A-Z_]+=.*", word):
                words.append(word)
    return [words for words in calls if words[:1] == ["flywheel"]]


def complaint(words: list[str], commands: Commands) -> str | None:
    """Return why a call is none of the CLI's, or None."""
    words = [words[0], *dropwhile(lambda word: word.startswith("-") and word not in HELP, words[1:])]
    groups = {path[:length] for path in commands for length in range(len(path))}
    if tuple(word for word in words if word not in HELP) in groups:
        return None
    path = next((known for known in commands if tuple(words[: len(known)]) == known), None)
    if path is None:
        return f"{words}: no such command"
    options = {
        option for parameter in commands[path].params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    given = {word.split("=")[0] for word in words[len(path) :] if re.match(r"--?[a-zA-Z]", word)}
    unknown = given - options - HELP
    return f"{words}: no option {', '.join(sorted(unknown))}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_documented_commands_exist(page: Path, commands: Commands) -> None:
    calls = [words for block in blocks_in(page.read_text()) for words in calls_in(block.code)]
    assert [found for words in calls if (found := complaint(words, commands))] == []


def test_each_command_has_help_with_an_example(commands: Commands) -> None:
    silent = [
        " ".join(path)
        for path, command in commands.items()
        if " ".join(path) not in f"{command.help or ''}\n{command.epilog or ''}"
    ]
    assert silent == [], "help of these shows no call of the command itself"


def test_each_command_is_in_the_documentation(commands: Commands) -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    missing = [" ".join(path) for path in commands if not re.search(rf"\b{re.escape(' '.join(path))}\b", text)]
    assert missing == []


@pytest.mark.engine
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_marked_blocks_run(page: Path, tmp_path: Path) -> None:
    code = "\n".join(block.code for block in blocks_in(page.read_text()) if block.is_run)
    if not code:
        pytest.skip("no block is marked <!-- run -->")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLYWHEEL_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["PREFECT_HOME"] = str(tmp_path / "prefect")
    folder = tmp_path / "reader"
    folder.mkdir()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout[-4000:]}"


def test_blocks_and_calls_are_found() -> None:
    page = """\
Text `flywheel no` and
```python
flywheel
```
<!-- run -->
```sh
# flywheel nothing
FLYWHEEL_LAKE=x flywheel ingest logs/ \\
    --format openai | head > out.txt
make demo && flywheel sql "select 'a | b'"
```

```sh
$ flywheel doctor
```
"""
    blocks = blocks_in(page)
    assert [block.is_run for block in blocks] == [True, False]
    assert [calls_in(block.code) for block in blocks] == [
        [["flywheel", "ingest", "logs/", "--format", "openai"], ["flywheel", "sql", "select 'a | b'"]],
        [["flywheel", "doctor"]],
    ]


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("flywheel releases list --json", None),
        ("flywheel releases list --jsno", "no option --jsno"),
        ("flywheel releases lst", "no such command"),
        ("flywheel relases", "no such command"),
        ("flywheel releases --help", None),
        ("flywheel --help", None),
        ("flywheel --debug ingest", None),
        ("flywheel --debug ingets", "no such command"),
        ("flywheel ingest -f a.jsonl", None),
        ("flywheel ingest --format=a -1", None),
    ],
)
def test_wrong_calls_are_found(call: str, found: str | None) -> None:
    import click

    known = {
        ("flywheel", "releases", "list"): click.Command("list", params=[click.Option(["--json"], is_flag=True)]),
        ("flywheel", "ingest"): click.Command("ingest", params=[click.Option(["-f", "--format"])]),
    }
    said = complaint(call.split(), known)
    assert said is None if found is None else found in (said or "")
