"""Every suite accepts good rows and refuses each bad file, for the promise the file says it breaks.

`<table>/good.yaml` holds whole rows. A row of `<table>/bad_<what>.yaml` says only what differs from the first good
row. `breaks` names every promise that must fail, and no other may: by its subject, its expectation type, or as
`subject: severity`.
"""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from flywheel.core.lake import Lake
from flywheel.core.promises import EXPECTATIONS, PromiseResult, Severity, check_table, load_suite
from flywheel.core.queries import load_tables

CASES = Path(__file__).parent
DAY = date(2026, 1, 1)
TABLES = sorted(load_tables())
BAD = [f"{path.parent.name}/{path.stem}" for path in sorted(CASES.glob("*/bad_*.yaml"))]


def read(case: str) -> dict[str, Any]:
    return yaml.safe_load((CASES / f"{case}.yaml").read_text(encoding="utf-8"))


@cache
def scratch_lake() -> Lake:
    return Lake.in_memory()


def given_rows(case: str) -> list[dict[str, Any]]:
    rows = read(case)["rows"]
    table, name = case.split("/")
    base = {} if name == "good" else read(f"{table}/good")["rows"][0]
    return [base | row for row in rows]


def landed(case: str) -> str:
    """Make the case's rows the whole of its table and return the table's name."""
    table = case.split("/", maxsplit=1)[0]
    given = pl.DataFrame(given_rows(case), infer_schema_length=None, strict=False)
    connection = scratch_lake().connection
    connection.execute(f"delete from lake.{table}")  # noqa: S608 - a table of ours
    connection.register("given_rows", given.to_arrow())
    connection.execute(f"insert into lake.{table} by name select * from given_rows")  # noqa: S608
    return table


@cache
def results(case: str) -> list[PromiseResult]:
    return check_table(scratch_lake(), landed(case), DAY)


def names(result: PromiseResult) -> set[str]:
    return {result.subject, result.expectation, f"{result.subject}: {result.severity}"}


def test_every_table_has_a_suite_and_every_suite_a_table() -> None:
    assert sorted(path.stem for path in EXPECTATIONS.glob("*.json")) == TABLES


def test_every_table_has_good_rows_and_bad_rows() -> None:
    assert [table for table in TABLES if not (CASES / table / "good.yaml").exists()] == []
    assert [table for table in TABLES if not list((CASES / table).glob("bad_*.yaml"))] == []


@pytest.mark.parametrize("table", TABLES)
def test_a_suite_holds_at_least_two_critical_promises_about_columns_that_exist(table: str) -> None:
    promises = load_suite(table).promises
    columns = set(scratch_lake().frame(f"select * from {table} limit 0").columns)  # noqa: S608 - a table of ours
    assert sum(promise.severity is Severity.CRITICAL for promise in promises) >= 2
    assert {column for promise in promises for column in promise.columns} <= columns


@pytest.mark.parametrize("table", TABLES)
def test_good_rows_keep_every_promise(table: str) -> None:
    assert [result for result in results(f"{table}/good") if not result.is_success] == []


@pytest.mark.parametrize("case", BAD)
def test_bad_rows_break_the_promises_they_name_and_no_other(case: str) -> None:
    breaks = set(read(case)["breaks"])
    failed = [result for result in results(case) if not result.is_success]
    assert [result for result in failed if not names(result) & breaks] == []
    assert breaks - set().union(*(names(result) for result in failed)) == set()


@pytest.mark.parametrize("table", TABLES)
def test_every_promise_is_broken_by_a_bad_file(table: str) -> None:
    promised = {(r.expectation, r.subject, r.severity, r.bound) for r in results(f"{table}/good")}
    cases = [case for case in BAD if case.split("/")[0] == table]
    broken = {
        (r.expectation, r.subject, r.severity, r.bound) for case in cases for r in results(case) if not r.is_success
    }
    assert promised - broken == set()


@pytest.mark.parametrize("case", BAD + [f"{table}/good" for table in TABLES])
def test_the_rows_query_selects_rows_exactly_when_the_promise_is_broken(case: str) -> None:
    checked = results(case)
    landed(case)
    found = {result: scratch_lake().frame(result.rows_query).height for result in checked}
    assert [result for result, count in found.items() if (count == 0) != result.is_success] == []
