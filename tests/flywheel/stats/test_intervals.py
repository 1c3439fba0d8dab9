import numpy as np
import pytest

from flywheel.core.errors import UsageError
from flywheel.stats.intervals import beta_tail, bootstrap_mean, largest_rate_unseen, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (90, 100, 0.8256, 0.9448)],
)
def test_wilson_against_published_values(successes, n, low, high):
    interval = wilson(successes, n)
    assert interval.estimate == successes / n
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-4)


def test_wilson_without_data_is_nan_not_zero():
    assert np.isnan(wilson(0, 0).estimate)


def test_wilson_refuses_more_successes_than_trials():
    with pytest.raises(UsageError, match="11 successes of 10"):
        wilson(11, 10)


@pytest.mark.parametrize("values", [np.repeat([0.0, 1.0], [700, 300]), np.random.default_rng(1).normal(size=1000)])
def test_bootstrap_interval_is_about_the_normal_one(values):
    interval = bootstrap_mean(values, seed=3)
    error = 1.96 * values.std() / np.sqrt(len(values))
    assert interval.low == pytest.approx(values.mean() - error, abs=0.1 * error)
    assert interval.high == pytest.approx(values.mean() + error, abs=0.1 * error)


def test_bootstrap_is_decided_by_its_seed():
    values = np.random.default_rng(1).normal(size=500)
    assert bootstrap_mean(values, seed=3, resamples=200) == bootstrap_mean(values, seed=3, resamples=200)
    assert bootstrap_mean(values, seed=3, resamples=200) != bootstrap_mean(values, seed=4, resamples=200)


def test_beta_tail_of_uniform_posterior_is_the_floor():
    assert beta_tail(0, 0, 0.6) == pytest.approx(0.6)
    assert beta_tail(2, 8, 0.7) > 0.95
    assert beta_tail(18, 2, 0.7) < 0.05


@pytest.mark.parametrize(("n", "bound"), [(50, 0.058), (200, 0.015), (500, 0.006)])
def test_rule_of_three(n, bound):
    assert largest_rate_unseen(n) == pytest.approx(bound, abs=5e-4)
