"""`flywheel init`: a folder to work in."""

import json
from pathlib import Path

import click

from flows.cli.commands import Command

_HEAD = """# Flywheel's settings. A line that starts with '#' shows the default; take the '#' away to change it.
# Environment variables win over this file: FLYWHEEL_LAKE, FLYWHEEL_DATASET, ...
# `flywheel doctor` shows what is in force.
"""
_SECRETS = ("llm_api_key",)  # never in a file that gets committed
_IGNORED = "data/"


@click.command(cls=Command)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option("--example", "is_example", is_flag=True, help="Also write example logs and people's corrections.")
def init(folder: Path, is_example: bool) -> None:
    """Write a commented flywheel.toml, a logs/ folder and a .gitignore line into FOLDER; nothing is overwritten.

    Example:
      flywheel init
      flywheel init --example shop
    """
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    _write_new(folder / "flywheel.toml", settings_text())
    _ignore_data(folder / ".gitignore")
    if is_example:
        from flows.cli.example import as_jsonl, example_answers, example_log

        _write_new(folder / "logs" / "example.jsonl", as_jsonl(example_log()))
        _write_new(folder / "answers.jsonl", as_jsonl(example_answers()))
    _say_next(folder, is_example)


def _say_next(folder: Path, is_example: bool) -> None:
    click.echo("\nNext:")
    if folder != Path():
        click.echo(f"  cd {folder}")
    log, answers = ("logs/example.jsonl", " --answers answers.jsonl") if is_example else ("logs", "")
    click.echo(f"  flywheel ingest {log}\n  flywheel mine\n  flywheel correct{answers}\n  flywheel publish")


def _write_new(path: Path, text: str) -> None:
    """Write a file unless there is one, and say which it was."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        click.echo(f"kept    {path} (it was there)")
        return
    click.echo(f"wrote   {path}")


def _ignore_data(path: Path) -> None:
    held = path.read_text(encoding="utf-8") if path.exists() else ""
    if _IGNORED in (line.strip() for line in held.splitlines()):
        return
    gap = "" if held.endswith("\n") or not held else "\n"
    path.write_text(f"{held}{gap}{_IGNORED}\n", encoding="utf-8")
    click.echo(f"added   {_IGNORED} to {path}")


def settings_text() -> str:
    """Return a flywheel.toml that names every setting with its meaning and default, all commented out."""
    from flywheel.core.settings import Settings

    blocks = [_HEAD]
    for name, field in Settings.model_fields.items():
        if name in _SECRETS:
            blocks.append(
                f"# {field.description}\n# set FLYWHEEL_{name.upper()} in the environment; it is a secret\n"
            )
            continue
        default = "" if field.default is None else field.default
        blocks.append(f"# {field.description}\n#{name} = {_as_toml(default)}\n")
    return "\n".join(blocks)


def _as_toml(value: object) -> str:
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, dict):
        return "{}"
    return json.dumps(str(value), ensure_ascii=False)
