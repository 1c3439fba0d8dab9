import json
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path

import pytest
from prefect.tasks import Task

from flywheel.core.errors import UsageError
from flywheel.core.lake import Lake
from tasks.correct import accept, collect_from_people, queue_for_people
from tasks.days import day_or_latest
from tasks.ingest import find_new_logs, read_logs
from tasks.mine import find_repeats, name_modes, weigh_signals
from tasks.running import is_transient
from tasks.tables import build_table
from tasks.watch import measure_drift

DAY = date(2026, 1, 5)
LINE = {
    "timestamp": "2026-01-05T10:00:00Z",
    "request": {"messages": [{"role": "user", "content": "hello"}]},
    "response": {
        "id": "r-1",
        "model": "m",
        "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
    },
}
STAGES = ["correct", "improve", "ingest", "keep", "mine", "publish", "route", "tables", "watch"]


def stage_tasks() -> list[Task]:
    found = [value for name in STAGES for value in vars(import_module(f"tasks.{name}")).values()]
    return [value for value in found if isinstance(value, Task)]


@pytest.mark.parametrize("stage_task", stage_tasks(), ids=lambda found: found.name)
def test_stage_task_retries_what_is_transient_and_nothing_else(stage_task: Task) -> None:
    assert stage_task.retry_condition_fn is is_transient
    assert (stage_task.retries, stage_task.retry_delay_seconds) == (3, [5.0, 30.0, 120.0])


def test_the_day_that_was_asked_for_needs_no_lake(tmp_path: Path) -> None:
    assert day_or_latest.fn(DAY) == DAY
    assert not (tmp_path / "lake").exists()


def test_without_a_day_it_is_the_newest_with_traces_or_answers(lake: Lake) -> None:
    rows = [{"day": date(2026, 1, number), "trace_id": str(number)} for number in (3, 9, 5)]
    lake.land("raw_traces", lake.typed("raw_traces", rows))
    assert day_or_latest.fn(None) == date(2026, 1, 9)


def test_an_empty_lake_has_no_day() -> None:
    with pytest.raises(UsageError, match="no traces yet"):
        day_or_latest.fn(None)


def test_feedback_left_waiting_finds_its_call_also_when_there_is_nothing_new(lake: Lake, tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_text(json.dumps(LINE) + "\n")
    read_logs.fn([str(log)])
    lake.land("raw_feedback", lake.typed("raw_feedback", [{"day": DAY, "feedback_id": "f1", "target_id": "r-1"}]))
    assert find_new_logs.fn(str(log)) == []
    assert lake.frame("select count(*) from raw_feedback join raw_traces using (trace_id)").rows() == [(1,)]


def test_reading_a_log_again_adds_nothing(tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_text(json.dumps(LINE) + "\n")
    (batch,) = find_new_logs.fn(str(tmp_path))
    reports = [report for _ in range(2) for report in read_logs.fn(batch)]
    assert [(report.read, report.landed, report.duplicates) for report in reports] == [(1, 1, 0), (0, 0, 0)]
    assert find_new_logs.fn(str(tmp_path)) == []


def test_building_a_table_returns_the_rows_of_the_day(lake: Lake) -> None:
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    rows = [
        {"day": DAY, "trace_id": trace_id, "started_at": at, "input": "[]", "conversation_id": "c"}
        for trace_id in ("a", "b")
    ]
    lake.land("raw_traces", lake.typed("raw_traces", rows))
    assert build_table.fn("traces", DAY) == 2


def test_a_day_without_traffic_mines_nothing_routes_nothing_and_drifts_nowhere() -> None:
    assert [build_table.fn(table, DAY) for table in ("traces", "feedback", "signals")] == [0, 0, 0]
    assert (find_repeats.fn(DAY), name_modes.fn(DAY)) == (0, 0)
    assert (queue_for_people.fn(DAY), collect_from_people.fn(DAY), accept.fn(DAY)) == (0, 0, {})
    assert measure_drift.fn(DAY) == []
    assert weigh_signals.fn(DAY) >= 0
