"""Both models get the same questions and are graded by the same rule."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl
import pytest

from flywheel.core.errors import UsageError
from flywheel.improve.evaluate import Pairing, compare, is_right

if TYPE_CHECKING:
    from tests.flywheel.improve.conftest import Product

pytestmark = pytest.mark.xdist_group("improve")

QUESTIONS = {
    "set_name": pl.String,
    "example_id": pl.String,
    "mode_id": pl.String,
    "input": pl.String,
    "expected": pl.String,
}


@pytest.mark.parametrize(
    ("said", "truth", "right"),
    [
        ("refund", "refund", True),
        (" Refund\n", "refund", True),
        ("card  lost", "card lost", True),
        ("refund!", "refund", False),
        ("refunds", "refund", False),
        ("", "refund", False),
        (None, "refund", False),
    ],
)
def test_an_answer_is_right_up_to_case_and_spacing(said: str | None, truth: str, right: bool) -> None:
    assert is_right(said, truth) is right


def questions(*asked: tuple[str, str, str]) -> pl.DataFrame:
    """Return questions of (id, what the model may choose from and is asked, what is right)."""
    rows = [
        {"set_name": "heldout", "example_id": key, "mode_id": None, "input": text, "expected": truth}
        for key, text, truth in asked
    ]
    return pl.DataFrame(rows, schema=QUESTIONS)


def asking(options: str, question: str) -> str:
    return json.dumps(
        [{"role": "system", "content": f"Say one of: {options}."}, {"role": "user", "content": question}]
    )


def test_two_models_are_graded_on_the_same_questions(new_product: "Callable[[], Product]") -> None:
    asked = questions(
        ("both", asking("refund, card", "the refund"), "REFUND"),
        ("neither", asking("refund, card", "the refund"), "card"),
        ("by_a_part_of_a_word", asking("aaaa, bankcard", "card"), "bankcard"),
    )
    graded = compare(new_product().provider, Pairing("wheel-large", "wheel-small"), asked)
    assert graded.drop("set_name", "mode_id").rows(named=True) == [
        {
            "example_id": key,
            "expected": truth,
            "candidate_model": "wheel-large",
            "production_model": "wheel-small",
            "production_output": before,
            "candidate_output": after,
            "production_right": was_right,
            "candidate_right": now_right,
        }
        for key, truth, before, after, was_right, now_right in [
            ("both", "REFUND", "refund", "refund", True, True),
            ("neither", "card", "refund", "refund", False, False),
            ("by_a_part_of_a_word", "bankcard", "aaaa", "bankcard", False, True),
        ]
    ]


def test_no_questions_have_no_answers_but_all_columns(new_product: "Callable[[], Product]") -> None:
    product = new_product()
    graded = compare(product.provider, Pairing("wheel-large", "wheel-small"), questions())
    assert graded.schema["candidate_right"] == pl.Boolean
    assert (graded.height, product.lake.land("evaluations", graded.with_columns(day=pl.lit(None, pl.Date)))) == (0, 0)


def test_a_model_nobody_knows_is_a_wrong_call(new_product: "Callable[[], Product]") -> None:
    asked = questions(("a", asking("refund, card", "the refund"), "refund"))
    with pytest.raises(UsageError, match="nobody"):
        compare(new_product().provider, Pairing("nobody", "wheel-small"), asked)
