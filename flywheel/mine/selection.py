"""Choose the failures worth correcting: hard ones that stand for many others and not for one another.

Facility location (Cornuejols, Fisher and Nemhauser 1977): a set of chosen examples covers every candidate as well as
its nearest member resembles it, candidates count by how hard they are and how many users they stand for, and the next
example is the one that adds most. The sum is submodular, so greedy choice reaches 63 % of the best possible set
(Nemhauser, Wolsey and Fisher 1978) and gains only shrink: a gain computed earlier is an upper bound, and most need
never be computed again (lazy greedy, Minoux 1978).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]
Similarities = NDArray[np.float32]

_AT_ONCE = 16  # stale gains brought up to date together: one matrix operation instead of many small ones


@dataclass(frozen=True, slots=True)
class SelectionPolicy:
    """How a day's budget is spent; docs/hard-examples.md has what these numbers were measured with."""

    relabel_share: float = 0.05  # of the budget: the most suspicious end holds the label errors (methods 4.3)
    # Similarities of 3,000 candidates are 36 MB; they are fifteen times the usual budget of 200.
    most_candidates: int = 3_000
    most_remembered: int = 2_000  # problems chosen earlier that still count as covered, newest first
    own_share: float = 0.5  # exponent of an example's own hardness: what is central must itself have failed
    letters_share: float = 0.0  # of the likeness of two questions, by groups of letters; the rest is by words
    mode_kinship: float = 0.3  # similarity of two failures of one mode that share no word
    unknown_doubt: float = 0.5  # 1 - confidence where the log has none
    novelty_share: float = 0.2  # how much more the first failures of a mode count
    sure_from: float = 0.9  # confidence from which a failure that only users noticed is doubted
    twin_from: float = 0.8  # cosine from which an earlier correction is about the same problem
    confirmed_from: int = 3  # same question, same answer and no signal: fewer times say nothing, and
    quiet_share: float = 0.75  # of all who asked it so many must be silent before a complaint is odd


@dataclass(frozen=True, slots=True)
class Pool:
    """What there is to choose from; all arrays have one row per candidate."""

    similarity: Similarities  # (n, n), 1 on the diagonal
    covered: Numbers  # 0-1: how well what was chosen earlier resembles it
    hardness: Numbers  # 0-1
    weight: Numbers  # what covering it counts, before its hardness


@dataclass(frozen=True, slots=True)
class Chosen:
    """Places of the chosen candidates, best first, and how far each was from what was chosen before it."""

    places: Places
    distance: Numbers  # 1 - similarity to the nearest one; 1 where nothing resembles it


def hardness_of(p_failure: Numbers, doubt: Numbers) -> Numbers:
    """Return how much a correction should teach, 0-1: surely failed, and the model had its doubts.

    A failure the model was sure of and one it guessed both teach; P(failure) counts most, because a correction of
    what did not fail is money lost.
    """
    return np.asarray(np.minimum(1.0, 0.7 * p_failure + 0.3 * doubt), dtype=np.float64)


def choose(pool: Pool, count: int, policy: SelectionPolicy) -> Chosen:
    """Return up to `count` candidates; the same pool gives the same choice, ties go to the first."""
    size = len(pool.hardness)
    covered = pool.covered.astype(np.float32)
    demand = (pool.weight * pool.hardness).astype(np.float32)
    own = (pool.hardness**policy.own_share).astype(np.float32)
    bounds = _gains(pool.similarity, np.arange(size), covered, demand) * own
    places: list[int] = []
    distance: list[float] = []
    for _ in range(min(count, size)):
        place = _largest(pool.similarity, bounds, covered, (demand, own))
        places.append(place)
        distance.append(1.0 - float(covered[place]))
        bounds[place] = -np.inf
        np.maximum(covered, pool.similarity[place], out=covered)
    return Chosen(np.array(places, dtype=np.intp), np.array(distance, dtype=np.float64))


def _largest(
    similarity: Similarities, bounds: Similarities, covered: Similarities, worth: tuple[Similarities, Similarities]
) -> int:
    """Return the candidate that adds most; `bounds` are gains of earlier rounds, lowered where looked at."""
    demand, own = worth
    fresh = np.zeros(len(bounds), dtype=bool)
    while True:
        best = int(bounds.argmax())
        if fresh[best] or bounds[best] == -np.inf:
            return best
        stale = np.argpartition(np.where(fresh, -np.inf, bounds), -min(_AT_ONCE, len(bounds)))[-_AT_ONCE:]
        stale = stale[bounds[stale] > -np.inf]
        bounds[stale] = _gains(similarity, stale, covered, demand) * own[stale]
        fresh[stale] = True


def _gains(similarity: Similarities, places: Places, covered: Similarities, demand: Similarities) -> Similarities:
    """Return what each of the places would add to the coverage of all."""
    gains = np.empty(len(places), dtype=np.float32)
    for start in range(0, len(places), 256):  # 256 x 3,000 differences are 3 MB
        block = places[start : start + 256]
        gains[start : start + 256] = np.maximum(similarity[block] - covered, 0) @ demand
    return gains
