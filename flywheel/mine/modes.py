"""Group failure notes into modes: known modes keep their members, what fits none is clustered anew."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flywheel.mine.clusters import cluster
from flywheel.mine.embed import Vectors
from flywheel.mine.identity import matched, overlap

Places = NDArray[np.int64]

OTHER = "other"
NOBODY: Places = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class ModePolicy:
    """How failures become modes."""

    # cosine of a note to a known mode's centroid. On the scenario two notes of one planted mode are at 0.82 on
    # average and of two at 0.04; at 0.25 one day in five was grouped anew and half of its ids were lost
    same_mode: float = 0.2
    most_modes: int = 20  # a person reads twenty names, not two hundred
    smallest: int = 3  # fewer than this is an anecdote and goes to "other"
    most_other: float = 0.10  # more of a day than this in "other", and the day is grouped anew
    same_group: float = 0.3  # of members shared and centroids alike, from which a new group is an old mode
    same_centroid: float = 0.92  # two modes nearer than this are one
    closed_after_days: int = 7  # without a failure of the mode: a week has every kind of day in it
    examples: int = 10


@dataclass(frozen=True, slots=True)
class Grouping:
    """A mode per note: an index into the known modes, or into the new centroids, or neither ("other")."""

    known: Places  # -1 where the note fits no known mode
    fresh: Places  # -1 where the note is in no new mode
    similarity: NDArray[np.float32]
    centroids: Vectors  # of the new modes
    split_from: Places = field(default_factory=lambda: NOBODY)  # known mode a new one was part of, or -1
    merged: dict[int, int] = field(default_factory=dict)  # known mode -> the known mode that took its members


def group_notes(
    vectors: Vectors, known_centroids: Vectors, policy: ModePolicy, votes: Places | None = None
) -> Grouping:
    """Return which known mode each note belongs to, and new modes for those that belong to none.

    `votes` names the known mode that near-duplicates of the note are in, -1 for none: it decides where the note is at
    least half as near as a member has to be. When more than `most_other` of a day would be left over, the day is
    grouped anew, and its groups take the ids of the modes whose members they have.
    """
    known = _assigned(vectors, known_centroids, policy, votes)
    room = policy.most_modes - len(np.unique(known[known >= 0]))  # modes nobody met today take no room
    loose = np.flatnonzero(known < 0)
    labels, centroids = cluster(vectors[loose], room, policy.smallest)
    fresh = np.full(len(vectors), -1, dtype=np.int64)
    fresh[loose] = labels
    split = np.full(len(centroids), -1, dtype=np.int64)
    left = int(((known < 0) & (fresh < 0)).sum())
    if len(known_centroids) and left > policy.most_other * len(vectors) and left >= policy.smallest:
        return _regrouped(vectors, known_centroids, known, policy)
    return Grouping(known, fresh, _similarity(vectors, known_centroids, known, centroids, fresh), centroids, split)


def _assigned(vectors: Vectors, centroids: Vectors, policy: ModePolicy, votes: Places | None) -> Places:
    known = np.full(len(vectors), -1, dtype=np.int64)
    if not len(centroids) or not len(vectors):
        return known
    cosines = vectors @ centroids.T
    rows = np.arange(len(vectors))
    best = cosines.argmax(axis=1)
    close = cosines[rows, best] >= policy.same_mode
    known[close] = best[close]
    if votes is not None:
        voted = (votes >= 0) & (cosines[rows, np.maximum(votes, 0)] >= policy.same_mode / 2)
        known[voted] = votes[voted]
    met, sizes = np.unique(known[known >= 0], return_counts=True)
    kept = met[np.argsort(-sizes, kind="stable")][: policy.most_modes]
    known[~np.isin(known, kept)] = -1
    return known


def _regrouped(vectors: Vectors, known_centroids: Vectors, assigned: Places, policy: ModePolicy) -> Grouping:
    """Group the whole day anew and find the old modes in the new groups."""
    labels, centroids = cluster(vectors, policy.most_modes, policy.smallest)
    shared = overlap(labels, len(centroids), assigned, len(known_centroids))
    alike = np.clip(centroids @ known_centroids.T, 0, 1)
    old_of = matched(0.5 * shared + 0.5 * alike, policy.same_group)  # group -> known mode or -1
    known = np.where(labels >= 0, old_of[labels] if len(old_of) else -1, -1)
    renumbered = np.cumsum(old_of < 0) - 1
    fresh = np.where((labels >= 0) & (known < 0), renumbered[labels] if len(old_of) else -1, -1)
    new = np.flatnonzero(old_of < 0)
    split = np.array([_home(assigned[labels == group]) for group in new], dtype=np.int64)
    kept = set(old_of[old_of >= 0].tolist())
    lost = sorted(set(assigned[assigned >= 0].tolist()) - kept)
    moved = {old: _home(known[assigned == old]) for old in lost}
    similarity = _similarity(vectors, known_centroids, known, centroids[new], fresh)
    return Grouping(known, fresh, similarity, centroids[new], split, {a: b for a, b in moved.items() if b >= 0})


def _home(places: Places) -> int:
    """Return where more than half of them are, or -1."""
    found, counts = np.unique(places[places >= 0], return_counts=True)
    return int(found[counts.argmax()]) if len(found) and 2 * counts.max() > len(places) else -1


def _similarity(
    vectors: Vectors, known_centroids: Vectors, known: Places, centroids: Vectors, fresh: Places
) -> NDArray[np.float32]:
    similarity = np.zeros(len(vectors), dtype=np.float32)
    for places, towards in ((known, known_centroids), (fresh, centroids)):
        held = np.flatnonzero(places >= 0)
        if len(held):
            similarity[held] = np.einsum("ij,ij->i", vectors[held], towards[places[held]])
    return similarity


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the vector at length one; a zero vector stays zero."""
    length = float(np.linalg.norm(vector))
    return vector if length == 0 else np.asarray(vector / length, dtype=np.float32)


def trend_of(size: int, earlier_sizes: Sequence[int]) -> float | None:
    """Return today's size against the mean of earlier days it was met, None for a mode met first today."""
    met = [earlier for earlier in earlier_sizes if earlier > 0]
    return size / (sum(met) / len(met)) if met else None
