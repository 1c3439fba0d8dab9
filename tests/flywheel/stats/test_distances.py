import numpy as np
import pytest

from flywheel.core.errors import UsageError
from flywheel.stats.distances import (
    chi_square_test,
    js_distance,
    kolmogorov_smirnov,
    psi,
    psi_critical_value,
    psi_of_counts,
    psi_p_value,
)


def driftless_psi(n, rounds=1500):
    rng = np.random.default_rng(n)
    return np.array([psi(rng.normal(size=n), rng.normal(size=n)) for _ in range(rounds)])


def test_psi_by_hand():
    # (.5 - .4) ln(.5 / .4) + (.5 - .6) ln(.5 / .6)
    assert psi_of_counts(np.array([50, 50]), np.array([40, 60])) == pytest.approx(0.0405465)


@pytest.mark.parametrize(("n", "chi_square"), [(500, 0.0677), (1000, 0.0338), (5000, 0.0068)])
def test_critical_value_of_ten_deciles(n, chi_square):
    assert psi_critical_value(np.full(10, n // 10), n) == pytest.approx(chi_square, abs=5e-5)


@pytest.mark.parametrize(("n", "chi_square", "simulated"), [(100, 0.338, 0.373), (50, 0.677, 1.16)])
def test_small_samples_get_a_simulated_critical_value(n, chi_square, simulated):
    bound = psi_critical_value(np.full(10, n // 10), n)
    assert bound == pytest.approx(simulated, rel=0.05)
    assert bound > 1.05 * chi_square


@pytest.mark.parametrize("n", [200, 500, 1000])
def test_critical_value_lets_one_driftless_comparison_in_twenty_through(n):
    alarms = (driftless_psi(n) > psi_critical_value(np.full(10, n // 10), n)).mean()
    assert alarms == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize(("n", "alarms"), [(100, 0.84), (200, 0.36), (1000, 0.0)])
def test_the_folklore_bound_depends_on_the_sample_size(n, alarms):
    assert (driftless_psi(n) > 0.1).mean() == pytest.approx(alarms, abs=0.05)


@pytest.mark.parametrize("n", [200, 1000])
def test_p_value_at_the_critical_value_is_the_level(n):
    reference = np.full(10, n // 10)
    assert psi_p_value(psi_critical_value(reference, n), reference, n) == pytest.approx(0.05, abs=0.002)


def test_empty_reference_has_no_quantiles():
    with pytest.raises(UsageError, match="empty"):
        psi([], [1.0])


def test_js_distance_runs_from_0_to_1():
    assert js_distance(np.array([3, 1]), np.array([6, 2])) == pytest.approx(0.0)
    assert js_distance(np.array([1, 0]), np.array([0, 1])) == pytest.approx(1.0)


def test_chi_square_of_a_known_table():
    # N (ad - bc)^2 / product of margins = 200 * (60 * 60 - 40 * 40)^2 / 100^4
    tested = chi_square_test(np.array([60, 40]), np.array([40, 60]))
    assert tested.statistic == pytest.approx(8.0)
    assert tested.p_value == pytest.approx(0.004678, abs=1e-6)
    assert tested.cramers_v == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("reference", "current", "categories", "pooled"),
    [
        ([500, 480, 4, 3, 3, 3], [510, 470, 3, 4, 4, 3], 3, 4),
        ([500, 498, 1, 1], [500, 500, 0, 0], 2, 2),
        ([500, 500, 0], [450, 450, 100], 3, 0),
        ([1, 1, 1], [1, 1, 1], 1, 3),
        ([5, 0], [7, 0], 1, 0),
    ],
)
def test_rare_categories_are_pooled_and_new_frequent_ones_are_not(reference, current, categories, pooled):
    tested = chi_square_test(np.array(reference), np.array(current))
    assert (tested.categories, tested.pooled) == (categories, pooled)


def test_pooling_loses_no_row():
    # The only difference sits in the pooled categories.
    tested = chi_square_test(np.array([900] + [4] * 25), np.array([1000] + [0] * 25))
    assert tested.p_value < 1e-6


def test_w1_is_the_shift_in_reference_standard_deviations():
    reference = np.random.default_rng(1).normal(10, 2, 20_000)
    assert kolmogorov_smirnov(reference, reference + 0.6).w1_over_sd == pytest.approx(0.3, abs=0.005)
    assert kolmogorov_smirnov([5.0, 5.0], [5.0, 6.0]).w1_over_sd == float("inf")
    assert kolmogorov_smirnov([5.0, 5.0], [5.0, 5.0]).w1_over_sd == 0.0
