"""Who is asked what, what lands once, and what becomes of an answer."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.core.records import AuthorKind, HardExample
from flywheel.correct.correctors import ScriptedCorrector
from flywheel.correct.day import (
    STEPS,
    CorrectionPolicy,
    accept_answers,
    collect_answers,
    examples_for_models,
    examples_for_people,
    quarantine_offers,
)
from flywheel.correct.inbox import RefusedOffer

DAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
POLICY = CorrectionPolicy()
Land = Callable[..., int]
AnswerRow = Callable[..., dict[str, Any]]
Examples = Callable[..., HardExample]


def rows(lake: Lake, query: str) -> list[tuple[Any, ...]]:
    return lake.frame(query).rows()


def test_people_are_asked_their_route_and_the_audits(mined: Lake) -> None:
    assert [example.example_id for example in examples_for_people(mined, DAY)] == ["e1", "e8", "e9"]


def test_models_are_asked_whatever_has_an_answer_to_correct_but_no_audit(mined: Lake) -> None:
    assert [example.example_id for example in examples_for_models(mined, DAY)] == ["e1", "e2", "e4"]


def test_nobody_is_asked_on_a_day_without_examples(mined: Lake) -> None:
    tomorrow = DAY + timedelta(days=1)
    assert (examples_for_people(mined, tomorrow), examples_for_models(mined, tomorrow)) == ([], [])


@pytest.fixture
def correctors(example: Examples) -> list[ScriptedCorrector]:
    script = {f"where is my refund number {number}": "refund" for number in (1, 2)}
    made = [ScriptedCorrector("ann", script), ScriptedCorrector("bot", script, AuthorKind.AI)]
    for corrector in made:
        corrector.submit([example(1), example(2)])
    return made


def test_answers_land_once_however_often_they_are_collected(
    memory: Lake, correctors: list[ScriptedCorrector]
) -> None:
    assert [collect_answers(memory, DAY, correctors, "run") for _ in range(2)] == [4, 0]
    assert collect_answers(memory, DAY + timedelta(days=1), correctors) == 0
    found = rows(memory, "select example_id, corrector, author_kind, output, day from answers order by all")
    assert found == [
        (f"e{number}", name, kind, "refund", DAY)
        for number in (1, 2)
        for name, kind in (("ann", "human"), ("bot", "ai"))
    ]


def test_the_id_of_an_answer_is_what_was_said(memory: Lake, example: Examples) -> None:
    said = []
    for moment in (NOW, NOW + timedelta(hours=1)):
        corrector = ScriptedCorrector("ann", {"hello": "refund"}, answered_at=moment)
        corrector.submit([example(1, "hello")])
        said.append(collect_answers(memory, DAY, [corrector]))
    other = ScriptedCorrector("ann", {"hello": "card_lost"})
    other.submit([example(1, "hello")])
    assert (said, collect_answers(memory, DAY, [other])) == ([1, 0], 1)


def test_each_verdict_is_counted_and_refusals_go_to_quarantine(
    mined: Lake, land: Land, answer_row: AnswerRow
) -> None:
    land(
        mined,
        "answers",
        answer_row("a1", example_id="e1"),
        answer_row("a2", example_id="e1", corrector="bob", answered_at=NOW),
        answer_row("a3", example_id="e2", output=" "),
        answer_row("a4", example_id="e4", output="Card_Lost "),
        answer_row("a5", example_id="e8"),
        answer_row("b1", example_id="e1", corrector="bot", author_kind="ai", generation_depth=1, confidence=0.9),
        answer_row("b2", example_id="e2", corrector="bot", author_kind="ai", generation_depth=1, confidence=0.9),
        answer_row("b3", example_id="e3", corrector="bot", author_kind="ai", generation_depth=1, confidence=0.6),
        answer_row("d1", input='[{"role": "user", "content": "hi"}]', rejected="refund", output="greeting"),
    )
    verdicts = accept_answers(mined, DAY, POLICY, "run")
    assert verdicts == {
        "a_person_answered": 1,
        "accepted": 2,
        "answered_before": 1,
        "audit_only": 1,
        "correct_as_is": 1,
        "corrector_not_trusted": 1,
        "low_confidence": 1,
        "unparsed": 1,
    }
    assert rows(mined, "select refused_id, reason, day from quarantine order by all") == [
        ("a2", "answered_before", DAY),
        ("a3", "unparsed", DAY),
        ("b3", "low_confidence", DAY),
    ]
    assert rows(mined, "select correction_id, rejected, chosen, author_id, query from corrections order by all") == [
        ("a1", "card_lost", "refund", "ann", "where is my refund number 1"),
        ("d1", "refund", "greeting", "ann", "hi"),
    ]
    assert rows(mined, "select example_id, chosen, is_failure from audits") == [("e8", "refund", True)]
    assert rows(mined, "select correction_id, soft_label, source from preferences order by all") == [
        ("a1", 1.0, "human"),
        ("d1", 1.0, "human"),
    ]


def test_accepting_twice_finds_what_it_found(mined: Lake, land: Land, answer_row: AnswerRow) -> None:
    blank = answer_row("a2", example_id="e2", output="")
    unsure = answer_row("b1", example_id="e2", corrector="bot", author_kind="ai", generation_depth=1, confidence=0.1)
    land(mined, "answers", answer_row("a1", example_id="e1"), blank, unsure)
    found = []
    for _ in range(3):
        verdicts = accept_answers(mined, DAY, POLICY)
        tables = [mined.connection.table(name).order("all").fetchall() for name in (*STEPS, "quarantine")]
        found.append([verdicts, *tables])
    assert found[0][0] == {"accepted": 1, "low_confidence": 1, "unparsed": 1}
    assert found[0] == found[1] == found[2]


def test_an_answer_that_somebody_quarantined_is_not_judged(mined: Lake, land: Land, answer_row: AnswerRow) -> None:
    land(mined, "answers", answer_row("a1", example_id="e1"), answer_row("a2", example_id="e2"))
    aside = {"day": DAY, "quarantine_id": "q", "table_name": "answers", "refused_id": "a1", "reason": "poisoned"}
    land(mined, "quarantine", aside)
    assert accept_answers(mined, DAY, POLICY) == {"accepted": 1}
    assert rows(mined, "select correction_id from corrections") == [("a2",)]


def test_a_model_earns_its_trust_from_people(memory: Lake, land: Land, answer_row: AnswerRow) -> None:
    model = {"corrector": "bot", "author_kind": "ai", "generation_depth": 1, "confidence": 0.9}
    for number in range(21):
        said = json.dumps([{"role": "user", "content": f"q{number}"}])
        land(memory, "traces", {"day": DAY, "trace_id": f"t{number}", "input": said, "output": "wrong"})
        hard = {"day": DAY, "example_id": f"e{number}", "trace_id": f"t{number}", "purpose": "hard"}
        land(memory, "hard_examples", hard)
        land(memory, "answers", answer_row(f"b{number}", example_id=f"e{number}", **model))
    for number in range(20):
        day = DAY if number < 5 else DAY + timedelta(days=1)
        land(memory, "answers", answer_row(f"a{number}", example_id=f"e{number}", day=day))
    first = accept_answers(memory, DAY, POLICY)
    assert first == {"a_person_answered": 5, "accepted": 5, "corrector_not_trusted": 16}
    assert accept_answers(memory, DAY + timedelta(days=1), POLICY) == {"a_person_answered": 15, "accepted": 16}
    assert rows(memory, "select correction_id, agreement, depth from corrections where author_kind = 'ai'") == [
        ("b20", 1.0, 1)
    ]


def test_lines_that_were_no_answers_are_kept_once(memory: Lake) -> None:
    refused = [RefusedOffer(3, "invalid_json", "{" * 20_000), RefusedOffer(4, "missing_author", "{}")]
    assert [quarantine_offers(memory, "file.jsonl", refused, NOW) for _ in range(2)] == [2, 0]
    query = (
        "select table_name, reason, source_file, source_line, length(raw), refused_id from quarantine order by all"
    )
    assert rows(memory, query) == [
        ("answers", "invalid_json", "file.jsonl", 3, 10_000, None),
        ("answers", "missing_author", "file.jsonl", 4, 2, None),
    ]
