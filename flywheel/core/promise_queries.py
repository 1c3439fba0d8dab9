"""What a promise says, in words, and which rows break it, in SQL.

One entry of `READINGS` per expectation type that our suites use. The SQL selects what Great Expectations counts on a
pandas batch, so that whoever is told about a broken promise can look at the rows themselves.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

Kwargs = Mapping[str, Any]
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_OPERATORS = {"==": "=", "IN": "in", "NOT_IN": "not in"}


@dataclass(frozen=True, slots=True)
class Reading:
    """How one type of expectation is told to people: the broken rows in SQL, the promise in words."""

    broken: Callable[[Kwargs], str]
    bound: Callable[[Kwargs], str]
    is_quotable: bool = False  # whether broken values are short and harmless enough to be shown
    repeats: bool = False  # `broken` counts over a window, so it filters with `qualify`


def literal(value: object) -> str:
    """Return a value as DuckDB reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, date):
        return f"date '{value}'"
    if isinstance(value, list | tuple):
        return "(" + ", ".join(literal(item) for item in value) + ")"
    return "'" + str(value).replace("'", "''") + "'"


def named(column: str) -> str:
    """Return a column name as DuckDB reads it."""
    return column if _PLAIN.fullmatch(column) else '"' + column.replace('"', '""') + '"'


def columns_of(kwargs: Kwargs) -> tuple[str, ...]:
    """Return the columns an expectation is about, in order; none for one about the whole table."""
    single = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
    return (*single, *kwargs.get("column_list", ()))


def condition_columns(condition: object) -> frozenset[str]:
    """Return the columns that a `row_condition` in Great Expectations' JSON form reads."""
    if not isinstance(condition, Mapping):
        return frozenset()
    if "conditions" in condition:
        return frozenset().union(*(condition_columns(part) for part in condition["conditions"]))
    return frozenset({condition["column"]["name"]})


def condition_sql(condition: Kwargs) -> str:
    """Return a `row_condition` in Great Expectations' JSON form as SQL."""
    if "conditions" in condition:
        return f" {condition['type']} ".join(f"({condition_sql(part)})" for part in condition["conditions"])
    column = named(condition["column"]["name"])
    if condition["type"] == "nullity":
        return f"{column} is {'' if condition['is_null'] else 'not '}null"
    operator = _OPERATORS.get(condition["operator"], condition["operator"])
    return f"{column} {operator} {literal(condition['parameter'])}"


def _column(kwargs: Kwargs) -> str:
    return named(kwargs["column"])


def _all_columns(kwargs: Kwargs) -> str:
    return ", ".join(named(column) for column in columns_of(kwargs))


def _outside(subject: str, kwargs: Kwargs) -> str:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    parts = []
    if low is not None:
        parts.append(f"{subject} {'<=' if kwargs.get('strict_min') else '<'} {literal(low)}")
    if high is not None:
        parts.append(f"{subject} {'>=' if kwargs.get('strict_max') else '>'} {literal(high)}")
    return " or ".join(parts) or "false"


def _range(kwargs: Kwargs) -> str:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    parts = []
    if low is not None:
        parts.append(f"{'above' if kwargs.get('strict_min') else 'at least'} {low}")
    if high is not None:
        parts.append(f"{'below' if kwargs.get('strict_max') else 'at most'} {high}")
    return " and ".join(parts)


def _one_of(kwargs: Kwargs) -> str:
    return ", ".join(str(value) for value in kwargs["value_set"])


def _any_pattern(kwargs: Kwargs) -> str:
    patterns = kwargs.get("regex_list") or [kwargs["regex"]]
    return " or ".join(f"regexp_matches({_column(kwargs)}::varchar, {literal(pattern)})" for pattern in patterns)


def _trimmed(column: str) -> str:
    return rf"lower(trim({named(column)}, e' \t\r\n'))"


def _repeated(kwargs: Kwargs) -> str:
    known = " or ".join(f"{named(column)} is not null" for column in columns_of(kwargs))
    return f"({known}) and count(*) over (partition by {_all_columns(kwargs)}) > 1"


def _not_greater(kwargs: Kwargs) -> str:
    operator = ">=" if kwargs.get("or_equal") else ">"
    return f"not {named(kwargs['column_A'])} {operator} {named(kwargs['column_B'])}"


def _not_sum(kwargs: Kwargs) -> str:
    total, *parts = (named(column) for column in kwargs["column_list"])
    return f"{total} != {' + '.join(parts)}"


READINGS: Mapping[str, Reading] = {
    "expect_column_values_to_not_be_null": Reading(lambda k: f"{_column(k)} is null", lambda _: "not null"),
    "expect_column_values_to_be_unique": Reading(_repeated, lambda _: "unique", is_quotable=True, repeats=True),
    "expect_compound_columns_to_be_unique": Reading(_repeated, lambda _: "unique together", repeats=True),
    "expect_column_values_to_be_in_set": Reading(
        lambda k: f"{_column(k)} not in {literal(k['value_set'])}",
        lambda k: f"one of {_one_of(k)}",
        is_quotable=True,
    ),
    "expect_column_values_to_not_be_in_set": Reading(
        lambda k: f"{_column(k)} in {literal(k['value_set'])}", lambda k: f"none of {_one_of(k)}", is_quotable=True
    ),
    "expect_column_values_to_be_between": Reading(lambda k: _outside(_column(k), k), _range, is_quotable=True),
    "expect_column_value_lengths_to_be_between": Reading(
        lambda k: _outside(f"length({_column(k)})", k), lambda k: f"{_range(k)} characters"
    ),
    "expect_column_values_to_match_regex": Reading(
        lambda k: f"not {_any_pattern(k)}", lambda k: f"matches {k['regex']}"
    ),
    "expect_column_values_to_not_match_regex": Reading(_any_pattern, lambda k: f"does not match {k['regex']}"),
    "expect_column_values_to_not_match_regex_list": Reading(
        _any_pattern, lambda k: f"matches none of {len(k['regex_list'])} patterns"
    ),
    "expect_column_pair_values_to_differ": Reading(
        lambda k: f"{_trimmed(k['column_A'])} = {_trimmed(k['column_B'])}",
        lambda k: f"{k['column_A']} differs from {k['column_B']}",
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": Reading(
        _not_greater,
        lambda k: f"{k['column_A']} {'at least' if k.get('or_equal') else 'above'} {k['column_B']}",
        is_quotable=True,
    ),
    "expect_multicolumn_first_to_be_sum": Reading(
        _not_sum, lambda k: f"{k['column_list'][0]} = {' + '.join(k['column_list'][1:])}"
    ),
    "expect_table_row_count_to_be_between": Reading(lambda _: "true", lambda k: f"{_range(k)} rows"),
}
ANY_OTHER = Reading(lambda _: "true", lambda k: ", ".join(f"{key} {value}" for key, value in k.items()))


def bound_of(expectation: str, kwargs: Kwargs) -> str:
    """Return what is promised, in words."""
    words = READINGS.get(expectation, ANY_OTHER).bound(kwargs)
    if kwargs.get("row_condition"):
        words += f" where {condition_sql(kwargs['row_condition'])}"
    if kwargs.get("mostly", 1) != 1:
        words += f", for at least {kwargs['mostly']:.4g} of the rows"
    return words


def broken_rows_query(
    table: str, expectation: str, kwargs: Kwargs, scope: Mapping[str, object], not_finite: Iterable[str] = ()
) -> str:
    """Return a DuckDB query that selects the rows which break an expectation.

    `scope` narrows the table to what was checked, column by value. `not_finite` names columns that hold NaN or
    infinity, which break any promise. An expectation type without a reading selects all rows that were checked.
    """
    reading = READINGS.get(expectation, ANY_OTHER)
    narrowed = [f"{named(column)} = {literal(value)}" for column, value in scope.items()]
    if kwargs.get("row_condition"):
        narrowed.append(f"({condition_sql(kwargs['row_condition'])})")
    broken = " or ".join([reading.broken(kwargs), *(f"not isfinite({named(column)})" for column in not_finite)])
    if not reading.repeats and broken != "true":
        narrowed.append(f"({broken})" if " or " in broken else broken)
    query = f"select * from {named(table)}"  # noqa: S608 - names come from our own files, values are literals
    if narrowed:
        query += " where " + " and ".join(narrowed)
    return f"{query} qualify {broken}" if reading.repeats else query
