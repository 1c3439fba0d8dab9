"""Open what commands look at - settings, lake, store - and read the arguments they share."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flywheel.core.errors import BadSetting, UsageError

if TYPE_CHECKING:  # heavy, and only named here
    from flywheel.core.lake import Lake
    from flywheel.core.moments import Moment
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


class At(click.ParamType):  # type: ignore[type-arg] # generic only in newer versions of click
    """A version of the lake, by its number, a release, a tag or a time."""

    name = "VERSION|RELEASE|TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Moment":
        """Return what it names; UnknownMoment for what has no form of these."""
        from flywheel.core.moments import read_moment

        del param, ctx
        return read_moment(value) if isinstance(value, str) else value


day_option = click.option("--day", type=Day(), help="The day it is about; default: the newest one.")
at_option = click.option(
    "--at", type=At(),
    help="Read the lake as it was: at a version of it (12), a release or tag (release:3, latest), or a time "
    "(2026-03-01 = when that UTC day was over, 2026-03-01T12:00:00Z).",
)  # fmt: skip
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


@contextmanager
def open_lake(at: "Moment | None" = None) -> "Iterator[Lake]":
    """Open the lake that settings name; `at` opens it as it was, and nothing can be written.

    Raises:
        MissingPart: it cannot be attached.
        UnknownMoment: there is no such version.
        UnknownVersion: there is no such release or tag.
        NotInVersion: what is read inside came later than that version.

    """
    from flywheel.core.statements import open_checked
    from flywheel.core.versions import as_of_version

    with open_checked(read_settings(), at=version_at(at)) as lake, as_of_version(lake):
        yield lake


def version_at(at: "Moment | None") -> int | None:
    """Return the number of the lake's version that was asked for; None for the newest, to read and write."""
    if at is None:
        return None
    from flywheel.core.versions import find_version

    return find_version(read_settings(), at, datetime.now(UTC))


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
