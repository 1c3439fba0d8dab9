"""Sketch sets of shingles with MinHash, and find the texts whose sketches collide.

Two sets agree on one MinHash value with probability J, their Jaccard similarity; on a band of r values with
J^r; on at least one of b bands with 1 - (1 - J^r)^b (Broder 1997; Leskovec, Rajaraman, Ullman, ch. 3).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from flywheel.text.shingles import Shingles
from flywheel.text.words import Hashes, Positions, mix

Signatures = npt.NDArray[np.uint32]
Marks = npt.NDArray[np.uint8]
Pairs = tuple[Positions, Positions]

# Fixed for ever: signatures of two machines, or of two months, must be comparable.
_SEED = np.uint64(20240229)
# Shingles sketched at a time: one block of 32-bit hashes stays in a core's second-level cache.
_BLOCK = 65_536
# Texts of a bucket each text is compared with: buckets of boilerplate grow with the log, the work must not.
_NEIGHBOURS = 8


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
    return sketches.T


def band_keys(sketches: Signatures, banding: Banding) -> Hashes:
    """Return one 64-bit key per text and band, shape (texts, bands); texts with equal keys share the band.

    Values and keys of one band lie side by side in memory: that is how they are compared.
    """
    cut = np.ascontiguousarray(sketches.T).reshape(banding.bands, banding.rows, len(sketches))
    keys = np.repeat(np.arange(banding.bands, dtype=np.uint64)[:, None], len(sketches), axis=1)
    for row in range(banding.rows):
        keys = mix(keys ^ cut[:, row])
    return keys.T


def neighbours(keys: Hashes) -> Iterator[Pairs]:
    """Yield batches of pairs (i, j) of texts that share a band; a pair may come up in several bands.

    Within a bucket each text meets the next 8 only: the work stays linear, and a large bucket stays connected
    through its chain.
    """
    for band in range(keys.shape[1]):
        order = _companions(keys[:, band])
        # the band before decides who is whose neighbour in a large bucket; the text's place where that is equal
        order = order[np.lexsort((order, keys[order, band - 1], keys[order, band]))]
        ordered = keys[order, band]
        for step in range(1, min(_NEIGHBOURS, len(order) - 1) + 1):
            same = np.flatnonzero(ordered[step:] == ordered[:-step])
            if len(same) == 0:
                break
            yield order[same], order[same + step]


def _companions(keys: Hashes) -> Positions:
    """Return the texts that share their key with another one: few, and only they need a slow, stable sort."""
    order = np.argsort(keys)
    ordered = keys[order]
    is_same = ordered[1:] == ordered[:-1]
    return order[np.append(is_same, False) | np.append(False, is_same)] if len(keys) else order


def crossings(keys: Hashes, other_keys: Hashes) -> Iterator[Pairs]:
    """Yield batches of pairs (text, other text) that share a band: at most 8 others per text and band."""
    for band in range(keys.shape[1]):
        order = np.argsort(other_keys[:, band], kind="stable")
        ordered = other_keys[order, band]
        first = np.searchsorted(ordered, keys[:, band], side="left")
        last = np.searchsorted(ordered, keys[:, band], side="right")
        for step in range(_NEIGHBOURS):
            texts = np.flatnonzero(first + step < last)
            if len(texts) == 0:
                break
            yield texts, order[first[texts] + step]


def likely(sketch: Marks, other: Marks, threshold: float) -> npt.NDArray[np.bool_]:
    """Say row by row whether two sketches leave room for a similarity of `threshold`.

    Cheap and one-sided: the share of equal values estimates J with standard error sqrt(J (1 - J) / values).
    Only pairs four standard errors below are ruled out, so a true pair is lost once in 30,000. One byte of each
    value is enough: unequal values agree in a byte once in 256.
    """
    slack = 4 * np.sqrt(threshold * (1 - threshold) / sketch.shape[1])
    close: npt.NDArray[np.bool_] = (sketch == other).mean(axis=1) >= threshold - slack
    return close


def _blocks(offsets: Positions) -> list[tuple[int, int]]:
    """Cut the texts into runs of about one block of shingles; a longer text is a run of its own."""
    count = len(offsets) - 1
    edges = [0]
    while edges[-1] < count:
        reach = int(np.searchsorted(offsets, offsets[edges[-1]] + _BLOCK, side="right")) - 1
        edges.append(max(reach, edges[-1] + 1))
    return list(pairwise(edges))
