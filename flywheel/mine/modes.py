"""Group failure notes into modes: known modes keep their members, what fits none is clustered anew."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

Vectors = NDArray[np.float32]

OTHER = "other"


@dataclass(frozen=True, slots=True)
class ModePolicy:
    """How failures become modes."""

    # cosine of hashed words: at 0.4 a third of later failures fitted no known mode, at 0.25 one in twenty
    same_mode: float = 0.25
    most_modes: int = 20  # a person reads twenty names, not two hundred
    smallest: int = 3  # fewer than this is an anecdote and goes to "other"
    seed: int = 17


@dataclass(frozen=True, slots=True)
class Grouping:
    """A mode per note: an index into the known modes, or into the new centroids, or neither ("other")."""

    known: NDArray[np.int64]  # -1 where the note fits no known mode
    fresh: NDArray[np.int64]  # -1 where the note is in no new mode
    similarity: NDArray[np.float32]
    centroids: Vectors  # of the new modes


def group_notes(vectors: Vectors, known_centroids: Vectors, policy: ModePolicy) -> Grouping:
    """Return which known mode each note belongs to, and new modes for those that belong to none."""
    count = len(vectors)
    known = np.full(count, -1, dtype=np.int64)
    similarity = np.zeros(count, dtype=np.float32)
    if len(known_centroids):
        cosines = vectors @ known_centroids.T
        best = cosines.argmax(axis=1)
        close = cosines[np.arange(count), best] >= policy.same_mode
        known[close] = best[close]
        similarity[close] = cosines[np.arange(count), best][close]
    room = policy.most_modes - len(np.unique(known[known >= 0]))  # modes nobody met today take no room
    fresh, centroids = _cluster(vectors, np.flatnonzero(known < 0), room, policy)
    for index in range(len(centroids)):
        members = np.flatnonzero(fresh == index)
        similarity[members] = vectors[members] @ centroids[index]
    return Grouping(known, fresh, similarity, centroids)


def _cluster(
    vectors: Vectors, loose: NDArray[np.int64], room: int, policy: ModePolicy
) -> tuple[NDArray[np.int64], Vectors]:
    fresh = np.full(len(vectors), -1, dtype=np.int64)
    wanted = min(room, len(loose) // policy.smallest, max(1, int(np.sqrt(len(loose) / 2))))
    if wanted < 1:
        return fresh, np.empty((0, vectors.shape[1]), dtype=np.float32)
    labels = KMeans(n_clusters=wanted, n_init=3, random_state=policy.seed).fit_predict(vectors[loose])
    centroids: list[Vectors] = []
    for label in range(wanted):
        members = loose[labels == label]
        if len(members) >= policy.smallest:
            fresh[members] = len(centroids)
            centroids.append(unit(vectors[members].mean(axis=0)))
    return fresh, np.array(centroids, dtype=np.float32).reshape(len(centroids), vectors.shape[1])


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the vector at length one; a zero vector stays zero."""
    length = float(np.linalg.norm(vector))
    return vector if length == 0 else np.asarray(vector / length, dtype=np.float32)


def trend_of(size: int, earlier_sizes: Sequence[int]) -> float | None:
    """Return today's size against the mean of earlier days, None for a mode met first today."""
    return size / (sum(earlier_sizes) / len(earlier_sizes)) if earlier_sizes else None
