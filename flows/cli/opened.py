"""Open what commands look at - settings, lake, store - and read the arguments they share."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flywheel.core.errors import BadSetting, MissingPart, UsageError

if TYPE_CHECKING:  # heavy, and only named here
    import duckdb

    from flywheel.core.lake import Lake
    from flywheel.core.settings import Settings
    from flywheel.core.storage import Store


class Day(click.ParamType):  # type: ignore[type-arg] # generic only in newer versions of click
    """A day as YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day, or fail as a wrong call."""
        try:
            return value if isinstance(value, date) else datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007
        except ValueError:
            self.fail(f"{value!r} is not a day; write it as YYYY-MM-DD, e.g. 2026-03-01.", param, ctx)


day_option = click.option("--day", type=Day(), help="The day it is about; default: the newest one.")
json_option = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


def read_settings() -> "Settings":
    """Return the settings in force.

    Raises:
        BadSetting: one of them has a value that cannot work, or is none of ours.
        UsageError: flywheel.toml is not TOML.

    """
    import tomllib

    from pydantic import ValidationError

    from flywheel.core.settings import Settings, load_settings

    try:
        return load_settings()
    except tomllib.TOMLDecodeError as broken:
        raise UsageError(f"flywheel.toml is not valid TOML: {broken}. Correct that line.") from broken
    except ValidationError as refused:
        first = refused.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        known = f"one of the settings {', '.join(Settings.model_fields)}"
        expected = known if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Input should be ")
        raise BadSetting(name, first["input"], expected) from refused


def open_lake(at: int | None = None) -> "Lake":
    """Open the lake that settings name; `at` opens an older version.

    Raises:
        MissingPart: DuckDB cannot attach it.

    """
    import duckdb

    from flywheel.core.lake import Lake

    settings = read_settings()
    try:
        return Lake.open(settings, at=at)
    except (duckdb.Error, OSError) as failed:
        if at is not None:
            told = f"{one_line(failed)} `flywheel sql 'from lake.snapshots()'` lists the versions there are."
            raise MissingPart(f"Version {at} of the lake {settings.lake!r}", told) from failed
        told = f"{one_line(failed)} `flywheel doctor` shows what is wrong."
        raise MissingPart(f"The lake {settings.lake!r}", told) from failed


def open_store() -> "Store":
    """Open the object store of the lake."""
    from flywheel.core.storage import open_store as open_it

    return open_it(read_settings())


def fetch(connection: "duckdb.DuckDBPyConnection", statement: str, **parameters: Any) -> list[dict[str, Any]]:
    """Run a statement and return its rows by column name."""
    return named_rows(connection.execute(statement, parameters or None))


def named_rows(result: "duckdb.DuckDBPyConnection") -> list[dict[str, Any]]:
    """Return a result's rows by column name; a name that comes twice gets a number."""
    columns = distinct_names([column[0] for column in result.description or []])
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def distinct_names(names: list[str]) -> list[str]:
    """Return the names with `_2`, `_3` ... behind those that came before."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return distinct


def one_line(error: BaseException) -> str:
    """Return DuckDB's message without its drawing of the statement, as one sentence."""
    told = " ".join(str(error).split("\n\nLINE ")[0].split())
    return told if told.endswith((".", "!", "?")) else f"{told}."


def prefect_log() -> Path:
    """Return where the temporary Prefect server writes what it has to say."""
    return read_settings().control_folder / "prefect-server.log"
