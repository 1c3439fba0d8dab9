"""The promises about tables, held by Great Expectations: the only door to it.

`expectations/<table>.json` is a suite in Great Expectations' own format. Great Expectations passes an empty suite and
drops a misspelt expectation with a log line; here both are errors, an expectation that could not be evaluated counts
as broken, and a number that is NaN or infinite breaks every promise about it instead of counting as missing.

It takes seconds to import and is therefore imported inside functions; one context serves a process.
"""

import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import polars as pl

from flywheel.core.errors import EmptyPromise, UnknownExpectation
from flywheel.core.lake import Lake
from flywheel.core.promise_queries import (
    ANY_OTHER,
    READINGS,
    bound_of,
    broken_rows_query,
    columns_of,
)
from flywheel.core.promise_rows import as_pandas, not_finite_count, scope_of
from flywheel.core.queries import find_table
from flywheel.core.settings import HOME

EXPECTATIONS = HOME / "expectations"
_MARK = "promise"  # key in an expectation's meta by which its result is found again: results come in any order
_SHOWN_VALUES = 3
_one_at_a_time = Lock()  # Great Expectations keeps its current context in a global


class Severity(StrEnum):
    """What a broken promise does: a critical one refuses, a warning reports."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Promise:
    """One expectation as its suite declares it."""

    expectation: str
    kwargs: Mapping[str, Any]
    severity: Severity

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is about."""
        return columns_of(self.kwargs)

    @property
    def subject(self) -> str:
        """What it is about, for a reader: a column, several, or the table."""
        return ", ".join(self.columns) or "table"


@dataclass(frozen=True, slots=True)
class LoadedSuite:
    """A suite of which every declared expectation is known to have loaded."""

    name: str
    promises: tuple[Promise, ...]
    suite: Any  # great_expectations.ExpectationSuite


@dataclass(frozen=True, slots=True)
class PromiseResult:
    """Whether one promise was kept; `rows_query` selects the rows that broke it with `flywheel sql`."""

    suite: str
    expectation: str
    subject: str
    severity: Severity
    is_success: bool
    observed: str
    bound: str
    rows_query: str


def critical_failures(results: Iterable[PromiseResult]) -> list[PromiseResult]:
    """Return the broken promises that refuse."""
    return [result for result in results if not result.is_success and result.severity is Severity.CRITICAL]


def load_suite(name: str, folder: Path = EXPECTATIONS) -> LoadedSuite:
    """Read a suite and make sure that nothing it declares was dropped.

    Raises:
        EmptyPromise: the file is missing, unreadable or declares nothing.
        UnknownExpectation: an expectation's type, arguments or severity are not ones we can hold.

    """
    declared = _read_suite(name, folder / f"{name}.json")
    gx = _great_expectations()
    built = [_build(place, entry) for place, entry in enumerate(declared)]
    unrecognised = [problem for problem in built if isinstance(problem, str)]
    loaded = [expectation for expectation in built if not isinstance(expectation, str)]
    suite = gx.ExpectationSuite(name=name, expectations=loaded)
    if unrecognised or len(suite.expectations) != len(declared):
        raise UnknownExpectation(name, len(declared), len(suite.expectations), unrecognised)
    promises = (Promise(entry["type"], entry["kwargs"], Severity(entry["severity"])) for entry in declared)
    return LoadedSuite(name, tuple(promises), suite)


def check_suite(name: str, rows: pl.DataFrame, folder: Path = EXPECTATIONS) -> list[PromiseResult]:
    """Hold rows to the promises of a suite; results are in the order in which the suite declares them.

    Raises:
        EmptyPromise: there are no rows, or the suite promises nothing.
        UnknownExpectation: the suite holds something that is not an expectation, or a result is missing.

    """
    suite = load_suite(name, folder)
    if rows.is_empty():
        raise EmptyPromise(name, "it was given no rows")
    answers = _validate(suite, as_pandas(rows, [promise.kwargs for promise in suite.promises]))
    unanswered = [promise.expectation for place, promise in enumerate(suite.promises) if place not in answers]
    if unanswered:
        raise UnknownExpectation(name, len(suite.promises), len(answers), unanswered)
    scope = scope_of(name, rows)
    return [_result(name, promise, answers[place], rows, scope) for place, promise in enumerate(suite.promises)]


def check_table(lake: Lake, table: str, day: date) -> list[PromiseResult]:
    """Hold one day of a table to its promises.

    Raises:
        UnknownTable: no file under sql/ defines the table.
        EmptyPromise: the day has no rows, or the suite promises nothing.
        UnknownExpectation: the suite holds something that is not an expectation.

    """
    spec = find_table(table)
    return check_suite(table, lake.frame(f"select * from {spec.name} where day = $day", day=day))  # noqa: S608 - a known table


def _read_suite(name: str, path: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as unreadable:
        raise EmptyPromise(name, f"{path} could not be read as JSON ({unreadable})") from unreadable
    declared = content.get("expectations") if isinstance(content, dict) else None
    if not isinstance(declared, list) or not declared:
        raise EmptyPromise(name, f"{path} declares no list of expectations")
    if content.get("name") != name:
        raise EmptyPromise(name, f"{path} is named {content.get('name')!r}")
    return declared


def _build(place: int, entry: Mapping[str, Any]) -> Any:
    """Return the expectation that an entry of a suite declares, or in words why there is none."""
    from great_expectations.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    try:
        Severity(entry["severity"])
        _refuse_hollow(entry["kwargs"])
        marked = {**entry, "meta": {**(entry.get("meta") or {}), _MARK: place}}
        return ExpectationConfiguration(**marked).to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError, KeyError) as refused:
        reason = " ".join(str(refused).split()) or type(refused).__name__
        return f"{entry.get('type') if isinstance(entry, Mapping) else entry!r} ({reason})"


def _refuse_hollow(kwargs: Mapping[str, Any]) -> None:
    """Raise ValueError for arguments that Great Expectations takes and that would leave the promise without force."""
    if kwargs.get("mostly") == 0:
        raise ValueError("mostly 0 promises nothing")
    if isinstance(kwargs.get("row_condition"), str):
        raise ValueError("row_condition is text; write it in its JSON form")
    if "$PARAMETER" in json.dumps(kwargs):
        raise ValueError("nobody fills in suite parameters here")


@lru_cache(maxsize=1)
def _great_expectations() -> Any:
    """Import Great Expectations with its usage statistics off, and our own expectations with it."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it tells of its temporary folders at INFO
    import great_expectations as gx

    import flywheel.core.promise_types  # noqa: F401 - importing registers them

    return gx


@lru_cache(maxsize=1)
def _context() -> Any:
    """Return the process's one context: in memory, without files, network or progress bars."""
    context = _great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    return context


def _validate(suite: LoadedSuite, frame: Any) -> dict[int, Any]:
    """Return Great Expectations' results by the place of the promise in its suite."""
    with _one_at_a_time:
        context = _context()
        source = context.data_sources.add_pandas("rows")
        try:
            asset = source.add_dataframe_asset(suite.name)
            batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
            answer = batch.validate(suite.suite, result_format="BASIC")
        finally:
            context.data_sources.delete("rows")  # a source keeps every frame it was given
    return {result.expectation_config.meta[_MARK]: result for result in answer.results}


def _result(
    name: str, promise: Promise, answer: Any, rows: pl.DataFrame, scope: Mapping[str, object]
) -> PromiseResult:
    not_finite = {column: not_finite_count(rows, column) for column in promise.columns}
    infinite = [
        f"{column} is NaN or infinite in {count} of {rows.height} rows"
        for column, count in not_finite.items()
        if count
    ]
    problem = _problem(answer) or " and ".join(infinite)
    return PromiseResult(
        suite=name,
        expectation=promise.expectation,
        subject=promise.subject,
        severity=promise.severity,
        is_success=bool(answer.success) and not problem,
        observed=problem or _observed(promise, answer, rows),
        bound=bound_of(promise.expectation, promise.kwargs),
        rows_query=broken_rows_query(
            name, promise.expectation, promise.kwargs, scope, {c for c, count in not_finite.items() if count}
        ),
    )


def _problem(answer: Any) -> str:
    """Return why an expectation could not be evaluated, or nothing."""
    info = answer.exception_info or {}
    raised = [info] if "raised_exception" in info else [each for each in info.values() if isinstance(each, dict)]
    messages = dict.fromkeys(str(each["exception_message"]) for each in raised if each.get("raised_exception"))
    return f"could not be checked: {'; '.join(messages)}" if messages else ""


def _observed(promise: Promise, answer: Any, rows: pl.DataFrame) -> str:
    """Return what was found; values only where they are short and cannot be somebody's personal data."""
    found = answer.result
    if "unexpected_count" not in found:
        return str(found.get("observed_value", "as promised" if answer.success else "not as promised"))
    is_quotable = READINGS.get(promise.expectation, ANY_OTHER).is_quotable
    if rows.height == 1 and len(promise.columns) == 1 and is_quotable:
        return str(rows[promise.columns[0]][0])
    counted = f"{found['unexpected_count']} of {found['element_count']} rows"
    values = [str(value)[:40] for value in found.get("partial_unexpected_list", ())[:_SHOWN_VALUES]]
    return f"{counted}: {', '.join(values)}" if values and is_quotable else counted
