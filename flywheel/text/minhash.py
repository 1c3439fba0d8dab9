"""Sketch sets of shingles with MinHash, and find the texts whose sketches collide.

Two sets agree on one MinHash value with probability J, their Jaccard similarity; on a band of r values with
J^r; on at least one of b bands with 1 - (1 - J^r)^b (Broder 1997; Leskovec, Rajaraman, Ullman, ch. 3).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from flywheel.text.shingles import Hashes, Positions, Shingles, mix

Signatures = npt.NDArray[np.uint32]

# Fixed for ever: signatures of two machines, or of two months, must be comparable.
_SEED = np.uint64(20240229)
# Shingles sketched at a time: one block of 32-bit hashes stays in a core's second-level cache.
_BLOCK = 65_536
# Texts of a bucket each text is compared with: buckets of boilerplate grow with the log, the work must not.
_NEIGHBOURS = 16


@dataclass(frozen=True, slots=True)
class Banding:
    """How a signature is cut: `bands` bands of `rows` values.

    The default proposes .998 of the pairs at J = .8 and .28 at .5. The common 16 x 8 proposes .947 at .8, too
    few where a missed twin is a leak; proposing too many costs time only, since each pair is verified.
    """

    bands: int = 21
    rows: int = 6

    @property
    def permutations(self) -> int:
        """Return how many MinHash values a signature has."""
        return self.bands * self.rows

    def recall(self, similarity: float) -> float:
        """Return the probability that a pair of this Jaccard similarity becomes a candidate."""
        return float(1 - (1 - similarity**self.rows) ** self.bands)


def signatures(shingles: Shingles, permutations: int) -> Signatures:
    """Sketch every text; the result has one row per text and one column per permutation."""
    draws = mix(_SEED + np.arange(1, 2 * permutations + 1, dtype=np.uint64))
    factors, terms = (
        (draws[:permutations] | np.uint64(1)).astype(np.uint32),
        draws[permutations:].astype(np.uint32),
    )
    folded = (shingles.hashes ^ (shingles.hashes >> np.uint64(32))).astype(np.uint32)
    sketches = np.empty((permutations, len(shingles)), np.uint32)
    for first, last in _blocks(shingles.offsets):
        start = shingles.offsets[first]
        block = folded[start : shingles.offsets[last]]
        starts = shingles.offsets[first:last] - start
        permuted = np.empty_like(block)
        for row in range(permutations):
            np.multiply(block, factors[row], out=permuted)
            np.add(permuted, terms[row], out=permuted)
            np.minimum.reduceat(permuted, starts, out=sketches[row, first:last])
    return np.ascontiguousarray(sketches.T)


def band_keys(sketches: Signatures, banding: Banding) -> Hashes:
    """Return one 64-bit key per text and band, shape (texts, bands); texts with equal keys share the band."""
    cut = sketches.reshape(len(sketches), banding.bands, banding.rows).astype(np.uint64)
    keys = np.broadcast_to(np.arange(banding.bands, dtype=np.uint64), cut.shape[:2])
    for row in range(banding.rows):
        keys = mix(keys ^ cut[:, :, row])
    return keys


def candidate_pairs(keys: Hashes) -> tuple[Positions, Positions]:
    """Return the distinct pairs (i < j) of texts that share a band.

    Within a bucket each text is paired with the next 16 only: the work stays linear, and a large bucket stays
    connected through its chain.
    """
    count = len(keys)
    found = [np.zeros(0, np.int64)]
    for band in range(keys.shape[1]):
        order = np.argsort(keys[:, band], kind="stable")
        ordered = keys[order, band]
        for step in range(1, min(_NEIGHBOURS, count - 1) + 1):
            same = np.flatnonzero(ordered[step:] == ordered[:-step])
            if len(same) == 0:
                break
            found.append(order[same] * count + order[same + step])
    pairs = np.unique(np.concatenate(found))
    return pairs // max(count, 1), pairs % max(count, 1)


def crossing_pairs(keys: Hashes, other_keys: Hashes) -> tuple[Positions, Positions]:
    """Return the distinct pairs (i, j) of a text and an other text that share a band.

    Each text meets at most 16 others per band, in their order: enough to say that it has a twin.
    """
    found = [np.zeros(0, np.int64)]
    width = max(len(other_keys), 1)
    for band in range(keys.shape[1]):
        order = np.argsort(other_keys[:, band], kind="stable")
        ordered = other_keys[order, band]
        first = np.searchsorted(ordered, keys[:, band], side="left")
        last = np.searchsorted(ordered, keys[:, band], side="right")
        for step in range(_NEIGHBOURS):
            texts = np.flatnonzero(first + step < last)
            if len(texts) == 0:
                break
            found.append(texts * width + order[first[texts] + step])
    pairs = np.unique(np.concatenate(found))
    return pairs // width, pairs % width


def _blocks(offsets: Positions) -> list[tuple[int, int]]:
    """Cut the texts into runs of about one block of shingles; a longer text is a run of its own."""
    count = len(offsets) - 1
    edges = [0]
    while edges[-1] < count:
        reach = int(np.searchsorted(offsets, offsets[edges[-1]] + _BLOCK, side="right")) - 1
        edges.append(max(reach, edges[-1] + 1))
    return list(pairwise(edges))
