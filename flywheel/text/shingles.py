"""Cut texts into overlapping pieces (shingles) and hash each piece to 64 bits, vectorised and stable.

Everything works on arrays of code points, so one character is one character in every script, and the hash is
integer arithmetic written out here: the same text gives the same shingles on every machine and version.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]

# Word 3-grams and character 5-grams for chat items: the range that FineWeb, BigCode and text-dedup work in.
WORDS_PER_SHINGLE = 3
CHARACTERS_PER_SHINGLE = 5
# Odd 64-bit constants of xxHash64 and splitmix64; any odd constants with mixed bits would do.
_PLACE = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(0xC2B2AE3D27D4EB4F)
_BLANK = 32
# 40 bits of hash leave 23 for the text's position: 8 million texts in one comparison.
_HASH_BITS = 40


class ShingleKind(StrEnum):
    """What a shingle is made of."""

    WORDS = "words"
    CHARACTERS = "characters"


@dataclass(frozen=True, slots=True)
class Shingles:
    """The hashed shingles of many texts, repeats included: text i has hashes[offsets[i]:offsets[i + 1]]."""

    hashes: Hashes
    offsets: Positions

    def __len__(self) -> int:
        return len(self.offsets) - 1


def shingle(texts: Sequence[str], kind: ShingleKind) -> Shingles:
    """Hash the shingles of normalised texts.

    A text shorter than one shingle is one shingle, padded; every text, the empty one too, has at least one.
    """
    points, lengths = _code_points(texts)
    if kind is ShingleKind.CHARACTERS:
        return _windows(mix(points + _PLACE), lengths, CHARACTERS_PER_SHINGLE)
    words, counts = _words(points, lengths)
    return _windows(words, counts, WORDS_PER_SHINGLE)


def mix(values: Hashes) -> Hashes:
    """Scatter 64-bit integers so that near inputs give unrelated outputs (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Hashes = values ^ (values >> np.uint64(31))
    return mixed


def jaccard(shingles: Shingles, first: Positions, second: Positions) -> npt.NDArray[np.float64]:
    """Return the Jaccard similarity of the shingle sets of texts first[i] and second[i], in [0, 1].

    Exact but for hash collisions: sets are compared on 40 bits of their hashes, so two texts of 1,000 shingles
    each share one by accident once in a million pairs.
    """
    entries, offsets = _sets(shingles)
    sizes = np.diff(offsets)
    lengths = sizes[first]
    starts = _offsets(lengths)
    positions = np.arange(starts[-1]) + np.repeat(offsets[first] - starts[:-1], lengths)
    wanted = entries[positions] + np.repeat((second - first) << _HASH_BITS, lengths)
    hits = entries[np.minimum(np.searchsorted(entries, wanted), len(entries) - 1)] == wanted
    shared = np.bincount(np.repeat(np.arange(len(first)), lengths), weights=hits, minlength=len(first))
    similarity: npt.NDArray[np.float64] = shared / np.maximum(sizes[first] + sizes[second] - shared, 1)
    return similarity


def _sets(shingles: Shingles) -> tuple[Positions, Positions]:
    """Return each text's distinct shingles as sorted integers text << 40 | hash, and where each text's begin."""
    owner = np.repeat(np.arange(len(shingles)), np.diff(shingles.offsets))
    short = (shingles.hashes >> np.uint64(64 - _HASH_BITS)).astype(np.int64)
    # Not np.unique: its hash table takes minutes on keys as regular as these.
    ordered = np.sort((owner << _HASH_BITS) | short)
    entries = ordered[np.concatenate([np.ones(1, bool), ordered[1:] != ordered[:-1]])[: len(ordered)]]
    return entries, np.searchsorted(entries, np.arange(len(shingles) + 1) << _HASH_BITS)


def _offsets(lengths: Positions) -> Positions:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def _code_points(texts: Sequence[str]) -> tuple[Hashes, Positions]:
    lengths = np.fromiter((len(text) for text in texts), np.int64, len(texts))
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    return points.astype(np.uint64), lengths


def _words(points: Hashes, lengths: Positions) -> tuple[Hashes, Positions]:
    """Hash every blank-separated word; return the hashes and how many words each text has."""
    is_letter = points != _BLANK
    begins = is_letter.copy()
    begins[1:] &= ~is_letter[:-1]
    first_points = _offsets(lengths)[:-1][lengths > 0]
    begins[first_points] = is_letter[first_points]
    starts = np.flatnonzero(begins)
    if len(starts) == 0:
        return np.zeros(0, np.uint64), np.zeros(len(lengths), np.int64)
    place = np.arange(len(points)) - starts[np.cumsum(begins) - 1]
    letters = np.where(is_letter, mix(points + place.astype(np.uint64) * _PLACE), np.uint64(0))
    owner = np.repeat(np.arange(len(lengths)), lengths)
    return np.add.reduceat(letters, starts), np.bincount(owner[starts], minlength=len(lengths))


def _windows(values: Hashes, lengths: Positions, size: int) -> Shingles:
    """Hash every run of `size` neighbouring values within one text."""
    values, lengths = _stretched(values, lengths, size)
    window_count = max(len(values) - size + 1, 0)
    rolled = np.zeros(window_count, np.uint64)
    for place in range(size):
        rolled = rolled * _STEP + values[place : place + window_count]
    ends = np.repeat(_offsets(lengths)[1:], lengths)[:window_count]
    inside = np.arange(window_count) + size <= ends
    return Shingles(mix(rolled[inside]), _offsets(lengths - size + 1))


def _stretched(values: Hashes, lengths: Positions, size: int) -> tuple[Hashes, Positions]:
    """Pad texts shorter than one window with zeros to exactly one window."""
    wanted = np.maximum(lengths, size)
    if np.array_equal(wanted, lengths):
        return values, lengths
    padded = np.zeros(int(wanted.sum()), np.uint64)
    shift = np.repeat(_offsets(wanted)[:-1] - _offsets(lengths)[:-1], lengths)
    padded[np.arange(len(values)) + shift] = values
    return padded, wanted
