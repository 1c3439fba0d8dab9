from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.correct.day import CorrectionPolicy, accept_answers, collect_answers
from flywheel.correct.logged import LoggedFeedback

DAY = date(2026, 1, 5)
Land = Callable[..., int]


def said(trace_id: str, text: str, **facts: Any) -> dict[str, Any]:
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    row = {"day": DAY, "feedback_id": f"{trace_id}-{text}", "trace_id": trace_id, "kind": "edit", "occurred_at": at}
    return row | {"text": text, "actor_hash": "a" * 32} | facts


@pytest.fixture
def learned(mined: Lake, land: Land) -> Callable[..., dict[str, str]]:
    """Return what lands feedback, corrects the day with it, and tells what each trace's verdict is."""

    def learn(*rows: dict[str, Any], **options: Any) -> dict[str, str]:
        free = {"day": DAY, "trace_id": "free", "input": "[]", "output": "card_lost", "task": "intent"}
        land(mined, "traces", free)
        land(mined, "feedback", *rows)
        collect_answers(mined, DAY, [LoggedFeedback(mined, DAY, **options)])
        accept_answers(mined, DAY, CorrectionPolicy())
        told = "select coalesce(example_id, 'free'), verdict from answer_verdicts order by all"
        return dict(mined.frame(told).iter_rows())

    return learn


def test_an_edit_becomes_a_correction_of_what_it_replaced(learned: Callable[..., Any], mined: Lake) -> None:
    assert learned(said("free", "refund"), said("t1", "refund")) == {"e1": "accepted", "free": "accepted"}
    held = mined.frame("select rejected, chosen, author_kind, author_id from corrections order by example_id").rows()
    assert held == [("card_lost", "refund", "human", "logged-aaaaaaaaaaaa")] * 2


def test_an_edit_of_an_audit_is_only_measured_with(learned: Callable[..., Any], mined: Lake) -> None:
    assert learned(said("t8", "refund")) == {"e8": "audit_only"}
    assert mined.scalar("select count(*) from corrections") == 0


def test_the_last_word_about_a_trace_counts(learned: Callable[..., Any], mined: Lake) -> None:
    earlier = datetime(2026, 1, 5, 9, tzinfo=UTC)
    learned(said("free", "exchange_rate", occurred_at=earlier), said("free", "refund"))
    assert mined.frame("select chosen from corrections")["chosen"].to_list() == ["refund"]


@pytest.mark.parametrize(
    "row",
    [said("free", "card_lost "), said("free", " "), said("free", "wrong!", kind="comment"), said("gone", "refund")],
    ids=["the answer itself", "nothing", "a comment", "no such trace"],
)
def test_what_replaces_nothing_is_no_correction(learned: Callable[..., Any], row: dict[str, Any]) -> None:
    assert learned(row) == {}


def test_one_author_is_not_the_training_set_of_a_day(learned: Callable[..., Any]) -> None:
    rows = [said(f"t{number}", "refund") for number in (1, 2, 4)] + [said("free", "refund", actor_hash="b" * 32)]
    assert sorted(learned(*rows, most_per_author=2)) == ["e1", "e2", "free"]
