"""Fields are observed by path and type, never by value; what changes between days is told, chance is not."""

import json
from datetime import date
from typing import Any

import polars as pl
import pytest

from flywheel.core.lake import Lake
from flywheel.ingest.log_changes import ChangeKind, change_hint, log_changes
from flywheel.ingest.log_fields import MOST_PATHS, RECORDS_SAMPLED, WIDEST, observe

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
RECORD = {"id": "r-1", "request": {"model": "m", "messages": [{"role": "user", "content": "hi"}]}, "n": 1}


def traces(count: int, content_count: int) -> pl.DataFrame:
    answers = ["yes"] * content_count + [None] * (count - content_count)
    empty = pl.Series([None] * count, dtype=pl.String)
    return pl.DataFrame({"output": pl.Series(answers, dtype=pl.String)}).with_columns(
        problem=empty, error=empty, tool_calls=empty
    )


def seen(records: list[Any], day: date = MONDAY, content_count: int | None = None, block: str = "b") -> pl.DataFrame:
    held = traces(len(records), len(records) if content_count is None else content_count)
    return observe([json.dumps(record) for record in records], "openai", day, f"{block}{day}", held)


def paths(frame: pl.DataFrame) -> set[str]:
    return set(frame["path"]) - {""}


def land(lake: Lake, *frames: pl.DataFrame) -> None:
    for frame in frames:
        lake.land("log_fields", frame)


def told(lake: Lake) -> list[tuple[str, str, str]]:
    return [(change.kind.value, change.path, change.detail) for change in log_changes(lake)]


def test_fields_are_paths_with_types_and_counts() -> None:
    frame = seen([RECORD, RECORD | {"n": "one"}])
    assert paths(frame) == {
        "id", "n", "request", "request.model", "request.messages", "request.messages[]",
        "request.messages[].role", "request.messages[].content",
    }  # fmt: skip
    of_n = frame.filter(pl.col("path") == "n").sort("json_type")
    assert of_n.select("json_type", "record_count", "sampled_count").rows() == [
        ("any", 2, 2), ("number", 1, 2), ("string", 1, 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "key",
    [
        "ann@example.com",
        "+44 20 7946 0958",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "user 17",
        "a1b2c3d4e5f6",
        "x" * 80,
    ],
)
def test_keys_that_are_no_names_of_fields_are_not_kept(key: str) -> None:
    assert paths(seen([{"users": {key: {"age": 1}}}])) == {"users", "users.*", "users.*.age"}


def test_no_value_is_kept() -> None:
    assert "hi" not in str(seen([RECORD]).rows())


def test_depth_width_and_number_are_bounded() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = {"a": deep}
    wide = {f"k{chr(97 + n // 26)}{chr(97 + n % 26)}": 1 for n in range(WIDEST + 1)}
    assert paths(seen([wide])) == {"*"}
    assert max(path.count(".") for path in paths(seen([deep]))) < 10
    many = [{f"{chr(97 + n % 26)}{chr(97 + n // 26)}_{m}": 1 for m in range(60)} for n in range(100)]
    assert seen(many).height <= MOST_PATHS + 1


def test_a_sample_is_spread_over_the_block() -> None:
    records = [{"early": 1}] * 5_000 + [{"late": 1}] * 5_000
    frame = seen(records)
    assert frame["sampled_count"].max() == RECORDS_SAMPLED
    assert paths(frame) == {"early", "late"}


def test_a_field_that_came_one_that_went_and_one_that_changed_its_type_are_told(lake: Lake) -> None:
    after = {"id": 7, "request": RECORD["request"], "extra": {"a": 1}}
    land(lake, seen([RECORD] * 50), seen([after] * 50, TUESDAY))
    assert told(lake) == [
        ("new", "extra", ""), ("retyped", "id", "string before, number now"), ("missing", "n", ""),
    ]  # fmt: skip
    assert change_hint(lake) is not None


def test_rare_fields_come_and_go_unnoticed(lake: Lake) -> None:
    rare = RECORD | {"rare": 1}
    land(lake, seen([RECORD] * 49 + [rare]), seen([RECORD] * 50, TUESDAY))
    assert told(lake) == []
    assert change_hint(lake) is None


def test_the_first_day_has_nothing_to_compare_with(lake: Lake) -> None:
    land(lake, seen([RECORD] * 50))
    assert told(lake) == []


def test_calls_that_lost_their_content_are_told(lake: Lake) -> None:
    land(lake, seen([RECORD] * 200), seen([RECORD] * 200, TUESDAY, content_count=120))
    found = log_changes(lake)
    assert [(one.kind, one.before, one.now) for one in found] == [(ChangeKind.CONTENT, 1.0, 0.6)]


def test_blocks_of_a_day_are_one_day_and_a_block_read_twice_counts_once(lake: Lake) -> None:
    with_more, monday = seen([RECORD | {"more": 1}] * 50, block="c"), seen([RECORD] * 50)
    land(lake, monday, with_more, monday, seen([RECORD] * 50, TUESDAY))
    assert lake.scalar("select sum(record_count) from log_fields where path = '' and day = '2026-01-05'") == 100
    assert told(lake) == [("missing", "more", "")]
