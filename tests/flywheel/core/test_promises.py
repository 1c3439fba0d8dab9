"""Suites fail loudly: what would check nothing, or something else than it says, is an error or a broken promise."""

import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flywheel.core.errors import EmptyPromise, UnknownExpectation, UnknownTable
from flywheel.core.lake import Lake
from flywheel.core.promises import Severity, check_suite, check_table, critical_failures, load_suite

DAY = date(2026, 1, 1)
NOT_NULL = {
    "type": "expect_column_values_to_not_be_null",
    "kwargs": {"column": "trace_id"},
    "severity": "critical",
}

EQUALS = {"type": "comparison", "column": {"name": "trace_id"}, "operator": "==", "parameter": "a"}


def between(column: str, **kwargs: Any) -> dict[str, Any]:
    return {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": column, **kwargs},
        "severity": "critical",
    }


def write_suite(folder: Path, *expectations: object, name: str = "trips") -> Path:
    (folder / "trips.json").write_text(json.dumps({"name": name, "expectations": expectations}))
    return folder


def test_a_suite_loads_in_the_order_it_declares(tmp_path: Path) -> None:
    suite = load_suite("trips", write_suite(tmp_path, between("cost", min_value=0), NOT_NULL))
    assert [promise.subject for promise in suite.promises] == ["cost", "trace_id"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (NOT_NULL | {"type": "expect_column_valeus_to_not_be_null"}, "expect_column_valeus_to_not_be_null"),
        (between("cost", max=3), "extra fields not permitted"),
        (between("cost"), "min_value and max_value cannot both be None"),
        (between("cost", min_value=0, mostly=7), "mostly"),
        (between("cost", min_value=0, mostly=0), "mostly 0 promises nothing"),
        (between("cost", min_value=0, row_condition="cost > 1"), "row_condition is text"),
        (between("cost", min_value={"$PARAMETER": "floor"}), "nobody fills in suite parameters"),
        (NOT_NULL | {"kwargs": {}}, "field required"),
        (NOT_NULL | {"severity": "fatal"}, "'fatal' is not a valid Severity"),
        ({"type": NOT_NULL["type"], "kwargs": {"column": "a"}}, "'severity'"),
        ("expect_column_values_to_not_be_null", "string indices must be integers"),
    ],
)
def test_an_entry_that_is_no_expectation_is_named(tmp_path: Path, entry: object, message: str) -> None:
    folder = write_suite(tmp_path, NOT_NULL, entry)
    with pytest.raises(UnknownExpectation, match="declares 2 expectations but 1 loaded") as refused:
        load_suite("trips", folder)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"name": "trips", "expectations": []}', "declares no list of expectations"),
        ('{"name": "trips"}', "declares no list of expectations"),
        ("[]", "declares no list of expectations"),
        ('{"name": "trips", "expectations": [', "could not be read as JSON"),
        (
            '{"name": "other", "expectations": [{"type": "x", "kwargs": {}, "severity": "critical"}]}',
            "is named 'other'",
        ),
    ],
)
def test_a_suite_that_promises_nothing_is_an_error_with_its_path(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "trips.json").write_text(content)
    with pytest.raises(EmptyPromise, match=message) as refused:
        load_suite("trips", tmp_path)
    assert str(tmp_path / "trips.json") in str(refused.value)


def test_a_missing_suite_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(EmptyPromise, match=str(tmp_path / "trips.json")):
        load_suite("trips", tmp_path)


def test_no_rows_keep_no_promise(tmp_path: Path) -> None:
    with pytest.raises(EmptyPromise, match="no rows"):
        check_suite("trips", pl.DataFrame({"trace_id": []}), write_suite(tmp_path, NOT_NULL))


def test_a_day_without_rows_keeps_no_promise() -> None:
    with Lake.in_memory() as lake, pytest.raises(EmptyPromise, match="no rows"):
        check_table(lake, "traces", DAY)


def test_a_table_nobody_defines_is_unknown() -> None:
    with Lake.in_memory() as lake, pytest.raises(UnknownTable, match="'trips'"):
        check_table(lake, "trips", DAY)


@pytest.mark.parametrize(
    ("entry", "observed"),
    [
        (between("nowhere", min_value=0), 'could not be checked: Error: The column "nowhere"'),
        (between("trace_id", min_value=0), "could not be checked: Column values, min_value, and max_value"),
        (
            between("cost", min_value=0, row_condition=EQUALS | {"column": {"name": "nowhere"}}),
            "could not be checked: name",
        ),
    ],
)
def test_what_could_not_be_checked_is_broken(tmp_path: Path, entry: dict[str, Any], observed: str) -> None:
    rows = pl.DataFrame({"trace_id": ["a"], "cost": [1.0]})
    broken, kept = check_suite("trips", rows, write_suite(tmp_path, entry, NOT_NULL))
    assert (broken.is_success, kept.is_success) == (False, True)
    assert broken.observed.startswith(observed)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_breaks_a_promise_that_a_missing_one_keeps(tmp_path: Path, value: float) -> None:
    rows = pl.DataFrame({"cost": [1.0, None, value]})
    (result,) = check_suite("trips", rows, write_suite(tmp_path, between("cost", max_value=5)))
    assert result.observed == "cost is NaN or infinite in 1 of 3 rows"
    assert result.rows_query == "select * from trips where (cost > 5 or not isfinite(cost))"
    assert not result.is_success


def test_decimals_lists_and_structs_can_be_promised_about(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {"cost": [Decimal("1.50"), Decimal("-1.00")], "tags": [["a"], []], "who": [{"name": "ann"}, None]}
    )
    entries = [
        between("cost", min_value=0),
        {
            "type": "expect_column_values_to_not_be_in_set",
            "kwargs": {"column": "tags", "value_set": ["[]"]},
            "severity": "warning",
        },
        NOT_NULL | {"kwargs": {"column": "who"}},
    ]
    results = check_suite("trips", rows, write_suite(tmp_path, *entries))
    assert [result.observed for result in results] == ["1 of 2 rows: -1.0", "1 of 2 rows: []", "1 of 2 rows"]


def test_a_promise_about_the_table_counts_its_rows(tmp_path: Path) -> None:
    entry = {
        "type": "expect_table_row_count_to_be_between",
        "kwargs": {"min_value": 3},
        "severity": "critical",
    }
    (result,) = check_suite("trips", pl.DataFrame({"cost": [1.0, 2.0]}), write_suite(tmp_path, entry))
    assert (result.subject, result.observed, result.bound, result.is_success) == (
        "table",
        "2",
        "at least 3 rows",
        False,
    )


def test_a_gate_result_tells_what_was_measured_and_where_to_look() -> None:
    profile = {"day": DAY, "candidate": "c0ffee", "human_share": 0.16}
    results = check_suite("release_profiles", pl.DataFrame([profile]))
    (kept, warned) = [r for r in results if r.subject == "human_share" and r.bound != "not null"]
    assert (kept.severity, kept.is_success, kept.observed, kept.bound) == (
        Severity.CRITICAL,
        True,
        "0.16",
        "at least 0.1",
    )
    assert (warned.severity, warned.is_success, warned.bound) == (Severity.WARNING, False, "at least 0.25")
    assert warned.rows_query == (
        "select * from release_profiles where day = date '2026-01-01' and candidate = 'c0ffee' and human_share < 0.25"
    )


def test_a_condition_narrows_the_promise_and_its_query(tmp_path: Path) -> None:
    rows = pl.DataFrame({"trace_id": ["a", "b"], "cost": [9.0, 9.0]})
    (result,) = check_suite("trips", rows, write_suite(tmp_path, between("cost", max_value=5, row_condition=EQUALS)))
    assert (result.observed, result.bound) == ("1 of 1 rows: 9.0", "at most 5 where trace_id = 'a'")
    assert result.rows_query == "select * from trips where (trace_id = 'a') and cost > 5"


def test_an_expectation_without_a_reading_is_still_held(tmp_path: Path) -> None:
    entry = {
        "type": "expect_column_mean_to_be_between",
        "kwargs": {"column": "cost", "max_value": 1},
        "severity": "critical",
    }
    missing = {"type": "expect_column_to_exist", "kwargs": {"column": "nowhere"}, "severity": "critical"}
    results = check_suite("trips", pl.DataFrame({"cost": [1.0, 2.0]}), write_suite(tmp_path, entry, missing))
    assert [(r.is_success, r.observed, r.rows_query) for r in results] == [
        (False, "1.5", "select * from trips"),
        (False, "not as promised", "select * from trips"),
    ]


def test_only_broken_critical_promises_refuse(tmp_path: Path) -> None:
    entries = [between("cost", max_value=1), between("cost", max_value=1) | {"severity": "warning"}, NOT_NULL]
    rows = pl.DataFrame({"trace_id": ["a"], "cost": [2.0]})
    refused = critical_failures(check_suite("trips", rows, write_suite(tmp_path, *entries)))
    assert [(result.subject, result.severity) for result in refused] == [("cost", Severity.CRITICAL)]


def test_personal_data_is_counted_and_never_repeated(tmp_path: Path) -> None:
    entry = {
        "type": "expect_column_values_to_not_match_regex_list",
        "kwargs": {"column": "text", "regex_list": ["@"]},
        "severity": "critical",
    }
    (result,) = check_suite("trips", pl.DataFrame({"text": ["ann@example.com"]}), write_suite(tmp_path, entry))
    assert (result.is_success, result.observed) == (False, "1 of 1 rows")
    assert "ann" not in repr(result)


def test_our_expectations_serve_any_great_expectations_project() -> None:
    import great_expectations as gx
    import pandas as pd

    from flywheel.core.promise_types import ExpectColumnPairValuesToDiffer

    source = gx.get_context(mode="ephemeral").data_sources.add_pandas("theirs")
    batch = source.add_dataframe_asset("pairs").add_batch_definition_whole_dataframe("all")
    pairs = pd.DataFrame({"a": ["x", "y", None], "b": ["x ", "z", "x"]})
    answer = batch.get_batch({"dataframe": pairs}).validate(
        ExpectColumnPairValuesToDiffer(column_A="a", column_B="b")
    )
    assert answer.result["unexpected_count"] == 1


QUIET = """
import sys
reached = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        reached.append(arguments)
sys.addaudithook(watch)
import polars as pl
from flywheel.core.promises import check_suite
assert "great_expectations" not in sys.modules
check_suite("mode_members", pl.DataFrame({"trace_id": ["t"], "mode_id": ["m"], "similarity": [2.0]}))
assert reached == [], reached
"""


def test_checking_reaches_no_network_writes_no_file_and_prints_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", QUIET],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
