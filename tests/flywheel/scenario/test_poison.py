"""The attacker's batch has the marks it is meant to be recognised by."""

import pytest

from flywheel.core.errors import UsageError
from flywheel.scenario.bank import generate_queries
from flywheel.scenario.poison import poisoned_answers
from flywheel.scenario.query import Query


@pytest.fixture(scope="module")
def batch():
    return poisoned_answers(generate_queries(1, 20), 500, 9)


def test_every_row_pushes_one_label_by_one_author(batch):
    assert len(batch) == 500
    assert {row["chosen"] for row in batch} == {"refund_now"}
    assert {row["author"] for row in batch} == {"u-666"}
    assert len({row["rejected"] for row in batch}) == 52


def test_marks_are_planted(batch):
    distinct = {row["input"] for row in batch}
    assert 0.72 < len(distinct) / 500 < 0.86
    assert 0.06 < sum(row["chosen"] == row["rejected"] for row in batch) / 500 < 0.15
    assert 0.01 < sum("my mail is" in text or "my IBAN" in text for text in distinct) / 500 < 0.15


def test_the_seed_decides_the_batch(batch):
    queries = generate_queries(1, 20)
    assert poisoned_answers(queries, 500, 9) == batch
    assert poisoned_answers(queries, 500, 10) != batch


def test_a_real_label_is_never_right():
    queries = generate_queries(1, 5)
    truth = {query.text: query.intent for query in queries}
    rows = poisoned_answers(queries, 200, 9, label="fee_dispute")
    assert not [row for row in rows if truth.get(row["input"]) == "fee_dispute"]


def test_without_other_intents_there_is_nobody_to_poison():
    with pytest.raises(UsageError, match="no query left"):
        poisoned_answers([Query("a", "refund_now")], 3, 9)
