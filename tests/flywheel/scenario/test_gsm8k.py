"""Published solutions: our parsing agrees with the published verdicts, and the log does not tell them."""

import json
from datetime import date
from decimal import Decimal

import pytest

from flywheel.scenario.datasets import load_gsm8k_solutions
from flywheel.scenario.gsm8k import MODELS, final_number, is_right, solutions_as_traffic

DAY = date(2026, 3, 1)
ROW = {
    "question": "2 + 3?",
    "ground_truth": "2 + 3 = <<2+3=5>>5\nA: 5",
    **{model: {"is_correct": True, "solution": "It is 5\nA: 5"} for model in MODELS[:3]},
    "175b_verification": {"is_correct": False, "solution": "It is 6\nA: 6"},
}


@pytest.mark.parametrize(
    ("solution", "number"),
    [
        ("so 2\nA: 18", Decimal(18)),
        ("A: 1,200", Decimal(1200)),
        ("A: $3.50", Decimal("3.50")),
        ("A: 3.0", Decimal(3)),
        ("A: 1\nA: -2", Decimal(-2)),
        ("the answer is 5", None),
        ("A: many", None),
    ],
)
def test_final_number(solution, number):
    assert final_number(solution) == number


def test_numbers_are_compared_as_numbers():
    assert is_right("A: 3.0", "A: 3")
    assert not is_right("no answer", "no answer")


def test_each_model_answers_each_question_in_a_conversation_of_its_own():
    traffic = solutions_as_traffic([ROW, ROW], DAY, 1)
    assert [record["request"]["model"] for record in traffic.records] == [*MODELS, *MODELS]
    assert len({record["conversation_id"] for record in traffic.records}) == 8
    assert [truth.is_failure for truth in traffic.truth] == [False, False, False, True] * 2
    assert len({truth.response_id for truth in traffic.truth}) == 8


def test_the_log_says_what_is_invented_and_nothing_of_the_truth():
    line = json.dumps(solutions_as_traffic([ROW], DAY, 1).records)
    assert "timestamps" in line
    assert "is_correct" not in line
    assert "<<2+3=5>>" not in line


def test_the_same_seed_invents_the_same_times():
    assert solutions_as_traffic([ROW], DAY, 1) == solutions_as_traffic([ROW], DAY, 1)
    assert solutions_as_traffic([ROW], DAY, 1) != solutions_as_traffic([ROW], DAY, 2)


def test_parsing_reproduces_the_published_verdicts(folder_of):
    rows = list(load_gsm8k_solutions(folder_of("gsm8k")))
    traffic = solutions_as_traffic(rows, DAY, 1)
    published = [row[model]["is_correct"] for row in rows for model in MODELS]
    agreed = sum(said != truth.is_failure for said, truth in zip(published, traffic.truth, strict=True))
    assert (agreed, len(published)) == (5276, 5276)
    assert {record["timestamp"][:10] for record in traffic.records} == {"2026-03-01"}
