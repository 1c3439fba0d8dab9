"""Cut texts into overlapping pieces (shingles) and hash each piece to 64 bits, vectorised and stable.

Pieces of words come from the words' own hashes, pieces of characters from arrays of code points, so that one
character is one character in every script. All of it is integer arithmetic written out here: the same text gives the
same shingles on every machine and in every version.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import polars as pl

from flywheel.text.words import Hashes, Positions, Words, find_words, mix

# Word 3-grams and character 5-grams for chat items: the range that FineWeb, BigCode and text-dedup work in.
WORDS_PER_SHINGLE = 3
CHARACTERS_PER_SHINGLE = 5
# Odd 64-bit constants of xxHash64 and splitmix64; any odd constants with mixed bits would do.
_PLACE = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(0xC2B2AE3D27D4EB4F)
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


def shingle(texts: pl.Series | Sequence[str], kind: ShingleKind) -> Shingles:
    """Hash the shingles of texts: of words in any spelling, of characters in normalised spelling.

    A text shorter than one shingle is one shingle, padded; every text, the empty one too, has at least one.
    """
    if kind is ShingleKind.WORDS:
        return word_shingles(find_words(texts))
    points, lengths = _code_points(texts)
    return _windows(mix(points + _PLACE), lengths, CHARACTERS_PER_SHINGLE)


def word_shingles(words: Words, chosen: npt.NDArray[np.bool_] | None = None) -> Shingles:
    """Hash the shingles of texts whose words are known already; `chosen` says of which texts."""
    hashes, counts = words.hashes, words.counts
    if chosen is not None and not chosen.all():
        hashes, counts = hashes[np.repeat(chosen, counts)], counts[chosen]
    return _windows(hashes, counts, WORDS_PER_SHINGLE)


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


def _code_points(texts: pl.Series | Sequence[str]) -> tuple[Hashes, Positions]:
    lengths = np.fromiter((len(text) for text in texts), np.int64, len(texts))
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    return points.astype(np.uint64), lengths


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
