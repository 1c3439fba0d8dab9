"""What the commands that turn the wheel decide before a flow starts."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.cli.example import as_jsonl, example_log
from flywheel.core.days import unmined_days
from flywheel.core.lake import Lake
from flywheel.ingest.files import ingest_file
from flywheel.mine.selection_day import Quota, choose_examples

Flywheel = Callable[..., Any]

DAY = date(2026, 3, 2)


def test_what_was_mined_is_not_mined_again(flywheel: Flywheel, turned: Path) -> None:
    said = flywheel("mine", lake=turned)
    assert (said.code, said.out.startswith("Nothing to mine")) == (0, True)


@pytest.mark.parametrize(
    ("built", "unmined"), [([], [DAY]), (["traces"], [DAY]), (["traces", "feedback", "hard_examples"], [])]
)
def test_a_day_is_mined_when_its_hard_examples_are_drawn(
    lake: Lake, tmp_path: Path, built: list[str], unmined: list[date]
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(as_jsonl(example_log()), encoding="utf-8")
    ingest_file(lake, str(log), now=datetime(2026, 3, 3, tzinfo=UTC))
    for table in built:
        if table == "hard_examples":
            choose_examples(lake, DAY, Quota(budget=1, audit_count=1))
        else:
            lake.build(table, DAY)
    assert unmined_days(lake) == unmined


def test_an_unknown_format_is_told_before_prefect_starts(flywheel: Flywheel, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("{}\n")
    said = flywheel("ingest", "log.jsonl", "--format", "smoke-signals")
    assert said.code == 2
    assert said.err.startswith("flywheel: There is no query 'smoke-signals' in sql/ingest.")


def test_an_answers_file_that_is_not_there_is_a_wrong_call(flywheel: Flywheel) -> None:
    said = flywheel("correct", "--answers", "nope.jsonl")
    assert (said.code, "'nope.jsonl' does not exist" in said.err) == (2, True)


def test_an_answer_with_a_bad_date_stays_out_of_the_inbox(flywheel: Flywheel, tmp_path: Path) -> None:
    line = '{"author": "dana", "input": "hi", "chosen": "refund", "answered_at": "yesterday"}'
    (tmp_path / "answers.jsonl").write_text(line)
    flywheel("correct", "--answers", "answers.jsonl")
    assert "answered_at_is_no_time" in flywheel("quarantine", "list").out
    assert not (tmp_path / "lake" / "inbox").exists()
