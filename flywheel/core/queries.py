"""The SQL files: tables, log formats, signals and views, each read from its own file.

`sql/NN_<table>.sql` holds `create table <table> (...)`, which is the table's contract, and, where the table is
built from others, the query that builds one day of it. The number is the table's place in the flow.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flywheel.core.errors import UnknownQuery, UnknownTable
from flywheel.core.settings import HOME
from flywheel.core.signals import every_signal, every_vote

SQL = HOME / "sql"
_FILE = re.compile(r"(\d\d)_([a-z_]+)\.sql")
_HEADER = re.compile(r"-- (?P<name>[a-z_]+): (?P<caption>one row per .+)")
_KEY = re.compile(r"-- key: (?P<columns>[a-z_, ]+)")
_PARAMETER = re.compile(r"\$([a-z_]+)")
_READ = re.compile(r"\b(?:from|join)\s+([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Table:
    """One file under sql/: a table's contract and, for a built table, its query."""

    name: str
    place: int
    caption: str
    key: tuple[str, ...]
    contract: str
    query: str | None

    @property
    def is_built(self) -> bool:
        """Whether a query makes the rows; otherwise a stage lands them."""
        return self.query is not None

    @property
    def parameters(self) -> frozenset[str]:
        """Names of the `$parameters` the query takes."""
        return frozenset(_PARAMETER.findall(self.query or ""))

    def reads(self, known: Mapping[str, "Table"]) -> Mapping[str, int]:
        """Return the tables, and their `known_` and `past_` views, that this query selects from, and how often."""
        query = _without_comments(expanded(self.query or ""))
        names = {prefix + name for name in known for prefix in ("", "held_", "known_", "past_")}
        return Counter(name for name in _READ.findall(query) if name in names)


def _without_comments(sql: str) -> str:
    return re.sub(r"--[^\n]*", "", sql)


def parse_table(path: Path) -> Table:
    """Read one table file.

    Raises:
        UnknownTable: the file's name, header or statements do not have the agreed form.

    """
    named = _FILE.fullmatch(path.name)
    text = path.read_text(encoding="utf-8")
    header = _HEADER.match(text)
    statements = [part.strip() for part in re.split(r";\s*\n", text) if _without_comments(part).strip()]
    if not named or not header or header["name"] != named[2] or not 1 <= len(statements) <= 2:
        raise UnknownTable(f"{path.name} (expected '-- <table>: one row per ...', a contract, a query)", [])
    key = _KEY.search(text)
    return Table(
        name=named[2],
        place=int(named[1]),
        caption=header["caption"],
        key=tuple(part.strip() for part in key["columns"].split(",")) if key else (),
        contract=statements[0],
        query=statements[1] if len(statements) > 1 else None,
    )


@lru_cache(maxsize=4)
def load_tables(folder: Path = SQL) -> Mapping[str, Table]:
    """Return every table by name, in flow order."""
    tables = [parse_table(path) for path in sorted(folder.glob("*.sql"))]
    return {table.name: table for table in tables}


def find_table(name: str) -> Table:
    """Return one table's file.

    Raises:
        UnknownTable: no file defines it.

    """
    tables = load_tables()
    if name not in tables:
        raise UnknownTable(name, tables)
    return tables[name]


@lru_cache(maxsize=16)
def load_folder(kind: str) -> Mapping[str, str]:
    """Return the queries of sql/<kind>/ (ingest, signals, views) by file stem."""
    return {
        path.stem: path.read_text(encoding="utf-8").strip().rstrip(";") for path in sorted((SQL / kind).glob("*.sql"))
    }


def macro_statements() -> list[str]:
    """Return the statements of sql/macros/, which make what queries of log formats share, `memory.main.<macro>`."""
    texts = load_folder("macros").values()
    return [part for text in texts for part in re.split(r";\s*\n", text) if _without_comments(part).strip()]


def find_query(kind: str, name: str) -> str:
    """Return the text of sql/<kind>/<name>.sql.

    Raises:
        UnknownQuery: there is no such file.

    """
    queries = load_folder(kind)
    if name not in queries:
        raise UnknownQuery(name, f"sql/{kind}", queries)
    return queries[name]


def expanded(query: str) -> str:
    """Return a table's query with the signal files put in where it says `every_signal` and `every_vote`."""
    for place, made in (("every_signal", every_signal), ("every_vote", every_vote)):
        if place in query:
            query = query.replace(place, f"(\n{made()}\n)")
    return query


def parameters_of(query: str) -> frozenset[str]:
    """Return the `$parameters` a query takes."""
    return frozenset(_PARAMETER.findall(_without_comments(query)))
