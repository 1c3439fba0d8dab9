"""Find the runs of words that texts share with a set of instances."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flywheel.text.words import Hashes, Positions, Words, mix

# A gram that more instances share is how such questions are put ("write a python function to"): it tells nothing
# about any one of them. The number is GPT-3's.
_COMMON = 10
# Grams whose upper 24 bits no instance has are ruled out by one look into a table of 16 MB.
_TABLE_BITS = np.uint64(24)
_STEP = np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True, slots=True)
class GramIndex:
    """The grams of some instances in order, and the word each begins with."""

    size: int
    grams: Hashes
    begins: Positions
    occurs: npt.NDArray[np.bool_]


def gram_index(words: Words, chosen: npt.NDArray[np.bool_], size: int) -> GramIndex:
    """Return the grams of `size` words of the chosen texts, without those that very many share."""
    begins = _beginnings(words, size)
    begins = begins[np.repeat(chosen, words.counts)[begins]]
    grams = _grams(words, size)[begins]
    order = np.argsort(grams, kind="stable")
    grams, begins = grams[order], begins[order]
    count = np.searchsorted(grams, grams, side="right") - np.searchsorted(grams, grams)
    occurs = np.zeros(1 << int(_TABLE_BITS), np.bool_)
    occurs[grams >> (np.uint64(64) - _TABLE_BITS)] = True
    return GramIndex(size, grams[count <= _COMMON], begins[count <= _COMMON], occurs)


def shared_grams(words: Words, index: GramIndex) -> tuple[Positions, Positions]:
    """Return where texts share a gram with an instance: the words both begin with."""
    grams = _grams(words, index.size)
    places = np.flatnonzero(index.occurs[grams >> (np.uint64(64) - _TABLE_BITS)])
    first = np.searchsorted(index.grams, grams[places])
    count = np.searchsorted(index.grams, grams[places], side="right") - first
    ends = words.offsets[np.searchsorted(words.offsets, places, side="right")]
    hit = (count > 0) & (places + index.size <= ends)
    places, first, count = places[hit], first[hit], count[hit]
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(places, count), index.begins[np.repeat(first, count) + step]


def same_words(words: Words, places: Positions, others: Words, other_places: Positions) -> npt.NDArray[np.bool_]:
    """Say pair by pair whether two words are spelled the same, letter by letter."""
    start, other_start = words.starts[places], others.starts[other_places]
    lengths = words.ends[places] - start
    same: npt.NDArray[np.bool_] = lengths == others.ends[other_places] - other_start
    start, other_start, lengths = start[same], other_start[same], lengths[same]
    begins = np.cumsum(lengths) - lengths
    letter = np.arange(lengths.sum()) - np.repeat(begins, lengths)
    equal = words.data[np.repeat(start, lengths) + letter] == others.data[np.repeat(other_start, lengths) + letter]
    if len(begins):
        same[same] = np.logical_and.reduceat(equal, begins)
    return same


def _grams(words: Words, size: int) -> Hashes:
    """Hash the gram that begins at each word; the last ones run over the end and mean nothing."""
    padded = np.concatenate([words.hashes, np.zeros(size - 1, np.uint64)])
    rolled = np.zeros(len(words.hashes), np.uint64)
    for place in range(size):
        rolled = rolled * _STEP + padded[place : place + len(rolled)]
    return mix(rolled)


def _beginnings(words: Words, size: int) -> Positions:
    """Return the words that a gram within their text begins with."""
    left = np.repeat(words.offsets[1:], words.counts) - np.arange(len(words.hashes))
    return np.flatnonzero(left >= size)
