"""Find the modes of yesterday in the groups of today: by centroids and by members, one to one."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from flywheel.mine.embed import Vectors

Scores = NDArray[np.float64]
Places = NDArray[np.int64]


def matched(scores: Scores, threshold: float) -> Places:
    """Return the column of each row in the assignment with the highest sum (Kuhn 1955), -1 below the threshold."""
    found = np.full(scores.shape[0], -1, dtype=np.int64)
    if scores.size:
        rows, columns = linear_sum_assignment(np.where(scores >= threshold, scores, 0), maximize=True)
        good = scores[rows, columns] >= threshold
        found[rows[good]] = columns[good]
    return found


def overlap(first: Places, first_count: int, second: Places, second_count: int) -> Scores:
    """Return the Jaccard similarity of every group of the first labelling with every one of the second."""
    both = np.zeros((first_count, second_count))
    held = (first >= 0) & (second >= 0)
    np.add.at(both, (first[held], second[held]), 1)
    sizes = [
        np.bincount(labels[labels >= 0], minlength=count)
        for labels, count in ((first, first_count), (second, second_count))
    ]
    union = sizes[0][:, None] + sizes[1][None, :] - both
    return np.divide(both, union, out=np.zeros_like(both), where=union > 0)


def twins(centroids: Vectors, same_centroid: float) -> dict[int, int]:
    """Return which mode is one with which earlier one: centroids, oldest first, nearer than the bound."""
    merged: dict[int, int] = {}
    if len(centroids) < 2:
        return merged
    cosines = centroids @ centroids.T
    for younger in range(1, len(centroids)):
        elders = [elder for elder in range(younger) if elder not in merged]
        best = max(elders, key=lambda elder: cosines[younger, elder], default=None)
        if best is not None and cosines[younger, best] >= same_centroid:
            merged[younger] = best
    return merged
