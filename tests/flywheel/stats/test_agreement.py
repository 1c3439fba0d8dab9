import numpy as np
import pytest

from flywheel.core.errors import UsageError
from flywheel.stats.agreement import Weights, agreement, cohen_kappa, krippendorff_alpha


def test_a_judge_that_passes_everything_agrees_90_percent_with_kappa_0():
    people = np.repeat([1, 0], [90, 10])
    judged = agreement(people, np.ones(100, int))
    assert judged.percent.estimate == 0.9
    assert judged.kappa.estimate == pytest.approx(0.0)


def test_kappa_of_a_known_table():
    # Cohen's textbook table: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no.
    first, second = np.repeat([1, 1, 0, 0], [20, 5, 10, 15]), np.repeat([1, 0, 1, 0], [20, 5, 10, 15])
    kappa = cohen_kappa(first, second)
    assert kappa.estimate == pytest.approx(0.4)
    assert (kappa.low, kappa.high) == pytest.approx((0.1511, 0.6489), abs=2e-3)


def test_asymptotic_interval_is_the_bootstrap_interval():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 5, 300)
    second = np.clip(first + rng.integers(-1, 2, 300), 0, 4)
    kappa = cohen_kappa(first, second, Weights.QUADRATIC)
    again = [
        cohen_kappa(first[rows], second[rows], Weights.QUADRATIC).estimate
        for rows in rng.integers(0, 300, (400, 300))
    ]
    assert (kappa.low, kappa.high) == pytest.approx(np.quantile(again, [0.025, 0.975]), abs=0.01)


def test_kappa_is_nan_where_chance_explains_everything():
    assert np.isnan(cohen_kappa([1, 1, 1], [1, 1, 1]).estimate)
    assert np.isnan(cohen_kappa([], []).estimate)


def test_kappa_refuses_unpaired_labels():
    with pytest.raises(UsageError, match="2 labels of one judge and 3"):
        cohen_kappa([1, 0], [1, 0, 1])


def test_alpha_of_krippendorffs_example_with_missing_data():
    # Krippendorff 2011, section C: 4 observers, 12 units, nominal alpha 0.743.
    missing = -1
    observers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, missing, missing, missing],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, missing, 3],
        [missing, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, missing],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, missing],
    ]
    assert krippendorff_alpha(np.array(observers).T) == pytest.approx(0.743, abs=5e-4)


@pytest.mark.parametrize("ratings", [[[1, -1], [-1, 0]], [[1, 1], [1, 1]]])
def test_alpha_is_nan_when_nothing_can_be_compared(ratings):
    assert np.isnan(krippendorff_alpha(np.array(ratings)))
