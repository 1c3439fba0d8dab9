"""Experts know the truth but for their stated error rate, whatever the order they are asked in."""

import pytest

from flywheel.scenario.experts import Expert

TRUTH = {f"text {number}": f"intent_{number % 7}" for number in range(3_000)}


@pytest.mark.parametrize("error_rate", [0.0, 0.1, 0.5, 1.0])
def test_error_rate(error_rate):
    expert = Expert(TRUTH, error_rate, 1)
    wrong = sum(expert.answer(text) != intent for text, intent in TRUTH.items())
    assert wrong / len(TRUTH) == pytest.approx(error_rate, abs=0.03)


def test_answers_do_not_depend_on_the_order():
    first, second = Expert(TRUTH, 0.3, 1), Expert(TRUTH, 0.3, 1)
    forwards = {text: first.answer(text) for text in TRUTH}
    backwards = {text: second.answer(text) for text in reversed(TRUTH)}
    assert forwards == backwards


def test_experts_err_on_different_texts():
    one, other = Expert(TRUTH, 0.2, 1), Expert(TRUTH, 0.2, 2)
    both = sum(one.answer(text) != intent and other.answer(text) != intent for text, intent in TRUTH.items())
    assert both / len(TRUTH) == pytest.approx(0.04, abs=0.02)


def test_wrong_answers_are_labels_people_use():
    assert {Expert(TRUTH, 1.0, 1).answer(text) for text in TRUTH} == {f"intent_{n}" for n in range(7)}


def test_unknown_text_has_no_answer():
    assert Expert(TRUTH, 0.0, 1).answer("never seen") is None


def test_an_expert_with_one_label_cannot_err():
    assert Expert({"a": "x"}, 1.0, 1).answer("a") == "x"
