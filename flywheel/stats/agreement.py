"""Say how far two or more judges agree beyond chance."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from flywheel.core.errors import UsageError
from flywheel.stats.intervals import NOTHING, Interval, Numbers, wilson


class Weights(StrEnum):
    """How far apart two labels count: any difference alike, or by the squared distance of ordered labels."""

    NOMINAL = "nominal"
    QUADRATIC = "quadratic"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two judges on n items: the share on which they agree, and Cohen's kappa."""

    n: int
    percent: Interval
    kappa: Interval


def agreement(first: npt.ArrayLike, second: npt.ArrayLike) -> Agreement:
    """Return percentage agreement (Wilson interval) and Cohen's kappa of two judges on the same items."""
    left, right = _paired(first, second)
    return Agreement(len(left), wilson(int((left == right).sum()), len(left)), cohen_kappa(left, right))


def cohen_kappa(
    first: npt.ArrayLike, second: npt.ArrayLike, weights: Weights = Weights.NOMINAL, level: float = 0.95
) -> Interval:
    """Return Cohen's kappa with its asymptotic interval (Fleiss, Cohen and Everitt 1969, weighted form).

    0 is what chance gives: a judge that passes everything agrees on 90% of items that are 90% good, with kappa 0.
    nan without items, and when both gave one and the same label throughout: there chance explains everything.
    Raises UsageError on unequal lengths.
    """
    left, right = _paired(first, second)
    labels, codes = np.unique(np.concatenate([left, right]), return_inverse=True)
    if len(labels) < 2:
        return NOTHING
    table = np.zeros((len(labels), len(labels)))
    np.add.at(table, (codes[: len(left)], codes[len(left) :]), 1 / len(left))
    return _kappa(table, _weights(len(labels), weights), len(left), level)


def krippendorff_alpha(ratings: npt.NDArray[np.integer[Any]]) -> float:
    """Return Krippendorff's alpha for nominal labels; ratings is (items, raters) of codes >= 0, -1 for missing.

    alpha = 1 - observed / expected disagreement over the pairable values (Krippendorff 2011). Items with fewer
    than two ratings say nothing and are left out. nan when nothing can be paired or only one label was used.
    """
    counts = np.stack([(ratings == label).sum(axis=1) for label in range(int(ratings.max(initial=0)) + 1)], axis=1)
    counts = counts[counts.sum(axis=1) >= 2].astype(np.float64)
    raters = counts.sum(axis=1)
    totals, n = counts.sum(axis=0), counts.sum()
    expected = n**2 - (totals**2).sum()
    if expected == 0:
        return float("nan")
    observed = ((raters**2 - (counts**2).sum(axis=1)) / (raters - 1)).sum()
    return float(1 - (n - 1) * observed / expected)


def _paired(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    left, right = np.asarray(first), np.asarray(second)
    if left.shape != right.shape:
        raise UsageError(f"Got {left.size} labels of one judge and {right.size} of the other; pair them by item.")
    return left, right


def _weights(size: int, weights: Weights) -> Numbers:
    if weights is Weights.NOMINAL:
        return np.eye(size)
    distance = np.subtract.outer(np.arange(size), np.arange(size)) / (size - 1)
    credit: Numbers = 1 - distance**2
    return credit


def _kappa(table: Numbers, weights: Numbers, n: int, level: float) -> Interval:
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    observed = float((table * weights).sum())
    expected = float((np.outer(rows, columns) * weights).sum())
    kappa = (observed - expected) / (1 - expected)
    mean_weights = np.add.outer(weights @ columns, weights.T @ rows)
    variance = (table * (weights - mean_weights * (1 - kappa)) ** 2).sum() - (kappa - expected * (1 - kappa)) ** 2
    error = float(np.sqrt(max(float(variance), 0.0) / n) / (1 - expected)) * float(norm.ppf((1 + level) / 2))
    return Interval(kappa, max(-1.0, kappa - error), min(1.0, kappa + error))
