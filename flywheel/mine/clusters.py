"""Cluster unit vectors into at most so many groups; how many, the data says."""

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import silhouette_score

from flywheel.mine.embed import Vectors, units

Labels = NDArray[np.int64]

_SAMPLE = 1_500  # a tree needs all distances, 18 MB here; the others join the nearest centroid
_COUNTS = (*range(1, 21), 24, 28, 33, 39, 46, 54, 64, 76)  # of groups that are tried
_ROUNDS = 5  # of moving every vector to its nearest centroid
_ONE_GROUP = 0.3  # distance of centroids below which two groups are one kind of mistake; a judgement
_COHESION = 0.12  # mean cosine of two members below which a group has nothing in common
_SEED = 17


def cluster(vectors: Vectors, most: int, smallest: int) -> tuple[Labels, Vectors]:
    """Return a group per vector, -1 for none, and the groups' centroids, largest group first.

    Ward's tree on a sample is cut into the number of groups, up to `most`, with the best mean silhouette (Rousseeuw
    1987). Groups of fewer than `smallest` or without cohesion are none.
    """
    labels = np.full(len(vectors), -1, dtype=np.int64)
    meant = np.flatnonzero(np.linalg.norm(vectors, axis=1) > 0) if len(vectors) else np.empty(0, np.int64)
    if most < 1 or len(meant) < smallest:
        return labels, np.empty((0, vectors.shape[1]), np.float32)
    found = _groups(vectors[meant], most, smallest)
    kept = [
        members
        for group in range(found.max() + 1)
        if len(members := meant[found == group]) >= smallest and _cohesion(vectors[members]) >= _COHESION
    ]
    kept.sort(key=lambda members: (-len(members), int(members[0])))
    for group, members in enumerate(kept):
        labels[members] = group
    centroids = [vectors[members].mean(axis=0) for members in kept]
    return labels, units(np.array(centroids, np.float32).reshape(len(kept), vectors.shape[1]))


def _groups(vectors: Vectors, most: int, smallest: int) -> Labels:
    sample = vectors
    if len(vectors) > _SAMPLE:
        sample = vectors[np.sort(np.random.default_rng(_SEED).choice(len(vectors), _SAMPLE, replace=False))]
    if len(sample) < 2 * smallest:
        return np.zeros(len(vectors), np.int64)
    tree = linkage(sample.astype(np.float64), method="ward")
    distances = np.clip(1 - sample @ sample.T, 0, None).astype(np.float64)
    np.fill_diagonal(distances, 0)
    cuts = [fcluster(tree, count, "maxclust") - 1 for count in _COUNTS if 2 * count <= len(sample)]
    best = max(cuts, key=lambda labels: round(_silhouette(distances, labels), 3))
    labels: Labels = (vectors @ _centroids(sample, _merged(sample, best, most)).T).argmax(axis=1)
    for _ in range(_ROUNDS):
        labels = (vectors @ _centroids(vectors, labels).T).argmax(axis=1)
    return labels


def _merged(vectors: Vectors, labels: Labels, most: int) -> Labels:
    """Join groups that are one, and then others until there are `most`: small and alike ones first.

    The price of a join is the distance of the centroids times ab / (a + b), as in Ward's tree, but between unit
    vectors: there the mean of many unlike groups lies near the origin and so near everything, and swallows them all.
    """
    labels = np.unique(labels, return_inverse=True)[1]
    while labels.max() > 0:
        centroids, sizes = _centroids(vectors, labels), np.bincount(labels)
        apart = np.asarray(1 - centroids @ centroids.T, np.float64)
        np.fill_diagonal(apart, np.inf)
        if labels.max() < most and apart.min() > _ONE_GROUP:
            break
        price = apart * np.outer(sizes, sizes) / np.add.outer(sizes, sizes)
        if labels.max() < most:
            price = apart
        one, other = np.unravel_index(int(price.argmin()), price.shape)
        labels = np.unique(np.where(labels == other, one, labels), return_inverse=True)[1]
    return np.asarray(labels, dtype=np.int64)


def _silhouette(distances: NDArray[np.float64], labels: Labels) -> float:
    """Return the mean silhouette; one group scores what says: two would be no better than by chance."""
    count = len(np.unique(labels))
    if count < 2 or count >= len(labels):
        return 0.1 if count == 1 else -1.0
    return float(silhouette_score(distances, labels, metric="precomputed"))


def _centroids(vectors: Vectors, labels: Labels) -> Vectors:
    sums = np.zeros((int(labels.max()) + 1, vectors.shape[1]), np.float32)
    np.add.at(sums, labels, vectors)
    return units(sums)


def _cohesion(vectors: Vectors) -> float:
    """Return the mean cosine of two members."""
    count = len(vectors)
    length = float(np.linalg.norm(vectors.mean(axis=0)))
    return (count * length**2 - 1) / (count - 1) if count > 1 else 1.0
