"""Which days wait for mining, and which is the newest."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import polars as pl
import pytest

from flywheel.core.days import latest_day, unmined_days
from flywheel.core.errors import UsageError
from flywheel.core.lake import Lake

Rows = Callable[..., pl.DataFrame]

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


@pytest.fixture
def memory() -> Lake:
    return Lake.in_memory()


def receive(lake: Lake, rows_for: Rows, day: date, *trace_ids: str) -> None:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    rows = [
        {"day": day, "trace_id": trace_id, "conversation_id": trace_id, "started_at": at, "input": "[]"}
        for trace_id in trace_ids
    ]
    lake.land("raw_traces", rows_for(lake, "raw_traces", *rows))


def mine(lake: Lake, rows_for: Rows, day: date) -> None:
    lake.build("traces", day)
    lake.build("feedback", day)
    chosen = {"day": day, "example_id": f"e-{day}", "trace_id": "a", "purpose": "audit"}
    lake.land("hard_examples", rows_for(lake, "hard_examples", chosen))


def test_days_that_were_never_mined_come_oldest_first(memory: Lake, rows_for: Rows) -> None:
    receive(memory, rows_for, TUESDAY, "b")
    receive(memory, rows_for, MONDAY, "a")
    assert unmined_days(memory) == [MONDAY, TUESDAY]


def test_a_mined_day_waits_again_when_traces_of_it_arrive(memory: Lake, rows_for: Rows) -> None:
    receive(memory, rows_for, MONDAY, "a")
    mine(memory, rows_for, MONDAY)
    assert unmined_days(memory) == []
    receive(memory, rows_for, MONDAY, "late")
    assert unmined_days(memory) == [MONDAY]


def test_a_mined_day_waits_again_when_somebody_says_something_about_it(memory: Lake, rows_for: Rows) -> None:
    receive(memory, rows_for, MONDAY, "a", "b")
    receive(memory, rows_for, TUESDAY, "c")
    for day in (MONDAY, TUESDAY):
        mine(memory, rows_for, day)
    said = {"day": MONDAY, "feedback_id": "f", "trace_id": "a", "kind": "thumb", "value": -1.0}
    memory.land("raw_feedback", rows_for(memory, "raw_feedback", said))
    assert unmined_days(memory) == [MONDAY]
    memory.build("feedback", MONDAY)
    assert unmined_days(memory) == []


def test_a_day_that_was_only_watched_still_waits(memory: Lake, rows_for: Rows) -> None:
    receive(memory, rows_for, MONDAY, "a")
    memory.build("traces", MONDAY)
    assert unmined_days(memory) == [MONDAY]


def test_an_empty_lake_has_nothing_to_mine_and_no_newest_day(memory: Lake) -> None:
    assert unmined_days(memory) == []
    with pytest.raises(UsageError, match="flywheel ingest FILE"):
        latest_day(memory)


@pytest.mark.parametrize(
    ("traces", "answers", "newest"),
    [([MONDAY], [], MONDAY), ([], [TUESDAY], TUESDAY), ([TUESDAY], [MONDAY], TUESDAY)],
)
def test_the_newest_day_has_traces_or_answers(
    memory: Lake, rows_for: Rows, traces: list[date], answers: list[date], newest: date
) -> None:
    for day in traces:
        receive(memory, rows_for, day, str(day))
    for day in answers:
        memory.land("answers", rows_for(memory, "answers", {"day": day, "answer_id": str(day)}))
    assert latest_day(memory) == newest
