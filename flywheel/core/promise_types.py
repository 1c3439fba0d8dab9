"""Expectations of our own, registered with Great Expectations by importing this module.

They are ordinary custom expectations on pandas batches, so any Great Expectations project can import and use them.
Great Expectations takes seconds to import: import this module inside functions only.
"""

from functools import reduce
from operator import add
from typing import Any, ClassVar, Literal

from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnPairMapExpectation, MulticolumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnPairMapMetricProvider,
    MulticolumnMapMetricProvider,
    column_pair_condition_partial,
    multicolumn_condition_partial,
)

BLANK = " \t\r\n"  # what is trimmed before two texts are compared; the SQL of a broken row trims the same
# ruff: noqa: N803 - Great Expectations passes column_A and column_B by these names


class ColumnPairValuesDiffer(ColumnPairMapMetricProvider):  # type: ignore[misc] # its types are not followed
    """Tell for each row whether two texts differ by more than case and surrounding blanks."""

    condition_metric_name = "column_pair_values.differ"
    condition_domain_keys: ClassVar[tuple[str, ...]] = (
        "batch_id",
        "table",
        "column_A",
        "column_B",
        "row_condition",
        "condition_parser",
        "ignore_row_if",
    )
    condition_value_keys: ClassVar[tuple[str, ...]] = ()

    @column_pair_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator] # as above
    def _pandas(cls, column_A: Any, column_B: Any, **_: Any) -> Any:  # noqa: N805 - the decorator makes it a class method
        first, second = (column.astype(str).str.strip(BLANK).str.lower() for column in (column_A, column_B))
        return first != second


class ExpectColumnPairValuesToDiffer(ColumnPairMapExpectation):  # type: ignore[misc] # as above
    """Expect two text columns to differ in every row, by more than case and surrounding blanks."""

    ignore_row_if: Literal["both_values_are_missing", "either_value_is_missing", "neither"] = (
        "either_value_is_missing"
    )
    map_metric: ClassVar[str] = "column_pair_values.differ"
    success_keys: ClassVar[tuple[str, ...]] = ("column_A", "column_B", "ignore_row_if", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("column_A", "column_B")


class MulticolumnFirstIsSum(MulticolumnMapMetricProvider):  # type: ignore[misc] # as above
    """Tell for each row whether the first column is the sum of the others."""

    condition_metric_name = "multicolumn_values.first_is_sum"
    condition_domain_keys: ClassVar[tuple[str, ...]] = (
        "batch_id",
        "table",
        "column_list",
        "row_condition",
        "condition_parser",
        "ignore_row_if",
    )
    condition_value_keys: ClassVar[tuple[str, ...]] = ()

    @multicolumn_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator] # as above
    def _pandas(cls, column_list: Any, **_: Any) -> Any:  # noqa: N805 - as above
        total, *parts = (column_list[name] for name in column_list.columns)
        return total == reduce(add, parts)


class ExpectMulticolumnFirstToBeSum(MulticolumnMapExpectation):  # type: ignore[misc] # as above
    """Expect the first of the listed columns to be the sum of the others in every row: nothing got lost."""

    ignore_row_if: Literal["all_values_are_missing", "any_value_is_missing", "never"] = "any_value_is_missing"
    map_metric: ClassVar[str] = "multicolumn_values.first_is_sum"
    success_keys: ClassVar[tuple[str, ...]] = ("column_list", "ignore_row_if", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("column_list",)
