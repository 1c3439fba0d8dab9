import numpy as np
import pytest

from flywheel.core.errors import UsageError
from flywheel.stats.c2st import classifier_two_sample_test

WORDS = ["please", "order", "refund", "card", "payment", "account", "delivery", "invoice", "login", "email"]


def queries(n, seed):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 8)) + f" {rng.integers(1000, 9999)}" for _ in range(n)]


def test_a_new_topic_is_found_named_and_pointed_at():
    current = queries(360, 2) + [text + " by crypto wallet" for text in queries(240, 3)]
    found = classifier_two_sample_test(queries(600, 1), current, seed=1)
    assert found.told_apart
    assert found.auc > 0.65
    assert "crypto" in " ".join(term for term, weight in found.terms[:4] if weight > 0)
    assert min(found.drifted) >= 360


def test_two_halves_of_the_same_traffic_are_not_told_apart():
    found = classifier_two_sample_test(queries(600, 1), queries(600, 2), seed=1)
    assert not found.told_apart
    assert found.auc == pytest.approx(0.5, abs=0.05)


def test_digits_are_masked():
    march = [f"invoice of 2026-03-{1 + i % 28:02d} number {i}" for i in range(500)]
    april = [f"invoice of 2026-04-{1 + i % 28:02d} number {i + 500}" for i in range(500)]
    assert not classifier_two_sample_test(march, april, seed=1).told_apart


def test_same_seed_same_answer():
    reference, current = queries(300, 1), queries(400, 2)
    assert classifier_two_sample_test(reference, current, seed=5) == classifier_two_sample_test(
        reference, current, seed=5
    )


def test_texts_without_words_are_no_drift():
    assert not classifier_two_sample_test([""] * 50, ["?"] * 50, seed=1).told_apart


def test_too_few_texts_are_refused():
    with pytest.raises(UsageError, match="4 and 100 texts"):
        classifier_two_sample_test(queries(4, 1), queries(100, 2), seed=1)
