"""Find the words of many texts at once and hash each to 64 bits: on bytes, vectorised, and stable.

A text's words are those of its normalised spelling without punctuation. Nearly all text that machines log is ASCII,
where that spelling is a table of 256 bytes; the rest goes through `normalised` first. The hash is integer arithmetic
on the UTF-8 bytes, written out here: the same word has the same hash on every machine and in every version, so what
is made of it can be stored.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from flywheel.text.normalise import normalised

Bytes = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]

# Odd 64-bit constants of splitmix64 and xxHash64; any odd constants with mixed bits would do.
_PLACE = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(0xC2B2AE3D27D4EB4F)
_PIECE = 8
# The low n bytes of a little-endian piece, n = 0 to 8.
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(_PIECE + 1)], np.uint64)
_PUNCTUATION = [chr(byte) for byte in range(128) if unicodedata.category(chr(byte)).startswith("P")]
_BLANKS = [chr(byte) for byte in (*range(9, 14), *range(28, 32))]
_FOLD = bytes(ord(" ") if chr(byte) in _PUNCTUATION + _BLANKS else ord(chr(byte).lower()) for byte in range(128))
_FOLD += bytes(range(128, 256))
# A text of nothing but punctuation keeps it: as characters of the private use area, which the table leaves alone.
_KEPT = [chr(0xE000 + ord(mark)) for mark in _PUNCTUATION]
_HAS_WORD = r"[^\s\x1c-\x1f\p{P}]"
# Bytes of text worked on at a time: half a megabyte with its words, hashes and shingles fits a core's own cache.
_BATCH_BYTES = 1 << 19


@dataclass(frozen=True, slots=True)
class Words:
    """The words of many texts, text by text: word w is data[starts[w]:ends[w]], text i has words offsets[i] on."""

    data: Bytes
    starts: Positions
    ends: Positions
    offsets: Positions
    hashes: Hashes

    @property
    def counts(self) -> Positions:
        """Return how many words each text has."""
        counts: Positions = np.diff(self.offsets)
        return counts

    def fingerprints(self) -> Hashes:
        """Return one 64-bit number per text: that of the sequence of its words; 0 for a text without words."""
        prints = np.zeros(len(self.offsets) - 1, np.uint64)
        filled = np.flatnonzero(self.counts)
        if len(filled):
            place = np.arange(len(self.hashes)) - np.repeat(self.offsets[:-1], self.counts)
            turned = mix(self.hashes + place.astype(np.uint64) * _STEP)
            prints[filled] = mix(np.add.reduceat(turned, self.offsets[filled]))
        return prints


def find_words(texts: pl.Series | Sequence[str]) -> Words:
    """Find and hash the words of texts in any spelling; null has none."""
    plain = _plain(pl.Series(values=texts, dtype=pl.String).fill_null(""))
    column = (plain + " ").to_arrow()
    ends = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    letters = memoryview(column.buffers()[2])[ends[0] : ends[-1]] if len(column) else b""
    # a blank before the first text, and room for reading eight bytes at the last word
    data = np.frombuffer(b"".join([b" ", letters, b" " * _PIECE]).translate(_FOLD), np.uint8)
    is_letter = data != ord(" ")
    edges = np.flatnonzero(is_letter[1:] != is_letter[:-1]) + 1
    starts, stops = np.ascontiguousarray(edges[0::2]), np.ascontiguousarray(edges[1::2])
    offsets = np.searchsorted(starts, ends - ends[0] + 1) if len(column) else np.zeros(1, np.int64)
    return Words(data, starts, stops, offsets, _hashes(data, starts, stops - starts))


def batches(texts: pl.Series) -> Iterator[slice]:
    """Cut texts into runs of about half a megabyte; a longer text is a run of its own."""
    ends = texts.str.len_bytes().fill_null(0).cum_sum().cast(pl.Int64).to_numpy()
    edges, done = [0], 0
    while edges[-1] < len(ends):
        reach = int(np.searchsorted(ends, done + _BATCH_BYTES, side="right"))
        edges.append(max(reach, edges[-1] + 1))
        done = int(ends[edges[-1] - 1])
    return (slice(first, last) for first, last in pairwise(edges))


def mix(values: Hashes) -> Hashes:
    """Scatter 64-bit integers so that near inputs give unrelated outputs (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Hashes = values ^ (values >> np.uint64(31))
    return mixed


def _plain(texts: pl.Series) -> pl.Series:
    """Return texts that only the table is still to be applied to."""
    is_easy = (texts.str.len_chars() == texts.str.len_bytes()) & texts.str.contains(_HAS_WORD)
    if is_easy.all():
        return texts
    places = (~is_easy).arg_true()
    spelled = pl.select(normalised(pl.lit(texts.gather(places)), keep_punctuation=False)).to_series()
    return texts.scatter(places, spelled.str.replace_many(_PUNCTUATION, _KEPT))


def _hashes(data: Bytes, starts: Positions, lengths: Positions) -> Hashes:
    """Hash words by their bytes, eight at a time; nearly all words are done after the first eight."""
    pieces = np.ndarray((max(len(data) - _PIECE + 1, 0),), "<u8", data, 0, (1,))
    hashes = pieces[starts] & _MASKS[np.minimum(lengths, _PIECE)]
    hashes = mix(hashes + lengths.astype(np.uint64) * _PLACE)
    longer = np.flatnonzero(lengths > _PIECE)
    if len(longer):
        counts = (lengths[longer] - 1) // _PIECE
        begins = np.cumsum(counts) - counts
        passed = (np.arange(counts.sum()) - np.repeat(begins, counts) + 1) * _PIECE
        left = np.minimum(np.repeat(lengths[longer], counts) - passed, _PIECE)
        piece = pieces[np.repeat(starts[longer], counts) + passed] & _MASKS[left]
        hashes[longer] = mix(hashes[longer] + np.add.reduceat(mix(piece + passed.astype(np.uint64) * _PLACE), begins))
    return hashes
