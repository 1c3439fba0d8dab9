"""Filters and what the report says; a folder that is whole or absent."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flywheel.core.errors import DataError, UsageError
from flywheel.publish.exports.filters import Filters, filtered, weighed
from flywheel.publish.exports.folder import contents
from flywheel.publish.exports.rewards import verified

Export = Callable[..., tuple[Path, dict[str, Any]]]

ROWS = pl.DataFrame(
    {
        "correction_id": ["a", "b", "c", "d"],
        "mode_name": ["late", "late", None, None],
        "mode_id": ["m1", "m1", None, "m2"],
        "route": ["human", "ai", "ai", None],
        "agreement": [1.0, 0.8, 0.6, None],
        "depth": [0, 1, 2, 0],
    }
)


@pytest.mark.parametrize(
    ("filters", "kept", "left_out"),
    [
        (Filters(), "abcd", {}),
        (Filters(modes=["late"]), "ab", {"mode": 2}),
        (Filters(modes=["m2", "none"]), "cd", {"mode": 2}),
        (Filters(routes=["ai"]), "bc", {"route": 2}),
        (Filters(min_trust=0.8), "ab", {"min_trust": 2}),
        (Filters(max_depth=1), "abd", {"max_depth": 1}),
        (Filters(modes=["late"], routes=["ai"], max_depth=0), "", {"mode": 2, "route": 1, "max_depth": 1}),
    ],
)
def test_filters_count_what_they_leave_out(filters: Filters, kept: str, left_out: dict[str, int]) -> None:
    rows, counted = filtered(weighed(ROWS), filters)
    assert ("".join(rows["correction_id"]), counted) == (kept, left_out)


def test_a_row_weighs_what_people_agree() -> None:
    assert weighed(ROWS)["weight"].to_list() == [1.0, 0.8, 0.6, 1.0]


def test_report_counts_tokens_truncation_and_cost(export: Export) -> None:
    _, report = export("trl-dpo", max_tokens=20, price_per_million=2.0, epochs=3)
    told = report["splits"]["train"]
    assert told["tokens"]["is_approximate"] is True
    assert told["tokens"]["sequences"] == 2 * told["rows"]
    assert told["truncation"]["too_long"] == told["tokens"]["sequences"]  # none has less than 20
    assert {one["answer_if_start_is_cut"] for one in told["truncation"]["first"]} == {"kept"}
    assert report["cost"]["billed_tokens"] == 3 * told["tokens"]["total"]
    assert report["cost"]["estimate"] == pytest.approx(report["cost"]["billed_tokens"] / 1e6 * 2.0)


def test_the_same_again_changes_nothing_and_something_else_is_refused(export: Export) -> None:
    folder, _ = export("trl-sft")
    before = contents(folder)
    export("trl-sft")
    with pytest.raises(UsageError, match=r"is there and holds something else.*--force"):
        export("trl-dpo")
    assert contents(folder) == before
    export("trl-dpo", is_forced=True)
    assert "chosen" in json.loads((folder / "train.jsonl").read_text().splitlines()[0])
    assert [path.name for path in folder.parent.iterdir()] == ["out"]


def test_a_refused_export_leaves_nothing(export: Export, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no tool definition.*--tools"):
        export("openai-sft", tools=())
    assert list(tmp_path.iterdir()) == []


def test_broken_rows_are_left_out_and_listed(export: Export) -> None:
    folder, report = export("openai-sft", tools=(), skips_broken=True)
    told = report["splits"]["train"]
    assert told["left_out"] == {"breaks_a_rule": told["broken"]["counts"]["breaks_a_rule"]}
    assert len((folder / "train.jsonl").read_text().splitlines()) == told["rows"] > 10


@pytest.mark.parametrize(
    ("answer", "wanted", "verifier", "score"),
    [
        ("Card_lost.", "card_lost", "exact_match", 1.0),
        ("refund", "card_lost", "exact_match", 0.0),
        ("That makes $1,017.", "1017", "numeric", 1.0),
        ("none", "17", "numeric", 0.0),
        ('```json\n{"b": 1, "a": 2}\n```', '{"a": 2, "b": 1}', "json_equal", 1.0),
        ("no json", '{"a": 2}', "json_equal", 0.0),
        ("anything", "something", "rubric", None),
    ],
)
def test_rewards_verify(answer: str, wanted: str, verifier: str, score: float | None) -> None:
    assert verified(answer, wanted, verifier) == score
