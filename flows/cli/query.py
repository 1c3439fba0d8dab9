"""Commands for people who write SQL: one statement, a prompt, or what another DuckDB needs to attach the lake."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from flows.cli import show
from flows.cli.attachments import attach_releases, described_releases, release_views
from flows.cli.commands import Command
from flows.cli.opened import at_option, open_lake, open_store, read_settings, version_at
from flywheel.core.errors import BadStatement, NotInVersion, UsageError

if TYPE_CHECKING:
    from flywheel.core.lake import Lake
    from flywheel.core.moments import Moment
    from flywheel.core.settings import Settings
    from flywheel.core.statements import Answered

_PLAN = ("explain_key", "explain_value")  # what EXPLAIN answers: a drawing, not a table
_PROMPT, _MORE = "flywheel> ", "     ...> "
_SHELL_HELP = """SQL ends with a semicolon and may take several lines. .tables lists what there is, .quit leaves."""


@click.command(cls=Command)
@click.argument("statement")
@click.option("--csv", "form", flag_value="csv", help="Print CSV.")
@click.option("--json", "form", flag_value="json", help="Print a JSON array of objects, dates as ISO text.")
@at_option
@click.option("--write", is_flag=True, help="Allow a statement that changes the lake.")
def sql(statement: str, form: str | None, at: "Moment | None", write: bool) -> None:
    """Run one SQL statement on the lake's tables and views, and on the releases.

    Beside the lake there are `releases` and, per release, `release_<dataset>_<version>` and
    `release_<dataset>_<version>_heldout`; `latest` is a version, too. `release_contents` has the training
    rows of all of them. With --at they are those there are now.

    Example:
      flywheel sql "select signal, count(*) from signals group by signal"
      flywheel sql "from failures limit 5" --at 12 --json
      flywheel sql "select count(*) from corrections" --at release:latest
      flywheel sql "from release_corrections_latest" --csv > train.csv
    """
    if write and at is not None:
        raise UsageError("--write and --at exclude each other: an older version cannot be changed. Drop one of them.")
    with open_lake(at) as lake:
        found = run_statement(lake, statement, is_write=write)
    if form == "json":
        show.print_json(found.named)
    elif form == "csv":
        show.print_csv(found.named, found.columns)
    else:
        _print_found(found)


def _print_found(found: "Answered") -> None:
    if found.columns == _PLAN:
        click.echo("\n".join(str(plan) for _, plan in found.rows))
    else:
        show.print_table(found.named, found.columns, empty="No rows.")


def run_statement(lake: "Lake", statement: str, *, is_write: bool) -> "Answered":
    """Run a statement with the releases beside the lake; BadStatement when it is refused."""
    from flywheel.core.statements import run_typed

    return run_typed(
        lake, statement, lambda cursor: attach_releases(cursor, open_store(), statement), is_write=is_write
    )


@click.command(cls=Command)
@click.option("--duckdb", "is_duckdb", is_flag=True, help="Use DuckDB's own command line instead, where installed.")
@at_option
def shell(is_duckdb: bool, at: "Moment | None") -> None:
    """Open an SQL prompt on the lake and its releases; it reads, it does not write.

    Example:
      flywheel shell
      flywheel shell --duckdb
      flywheel shell --at 2026-03-01
    """
    import shutil

    found = shutil.which("duckdb")
    if is_duckdb:
        _run_duckdb(found, at)
        return
    if found:
        click.echo("DuckDB's own command line is installed as well: flywheel shell --duckdb")
    click.echo(_SHELL_HELP)
    with open_lake(at) as lake:
        _converse(lake)


def _run_duckdb(found: str | None, at: "Moment | None") -> None:
    import subprocess

    from flywheel.core.errors import MissingPart

    if found is None:
        raise MissingPart("DuckDB's command line (duckdb)", "Install it, or use `flywheel shell` without --duckdb.")
    init = read_settings().control_folder / "duckdb-init.sql"
    init.parent.mkdir(parents=True, exist_ok=True)
    lines = [*attach_lines(read_settings(), version_at(at)), *_view_lines()]
    init.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    subprocess.run([found, "-init", str(init)], check=False)


def _view_lines() -> list[str]:
    store = open_store()
    return [f"{view.statement};" for view in release_views(store, described_releases(store))]


def _converse(lake: "Lake") -> None:
    """Read statements until .quit or the end of the input; an error is told and the prompt comes back."""
    with suppress(ImportError):  # line editing where Python has it
        import readline  # noqa: F401 - importing it is using it
    typed = ""
    while True:
        try:
            line = input(_MORE if typed else _PROMPT)
        except EOFError:
            click.echo()
            return
        if not typed and line.strip() in (".quit", ".exit"):
            return
        typed = f"{typed}\n{line}".strip()
        if typed.endswith(";") or typed.startswith("."):
            _answer(lake, typed)
            typed = ""


def _answer(lake: "Lake", typed: str) -> None:
    if typed == ".tables":
        typed = "select name from (show all tables) where database in ('lake', 'temp') order by name;"
    elif typed.startswith("."):
        click.echo(_SHELL_HELP)
        return
    try:
        found = run_statement(lake, typed.rstrip("; \n"), is_write=False)
    except (BadStatement, NotInVersion) as refused:
        click.echo(str(refused), err=True)
        return
    _print_found(found)


@click.command(cls=Command)
@at_option
def attach(at: "Moment | None") -> None:
    """Print the SQL by which any DuckDB attaches this lake, read-only and without our code.

    Example:
      flywheel attach > lake.sql
      flywheel attach --at release:3 > release_3.sql
      duckdb -init lake.sql
    """
    version = version_at(at)
    if version is None:
        with open_lake():  # makes the lake where there is none yet: nobody can attach nothing
            pass
    for line in attach_lines(read_settings(), version):
        click.echo(line)


def attach_lines(settings: "Settings", version: int | None = None) -> Iterable[str]:
    """Return the statements, one a line; passwords and keys are never among them."""
    from flywheel.core.duck import attach_statement
    from flywheel.core.settings import without_password

    scanner = "postgres" if settings.on_postgres else "sqlite"
    yield "install ducklake; load ducklake;"
    yield f"install {scanner}; load {scanner};"
    if settings.on_s3:
        yield "install httpfs; load httpfs; install aws; load aws;"
        yield "-- keys come from the usual AWS chain"
        yield f"create or replace secret flywheel_s3 ({', '.join(_s3_options(settings))});"
    if without_password(settings.catalog) != settings.catalog:
        yield "-- the password is left out: set PGPASSWORD, or use ~/.pgpass"
    pinned = "" if version is None else f", snapshot_version {version}"
    yield f"{attach_statement(settings, show_secrets=False)[:-1]}, read_only{pinned});"
    yield "use lake;"


def _s3_options(settings: "Settings") -> Iterable[str]:
    yield "type s3"
    yield "provider credential_chain"
    yield f"region '{settings.s3_region}'"
    if settings.s3_endpoint:
        yield f"endpoint '{settings.s3_endpoint}'"
        yield "url_style 'path'"
    yield f"use_ssl {'true' if settings.s3_use_ssl else 'false'}"
