import numpy as np
import pytest

from flywheel.stats.diversity import compression_ratio, distinct_n, entropy, normalised_entropy, vendi_score


@pytest.mark.parametrize(
    ("texts", "n", "expected"),
    [(["a b c", "a b d"], 1, 4 / 6), (["a b c", "a b d"], 2, 3 / 4), (["a a a a"], 1, 1 / 4)],
)
def test_distinct_n(texts, n, expected):
    assert distinct_n(texts, n) == pytest.approx(expected)


def test_a_token_budget_compares_sets_of_different_length():
    assert distinct_n(["a b", "c d", "a b", "c d"], 1, token_budget=4) == 1.0


def test_no_n_grams_is_nan():
    assert np.isnan(distinct_n(["a", "b"], 2))


def test_repetition_compresses():
    varied = [f"{i * 7919 % 1009} {i * 104729 % 997}" for i in range(300)]
    assert compression_ratio(["the same answer"] * 300) > 5 * compression_ratio(varied)


@pytest.mark.parametrize(
    ("counts", "expected"), [([1, 1, 1, 1], np.log(4)), ([5, 0, 0], 0.0), ([], 0.0), ([3, 1], 0.5623)]
)
def test_entropy(counts, expected):
    assert entropy(counts) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("counts", "expected"), [([2, 2, 2], 1.0), ([6, 0, 0], 0.0), ([6], 0.0)])
def test_normalised_entropy(counts, expected):
    assert normalised_entropy(counts) == pytest.approx(expected)


def test_vendi_counts_what_is_different():
    assert vendi_score(np.eye(5)) == pytest.approx(5.0)
    assert vendi_score(np.repeat(np.eye(3), 10, axis=0)) == pytest.approx(3.0)
    assert vendi_score(np.ones((7, 2))) == pytest.approx(1.0)
