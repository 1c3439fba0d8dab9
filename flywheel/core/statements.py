"""Statements that people type: run on the lake as they are, read-only unless asked otherwise."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import duckdb

from flywheel.core.errors import BadStatement, MissingPart
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.core.versions import came_later

Connection: TypeAlias = duckdb.DuckDBPyConnection
Prepare: TypeAlias = Callable[[Connection], None]

# explain analyze runs what it explains
_EXPLAINED_READ = re.compile(
    r"\s*explain\s+(analyze\s+)?\(?\s*(select|with|from|values|table|show|describe|summarize)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a statement answered; column names are distinct."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def named(self) -> list[dict[str, Any]]:
        """Return the rows by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def answered(result: Connection) -> Answered:
    """Return what a connection has to say; a column name that comes twice gets a number."""
    names = [column[0] for column in result.description or []]
    return Answered(_distinct(names), tuple(result.fetchall()))


def _distinct(names: list[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return tuple(distinct)


def run_typed(lake: Lake, statement: str, prepare: Prepare, *, is_write: bool = False) -> Answered:
    """Run a statement somebody typed, after `prepare` made temporary views for it.

    Without `is_write` it runs in a read-only transaction, and what would write files or settings is refused before.

    Raises:
        BadStatement: DuckDB does not take it, or it would change something.
        NotInVersion: the lake is open at a version that lacks what the statement reads.

    """
    try:
        if is_write:
            with lake.transaction(f"sql: {' '.join(statement.split())[:80]}") as cursor:
                prepare(cursor)
                return answered(cursor.execute(statement))
        _refuse_changes(lake.connection, statement)
        return _read(lake, statement, prepare)
    except duckdb.Error as refused:
        raise came_later(lake, refused) or BadStatement(statement, one_line(refused)) from refused


def _read(lake: Lake, statement: str, prepare: Prepare) -> Answered:
    cursor = lake.connection.cursor()
    try:
        cursor.execute("use lake")
        prepare(cursor)
        cursor.execute("begin transaction read only")
        return answered(cursor.execute(statement))
    finally:
        cursor.close()


def _refuse_changes(connection: Connection, statement: str) -> None:
    """Raise BadStatement unless every statement only reads; DuckDB's own parser says what each is."""
    parts = connection.extract_statements(statement)
    if not parts:
        raise BadStatement(statement, "It is empty.")
    for part in parts:
        is_explained_read = part.type == duckdb.StatementType.EXPLAIN and _EXPLAINED_READ.match(part.query)
        if part.type != duckdb.StatementType.SELECT and not is_explained_read:
            raise BadStatement(statement, f"It is {part.type.name}, not a query; pass --write if that is meant.")


def open_checked(settings: Settings, *, at: int | None = None) -> Lake:
    """Open the lake for somebody at a terminal, who is told what is wrong and where to look.

    Raises:
        MissingPart: DuckDB cannot attach it, or there is no such version.

    """
    try:
        return Lake.open(settings, at=at)
    except (duckdb.Error, OSError) as failed:
        if at is not None:
            told = f"{one_line(failed)} `flywheel sql 'from lake.snapshots()'` lists the versions there are."
            raise MissingPart(f"Version {at} of the lake {settings.lake!r}", told) from failed
        told = f"{one_line(failed)} `flywheel doctor` shows what is wrong."
        raise MissingPart(f"The lake {settings.lake!r}", told) from failed


def probe_write(lake: Lake) -> None:
    """Make a table and take it back.

    Raises:
        MissingPart: the lake takes no writes.

    """
    try:
        lake.connection.execute("begin; create table lake.write_probe (probe integer); rollback")
    except duckdb.Error as failed:
        raise MissingPart("Writing to the lake", one_line(failed)) from failed


def one_line(error: BaseException) -> str:
    """Return an error's message as one sentence, without DuckDB's drawing of the statement."""
    told = " ".join(str(error).split("\n\nLINE ")[0].split())
    return told if told.endswith((".", "!", "?")) else f"{told}."
