"""`flywheel lake move`: the lake to another place, with everything it has, compared on both sides."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import json_option, read_settings
from flywheel.core.errors import BadSetting, UsageError

if TYPE_CHECKING:  # heavy, and only named here
    from flywheel.core.lake_move import Moved
    from flywheel.core.move_target import Place
    from flywheel.core.settings import Settings

_TABLE = ("table", "version", "row_count", "row_hash", "moved_row_count", "moved_row_hash", "is_equal")
_SHOWN = ("lake", "catalog", "control", "s3_endpoint", "s3_region", "s3_use_ssl")  # settings that say where a lake is


_where = (
    click.option("--to", "lake", help="Where the objects go: a folder, or s3://bucket/prefix. Default: they stay."),
    click.option(
        "--catalog",
        help="'sqlite', or 'postgres:dbname=... host=...' without its password, which PGPASSWORD gives. Default: "
        "SQLite stays SQLite, in the new control folder; Postgres stays the one it is.",
    ),
    click.option("--control", help="The new control folder. Default: what the setting says."),
    click.option("--s3-endpoint", help="host:port of the S3 server that --to is on. Default: what the setting says."),
    click.option("--s3-region", help="Region of the bucket that --to names. Default: what the setting says."),
    click.option("--s3-ssl/--no-s3-ssl", "s3_use_ssl", default=None, help="Whether that server speaks https."),
)


def _place_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options that say where another lake is; they are named like the settings."""
    for option in reversed(_where):
        command = option(command)
    return command


@click.command(cls=Command)
@_place_options
@click.option(
    "--dry-run", "is_dry_run", is_flag=True, help="Only look whether it can be moved, and how much there is."
)
@json_option
def move(is_dry_run: bool, is_json: bool, **told: Any) -> int:
    """Move the lake to another place, with every version; exit code 1 when what arrived is not what was sent.

    Objects are copied and read back, the catalog follows in one step, and then each table's rows are compared at the
    newest version and at those that releases were made of. The old lake stays as it is, and is the one in use until
    you change the settings. Killed anywhere, the same command goes on where it was. Stop `flywheel up` first: what is
    written to the old lake after the move stays there.

    Example:
      flywheel lake move --to s3://bucket/wheel --catalog 'postgres:dbname=wheel host=db user=wheel' --dry-run
      flywheel lake move --to s3://bucket/wheel --catalog 'postgres:dbname=wheel host=db user=wheel'
      flywheel lake move --to ./data --catalog sqlite --json
    """
    with show.working("looking at both places") as tell:
        from flywheel.core.lake_move import move_lake, plan_move
        from flywheel.core.move_target import Place
        from flywheel.core.storage import open_store

        here = read_settings()
        there = _target(here, told)
        source, target = Place(here, open_store(here)), Place(there, open_store(there))
        moved = plan_move(source, target) if is_dry_run else move_lake(source, target, datetime.now(UTC), tell)
    if is_json:
        _print_json(moved, source, target)
    elif is_dry_run:
        click.echo(f"{_counted(moved)} would be moved, {moved.sent_count} objects are not there yet.")
        click.echo(f"From {source.words} to {target.words}.")
    else:
        _print(moved, source, target)
    return int(not moved.is_equal)


def _target(here: "Settings", told: dict[str, Any]) -> "Settings":
    """Return the settings of the new place: what was told, else what is in force."""
    from pydantic import ValidationError

    from flywheel.core.settings import Settings

    given = {name: value for name, value in told.items() if value is not None}
    if not given.keys() & {"lake", "catalog"}:
        raise UsageError(
            "Say where to: --to s3://bucket/prefix or a folder, or --catalog for another catalog, or both."
        )
    if given.get("catalog") == "sqlite":
        given["catalog"] = ""
    held = {name: getattr(here, name) for name in Settings.model_fields}
    try:
        return Settings(**held | given)
    except ValidationError as refused:
        first = refused.errors()[0]
        raise BadSetting(str(first["loc"][0]), first["input"], first["msg"]) from refused


def _print_json(moved: "Moved", source: "Place", target: "Place") -> None:
    tables = [asdict(one) | {"is_equal": one.is_equal} for one in moved.tables]
    lines = _lines(source.settings, target.settings)
    show.print_json(asdict(moved) | {"tables": tables, "is_equal": moved.is_equal, "settings": lines})


def _print(moved: "Moved", source: "Place", target: "Place") -> None:
    rows = [asdict(one) | {"is_equal": "yes" if one.is_equal else "NO"} for one in moved.tables]
    show.print_table(rows, _TABLE, empty="There are no tables.")
    click.echo(f"{_counted(moved)}: {moved.sent_count} were sent, all have the sha256 they had.")
    for path in moved.kept:
        click.echo(f"{path} was there already and stays as it is; the old lake's is not in it.")
    if not moved.is_equal:
        catalogs = "" if moved.is_catalog_equal else " The catalogs differ."
        click.echo(f"What arrived is not what was sent.{catalogs} Stay with {source.words}; move again.")
        return
    click.echo(f"All of it is the same. {source.words} is as it was; to use the new one, write into flywheel.toml:\n")
    for line in _lines(source.settings, target.settings):
        click.echo(f"    {line}")
    click.echo("\nThen look with `flywheel doctor` and `flywheel lake check`.")


def _counted(moved: "Moved") -> str:
    return f"Version {moved.version} with {moved.object_count} objects of {moved.object_bytes / 1e6:.1f} MB"


def _lines(here: "Settings", there: "Settings") -> list[str]:
    """Return the lines of flywheel.toml that the new place needs and the old one did not, without a password."""
    from flywheel.core.settings import without_password

    lines = []
    for name in _SHOWN:
        value = getattr(there, name)
        if value == getattr(here, name):
            continue
        text = "true" if value is True else "false" if value is False else show.as_json(str(value))
        lines.append(f"{name} = {show.as_json(without_password(value)) if name == 'catalog' else text}")
    return lines
