"""Collect every YAML file in this folder as one example of what a SQL file does; nothing else is written per case.

    tests/sql/<table>/<case>.yaml            one built table of sql/
    tests/sql/signals/<signal>/<case>.yaml   one file of sql/signals/
    tests/sql/ingest/<format>/<case>.yaml    one file of sql/ingest/, which reads the table `log_lines`
    tests/sql/views/<view>/<case>.yaml       one file of sql/views/, over all days

A case says in its first line, a comment, what it shows. `given` holds rows per table, where a column left out is
null; `when` holds the day and the query's other parameters; `expect` holds all rows that come out, in any order,
and of each only the columns that matter.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flywheel.core.lake import Lake
from flywheel.core.queries import find_query

CASES = Path(__file__).parent
Row = dict[str, Any]
TOLERANCE = 1e-6  # what differs less is the same number written with fewer digits


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".yaml":
        return CaseFile.from_parent(parent, path=file_path)
    return None


class CaseFailed(Exception):
    """A case is written wrongly, or its rows are not the ones it expects."""


class CaseFile(pytest.File):
    """One YAML file, which is one case."""

    def collect(self) -> Iterator["CaseItem"]:
        yield CaseItem.from_parent(self, name=self.path.stem)


class CaseItem(pytest.Item):
    """One example: the rows given, the query run, the rows expected."""

    def runtest(self) -> None:
        run_case(self.path.read_text(encoding="utf-8"), self.path.relative_to(CASES).parts[:-1])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, CaseFailed):
            return f"{self.path.relative_to(CASES)}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, str(self.path.relative_to(CASES))


def run_case(text: str, place: tuple[str, ...]) -> None:
    """Run a case for the SQL file that its folder names, and raise CaseFailed where the rows differ."""
    try:
        case = yaml.safe_load(text)
    except yaml.YAMLError as broken:
        raise CaseFailed(f"not YAML: {broken}") from broken
    if not text.startswith("# ") or set(case) != {"given", "when", "expect"}:
        raise CaseFailed("a case is a comment that says what it shows, then given, when and expect")
    with Lake.in_memory() as lake:
        for table, rows in case["given"].items():
            _insert(lake, table, rows)
        found = _run(lake, place, dict(case["when"]))
    complaint = difference(found, case["expect"])
    if complaint:
        raise CaseFailed(complaint)


def _run(lake: Lake, place: tuple[str, ...], when: Row) -> list[Row]:
    if place[0] == "views":
        return lake.connection.table(place[1]).pl().to_dicts()
    if place[0] == "ingest":
        return lake.frame(find_query("ingest", place[1]), **when).to_dicts()
    rows = lake.rows_of(place[0], when.pop("day"), **when).to_dicts()
    return [row for row in rows if len(place) == 1 or row["signal"] == place[1]]


def _insert(lake: Lake, table: str, rows: list[Row]) -> None:
    if table == "log_lines":
        lake.connection.execute("create temp table log_lines (source_line bigint, byte_offset bigint, record json)")
    described = lake.connection.execute(f"describe {table}").fetchall()
    types = {name: data_type for name, data_type, *_ in described}
    unknown = {column for row in rows for column in row} - set(types)
    if unknown:
        raise CaseFailed(f"table {table} has no column {', '.join(sorted(unknown))}")
    lake.connection.execute(
        f"insert into {table} by name "  # noqa: S608 - a table that was just described
        "select unnest(row) from (select unnest(from_json($rows::json, $types)) as row)",
        {"rows": json.dumps(rows, default=str), "types": json.dumps([types])},
    )


def difference(found: list[Row], expected: list[Row]) -> str:
    """Return in words how the rows differ in the columns that are expected, or nothing."""
    left = [{column: _plain(value) for column, value in row.items()} for row in found]
    missing = []
    expected = [{column: _plain(value) for column, value in row.items()} for row in expected]
    for wanted in sorted(expected, key=len, reverse=True):
        match = next((row for row in left if _fits(row, wanted)), None)
        if match is None:
            missing.append(wanted)
        else:
            left.remove(match)
    if not missing and not left:
        return ""
    columns = {column for wanted in expected for column in wanted} or set().union(*left)
    surplus = [{column: row.get(column) for column in row if column in columns} for row in left]
    return f"\n  expected and not there: {missing}\n  there and not expected: {surplus}"


def _fits(row: Row, wanted: Row) -> bool:
    return all(column in row and _same(row[column], value) for column, value in wanted.items())


def _same(found: object, wanted: object) -> bool:
    if isinstance(wanted, int | float) and isinstance(found, int | float):
        return abs(found - wanted) <= TOLERANCE
    if isinstance(wanted, list | dict) and isinstance(found, str):
        return bool(json.loads(found) == wanted)
    return found == wanted


def _plain(value: object) -> object:
    """Turn dates and the like into the text that both sides write them as."""
    return value if value is None or isinstance(value, bool | int | float | str | list | dict) else str(value)


@pytest.fixture
def cases_folder() -> Path:
    return CASES


@pytest.fixture(name="run_case")
def run_case_fixture() -> Callable[[str, tuple[str, ...]], None]:
    return run_case
