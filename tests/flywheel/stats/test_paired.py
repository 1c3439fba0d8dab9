import numpy as np
import pytest
from scipy.stats import binomtest

from flywheel.core.errors import UsageError
from flywheel.stats.paired import (
    NonInferiority,
    compare_paired,
    mcnemar_exact,
    non_inferiority,
    paired_bootstrap,
    prompts_needed,
)


@pytest.mark.parametrize(("b", "c"), [(1, 0), (6, 3), (6, 6), (0, 8), (15, 40), (300, 250)])
def test_mcnemar_is_the_exact_binomial_test(b, c):
    assert mcnemar_exact(b, c) == pytest.approx(binomtest(b, b + c, 0.5).pvalue)


@pytest.mark.parametrize(("b", "c", "p_value"), [(6, 3, 0.34375), (6, 6, 0.887207), (0, 8, 0.00390625), (0, 0, 1.0)])
def test_mid_p_halves_the_observed_table(b, c, p_value):
    assert mcnemar_exact(b, c, mid_p=True) == pytest.approx(p_value, abs=1e-6)


def test_fixes_and_breaks_that_cancel_are_both_reported():
    # 40 retail tasks, 34 solved before and after: 6 fixed, 6 broken.
    production = [1] * 34 + [0] * 6
    candidate = [1] * 28 + [0] * 6 + [1] * 6
    result = compare_paired(production, candidate, seed=1)
    assert (result.n, result.fixed, result.broken) == (40, 6, 6)
    assert (result.production_mean, result.candidate_mean) == (0.85, 0.85)
    assert result.difference.low < -0.1
    assert result.difference.high > 0.1


def test_bootstrap_of_a_clear_gain_excludes_zero():
    interval = paired_bootstrap([1] * 500 + [0] * 500, [1] * 470 + [0] * 30 + [1] * 60 + [0] * 440, seed=7)
    error = 1.96 * np.sqrt(0.09 - 0.03**2) / np.sqrt(1000)
    assert interval.estimate == pytest.approx(0.03)
    assert (interval.low, interval.high) == pytest.approx((0.03 - error, 0.03 + error), abs=0.001)


def test_clusters_widen_the_interval_of_dependent_prompts():
    rng = np.random.default_rng(2)
    gain = np.repeat(rng.integers(-1, 2, 50), 20)
    conversation = np.repeat(np.arange(50), 20)
    production = np.where(gain < 0, 1, 0)
    naive = paired_bootstrap(production, production + gain, seed=1)
    clustered = paired_bootstrap(production, production + gain, seed=1, clusters=conversation)
    # Design effect 1 + (20 - 1) * 1 = 20.
    assert clustered.width / naive.width == pytest.approx(np.sqrt(20), rel=0.1)


def test_one_lucky_conversation_is_no_evidence():
    production, candidate = np.zeros(40), np.repeat([1.0, 0.0], [20, 20])
    conversation = np.repeat([0, 1], 20)
    assert compare_paired(production, candidate, seed=1).p_value < 0.001
    assert compare_paired(production, candidate, seed=1, clusters=conversation).p_value == 1.0


@pytest.mark.parametrize(
    ("b", "c", "n", "verdict"),
    [
        (50, 50, 2000, NonInferiority.SHOWN),
        (20, 20, 2000, NonInferiority.SHOWN),
        (40, 60, 1000, NonInferiority.NOT_SHOWN),
        (10, 90, 1000, NonInferiority.INFERIOR),
        (0, 0, 299, NonInferiority.UNDERPOWERED),
        (0, 0, 300, NonInferiority.SHOWN),
        (30, 0, 100, NonInferiority.UNDERPOWERED),
        (0, 0, 0, NonInferiority.UNDERPOWERED),
    ],
)
def test_non_inferiority_at_two_points(b, c, n, verdict):
    assert non_inferiority(b, c, n, margin=0.02).verdict is verdict


def test_non_inferiority_z_by_hand():
    assert non_inferiority(45, 55, 1000, margin=0.02).z == pytest.approx(0.01 / (np.sqrt(0.0999) / np.sqrt(1000)))


@pytest.mark.parametrize(
    ("discordance", "for_margin", "for_effect"), [(0.05, 773, 429), (0.10, 1546, 865), (0.20, 3092, 1737)]
)
def test_prompts_needed_for_two_points_margin_and_three_points_gain(discordance, for_margin, for_effect):
    assert prompts_needed(discordance, effect=0.0, margin=0.02) == for_margin
    assert prompts_needed(discordance, effect=0.03) == for_effect


def test_a_better_candidate_needs_fewer_prompts_to_be_shown_not_worse():
    # (1.6449 + 0.8416)^2 * (0.1 - 0.01^2) / (0.01 + 0.02)^2 = 686.3
    assert prompts_needed(0.10, effect=0.01, margin=0.02) == 687


@pytest.mark.parametrize(
    ("candidate", "message"), [([1, 0], "3 outcomes of production and 2"), ([1, 0, float("nan")], "unscored")]
)
def test_unpaired_or_unscored_outcomes_are_refused(candidate, message):
    with pytest.raises(UsageError, match=message):
        compare_paired([1, 0, 1], candidate, seed=1)
