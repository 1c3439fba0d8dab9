"""Open what commands look at - settings, lake, store - and read the arguments they share."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flywheel.core.errors import BadSetting, UsageError

if TYPE_CHECKING:  # heavy, and only named here
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
    """Open the lake that settings name; `at` opens an older version; MissingPart when it cannot be attached."""
    from flywheel.core.statements import open_checked

    return open_checked(read_settings(), at=at)


def open_store() -> "Store":
    """Open the object store of the lake."""
    from flywheel.core.storage import open_store as open_it

    return open_it(read_settings())


def fetch(lake: "Lake", statement: str, **parameters: Any) -> list[dict[str, Any]]:
    """Run a statement of ours and return its rows by column name."""
    from flywheel.core.statements import answered

    return answered(lake.connection.execute(statement, parameters or None)).named


def prefect_log() -> Path:
    """Return where the temporary Prefect server writes what it has to say."""
    return read_settings().control_folder / "prefect-server.log"
