"""Correct log-odds by a few labels: Platt's two numbers, shrunk towards changing nothing.

Platt (1999) fits log-odds = intercept + slope * given. With the thirty labels of one day maximum likelihood would
follow noise, so both have normal priors, around 0 and 1: no labels change nothing, hundreds decide alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from flywheel.stats.intervals import Numbers


@dataclass(frozen=True, slots=True)
class CalibrationPrior:
    """How far the two numbers may stray before data say so, as standard deviations."""

    # Odds wrong by a factor of e are common, by e squared they are not.
    intercept: float = 1.0
    # Signals taken as independent are too sure, by a half or so; upside down is next to impossible.
    slope: float = 0.5


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns given log-odds into calibrated ones."""

    slope: float = 1.0
    intercept: float = 0.0

    def log_odds(self, given: npt.ArrayLike) -> Numbers:
        """Return calibrated log-odds."""
        corrected: Numbers = self.intercept + self.slope * np.asarray(given, np.float64)
        return corrected


DEFAULT_PRIOR = CalibrationPrior()


def fit_calibration(
    given: npt.ArrayLike, failed: npt.ArrayLike, fine: npt.ArrayLike, prior: CalibrationPrior = DEFAULT_PRIOR
) -> Calibration:
    """Fit to how many items at each of the given log-odds were found to have failed, and how many not.

    Newton's method on the penalised likelihood, which is concave: one maximum. The slope is kept above 0.
    """
    odds, bad, good = (np.asarray(values, np.float64) for values in (given, failed, fine))
    checked = bad + good
    if checked.sum() == 0:
        return Calibration()
    design = np.column_stack([np.ones_like(odds), odds])
    precision = np.diag([prior.intercept**-2, prior.slope**-2])
    middle = np.array([0.0, 1.0])
    at = middle.copy()
    for _ in range(50):
        p = expit(design @ at)
        gradient = design.T @ (bad - checked * p) - precision @ (at - middle)
        curvature = (design * (checked * p * (1 - p))[:, None]).T @ design + precision
        step = np.linalg.solve(curvature, gradient)
        at += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    return Calibration(float(max(at[1], 0.0)), float(at[0]))
