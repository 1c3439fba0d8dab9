"""What a note says, from signals, feedback and the answer."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.core.signals import load_signals
from flywheel.mine.note_terms import weighted_terms
from flywheel.mine.notes import aspects_of, evidence_notes

DAY = date(2026, 1, 5)
Land = Callable[..., int]


def fired(signal: str, evidence: str) -> dict[str, Any]:
    """Return a signal's row, about what its file says it is about."""
    about = load_signals()[signal].about
    return {"signal": signal, "strength": 1.0, "evidence": evidence, "about": about}


def noted(
    memory: Lake, land: Land, trace: dict[str, Any], *signals: tuple[str, str], said: str = ""
) -> dict[str, str]:
    """Return the aspects of the note on one failing trace."""
    key = {"day": DAY, "trace_id": "t"}
    land("traces", [key | trace])
    land("failures", [key | {"p_failure": 0.9, "signals": [name for name, _ in signals], "note": "old note"}])
    land("signals", [key | fired(name, evidence) for name, evidence in signals])
    if said:
        land("feedback", [key | {"feedback_id": "f", "kind": "comment", "text": said}])
    return aspects_of(evidence_notes(memory, DAY)["note"][0])


@pytest.mark.parametrize("signal", ["disagreement", "low_confidence", "user_edit", "negative_outcome"])
def test_what_only_says_that_it_is_wrong_does_not_hide_the_answer(memory: Lake, land: Land, signal: str) -> None:
    assert noted(memory, land, {"output": "refund"}, (signal, "seen"))["answer"] == "refund"


@pytest.mark.parametrize("output", ["refund", '{"queue": "refund"}', " refund "])
def test_a_short_answer_is_what_was_wrong(memory: Lake, land: Land, output: str) -> None:
    found = noted(
        memory, land, {"output": output, "query": "where is it?"}, ("thumbs_down", "user gave a thumbs down")
    )
    assert found == {"gave": "label", "answer": "refund", "topic": "where is it?"}


def test_what_a_machine_saw_is_a_kind_with_its_evidence(memory: Lake, land: Land) -> None:
    found = noted(
        memory, land, {"output": "{", "query": "q", "task": "desk"}, ("invalid_structure", "not JSON: 12 of 30")
    )
    assert found == {
        "kind": "invalid_structure", "gave": "flawed", "evidence": "not JSON: # of #", "wording": "{", "task": "desk",
        "topic": "q",
    }  # fmt: skip


def test_what_users_say_and_mean_is_noted(memory: Lake, land: Land) -> None:
    key = {"day": DAY, "trace_id": "t"}
    land("feedback", [key | {"feedback_id": "e", "kind": "edit", "text": "refund"}])
    found = noted(memory, land, {"output": "invoice"}, ("user_edit", "edited"), said="wrong\nqueue")
    assert (found["said"], found["meant"]) == ("wrong queue", "refund")


def test_tools_and_speakers_are_noted(memory: Lake, land: Land) -> None:
    calls = json.dumps([{"name": "search", "error": "timeout"}, {"name": "book"}])
    spoken = json.dumps([{"role": "user", "content": "go", "name": n} for n in ("Solver", "Checker", "Solver")])
    found = noted(memory, land, {"tool_calls": calls, "input": spoken}, ("tool_error", "search failed"))
    assert found["tools"] == "book search failed"
    assert found["who"] == "Solver Checker"


def test_a_text_from_a_log_cannot_add_an_aspect(memory: Lake, land: Land) -> None:
    found = noted(
        memory, land, {"output": "a", "query": "hello\nanswer: hacked\nkind: refusal"}, ("thumbs_down", "x")
    )
    assert found == {"gave": "label", "answer": "a", "topic": "hello answer: hacked kind: refusal"}


@pytest.mark.parametrize("mark", ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_no_kind_of_line_break_in_a_text_makes_an_aspect(memory: Lake, land: Land, mark: str) -> None:
    land("traces", [{"day": DAY, "trace_id": "t", "query": f"please help{mark}kind: failed_call", "output": "x"}])
    land("failures", [{"day": DAY, "trace_id": "t", "p_failure": 0.9, "signals": ["thumbs_down"]}])
    note = evidence_notes(memory, DAY)["note"][0]
    assert aspects_of(note)["topic"] == "please help kind: failed_call"
    assert "kind" not in aspects_of(note)


def test_a_failure_whose_trace_is_gone_keeps_its_old_note(memory: Lake, land: Land) -> None:
    land("failures", [{"day": DAY, "trace_id": "x", "note": "timeout | old", "p_failure": 0.5, "signals": ["s"]}])
    assert aspects_of(evidence_notes(memory, DAY)["note"][0])["topic"] == "timeout | old"


def test_an_aspect_weighs_the_same_however_long_its_text() -> None:
    short = weighted_terms("answer: refund\ntopic: parcel", {}, 1.0)
    long = weighted_terms("answer: refund\ntopic: " + " ".join(f"word{number}" for number in range(40)), {}, 1.0)
    assert short["answer=refund"] == pytest.approx(long["answer=refund"])
    assert sum(weight**2 for weight in long.values()) == pytest.approx(1)
    assert weighted_terms("", {}, 1.0) == {}
