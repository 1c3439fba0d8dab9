import numpy as np
import pytest
from scipy.special import expit

from flywheel.stats.calibration import Calibration, fit_calibration


def test_without_labels_nothing_changes():
    nothing = np.zeros(3, int)
    assert fit_calibration([-1.0, 0.0, 2.0], nothing, nothing) == Calibration(1.0, 0.0)


def test_many_labels_bring_planted_numbers_back():
    odds = np.linspace(-6, 6, 25)
    checked = np.full(25, 10_000)
    failed = np.random.default_rng(1).binomial(checked, expit(-1 + 0.4 * odds))
    found = fit_calibration(odds, failed, checked - failed)
    assert (found.slope, found.intercept) == (pytest.approx(0.4, abs=0.02), pytest.approx(-1, abs=0.05))
    assert found.log_odds([0.0, 10.0]) == pytest.approx([-1, 3], abs=0.2)


def test_a_few_labels_move_a_little():
    one_surprise = fit_calibration([3.0, -3.0], [0, 0], [1, 1])
    assert 0.5 < one_surprise.slope < 1
    assert -1 < one_surprise.intercept < 0


def test_labels_that_say_the_opposite_make_it_useless_not_upside_down():
    found = fit_calibration([-4.0, 4.0], [500, 0], [0, 500])
    assert found.slope == 0
