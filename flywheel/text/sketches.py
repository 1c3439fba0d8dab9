"""Sketch texts, so that near twins can be proposed cheaply, and verify what was proposed by their true similarity.

Short texts are compared by characters (a chat message of six words has four word shingles: one changed word would
hide a twin), long ones by words. Around the border both are tried, so that no pair falls between the two.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from flywheel.core.errors import UsageError
from flywheel.text.minhash import Banding, Marks, Pairs, band_keys, likely, signatures
from flywheel.text.normalise import normalised
from flywheel.text.shingles import ShingleKind, jaccard, shingle, word_shingles
from flywheel.text.words import Hashes, Positions, batches, find_words

Similarities = npt.NDArray[np.float64]

# The threshold usual for short items; FineWeb uses .72 to .75 and BigCode .7 on long documents.
SIMILAR = 0.8
# Below this many words a text is compared by characters. At 56 words two changed words cost 6 of 54 word
# shingles on each side, J = 48 / 60 = .8: the shortest text whose two-word edit is still found by words.
_SHORT_WORDS = 56
_BANDING = Banding()
# Pairs verified at a time: bounds the memory whatever the size of the corpus.
_PAIRS_AT_ONCE = 20_000
# Bytes of text whose pairs are verified at a time: shingles of long texts take twenty times their room.
_BYTES_AT_ONCE = 16 << 20


@dataclass(frozen=True, slots=True)
class Bar:
    """What counts as near, and how pairs are proposed."""

    threshold: float = SIMILAR
    banding: Banding = _BANDING


@dataclass(frozen=True, slots=True)
class Sketched:
    """Texts with their band keys and one byte of each MinHash value, enough to rule pairs out.

    `places` are the texts' positions in their corpus.
    """

    kind: ShingleKind
    places: Positions
    texts: pl.Series
    keys: Hashes
    marks: Marks


@dataclass(frozen=True, slots=True)
class Corpus:
    """Distinct texts in the order of their fingerprints, which row holds which (id, distinct), and their sketches.

    Texts that are equal when normalised without punctuation are one.
    """

    fingerprints: Hashes
    rows: pl.DataFrame
    sketches: tuple[Sketched, Sketched]

    def __len__(self) -> int:
        return len(self.fingerprints)


def read_corpus(frame: pl.DataFrame, bar: Bar) -> Corpus:
    """Fold equal texts of `frame` (id, text) together and sketch the rest; a missing text counts as empty.

    Raises:
        UsageError: ids repeat or columns are missing.

    """
    if not {"id", "text"} <= set(frame.columns):
        raise UsageError(f"Near duplicates need columns 'id' and 'text'; got {frame.columns}. Rename them first.")
    if frame["id"].n_unique() != frame.height:
        repeated = frame.filter(pl.col("id").is_duplicated())["id"][0]
        raise UsageError(f"Id {repeated!r} names more than one text; give every text an id of its own.")
    texts = frame["text"].cast(pl.String).fill_null("")
    prints, counts, by_words = _read_words(texts, bar.banding)
    distinct, first, which = np.unique(prints, return_index=True, return_inverse=True)
    # the twin of a short text has at most 1 / threshold times as many words
    by_characters = np.flatnonzero(counts[first] < _SHORT_WORDS / bar.threshold)
    return Corpus(
        fingerprints=distinct,
        rows=frame.select("id", distinct=pl.Series(which, dtype=pl.Int64)),
        sketches=(
            _of_distinct(by_words, first, texts),
            _sketch_characters(by_characters, texts.gather(first[by_characters]), bar.banding),
        ),
    )


def verified(sketched: Sketched, others: Sketched, pairs: Pairs, threshold: float) -> tuple[Pairs, Similarities]:
    """Return those of the pairs whose true Jaccard similarity reaches the threshold, and that similarity."""
    found = [((pairs[0][:0], pairs[1][:0]), np.zeros(0))]
    for start in range(0, len(pairs[0]), _PAIRS_AT_ONCE):
        first, second = (side[start : start + _PAIRS_AT_ONCE] for side in pairs)
        worth = likely(sketched.marks[first], others.marks[second], threshold)
        first, second = first[worth], second[worth]
        similarity = similarities((sketched.texts, others.texts), (first, second), sketched.kind)
        close = similarity >= threshold
        found.append(((first[close], second[close]), similarity[close]))
    left, right = (np.concatenate([pair[side] for pair, _ in found]) for side in (0, 1))
    return (left, right), np.concatenate([similarity for _, similarity in found])


def similarities(texts: tuple[pl.Series, pl.Series], pairs: Pairs, kind: ShingleKind) -> Similarities:
    """Return the true Jaccard similarity of each pair (position in the first texts, position in the second)."""
    sizes = [side.str.len_bytes().to_numpy()[which] for side, which in zip(texts, pairs, strict=True)]
    slices = np.cumsum(sizes[0] + sizes[1]) // _BYTES_AT_ONCE
    cuts = np.flatnonzero(np.diff(slices)) + 1
    parts = zip(*(np.split(side, cuts) for side in pairs), strict=True)
    return np.concatenate([_compared(texts, (first, second), kind) for first, second in parts])


def _compared(texts: tuple[pl.Series, pl.Series], pairs: Pairs, kind: ShingleKind) -> Similarities:
    left, from_left = np.unique(pairs[0], return_inverse=True)
    right, from_right = np.unique(pairs[1], return_inverse=True)
    members = pl.concat([texts[0].gather(left), texts[1].gather(right)])
    return jaccard(shingle(members, kind), from_left, len(left) + from_right)


def spelled(texts: pl.Series) -> pl.Series:
    """Return texts as they are compared by characters."""
    return texts.to_frame("text").select(normalised(pl.col("text"), keep_punctuation=False)).to_series()


def _read_words(texts: pl.Series, banding: Banding) -> tuple[Hashes, Positions, Sketched]:
    """Return the fingerprint and word count of every text, and the sketches of those long enough, in one pass."""
    prints, counts = np.zeros(len(texts), np.uint64), np.zeros(len(texts), np.int64)
    keys, marks = [np.zeros((banding.bands, 0), np.uint64)], [np.zeros((0, banding.permutations), np.uint8)]
    for block in batches(texts):
        words = find_words(texts[block])
        prints[block], counts[block] = words.fingerprints(), words.counts
        is_long = words.counts >= _SHORT_WORDS
        if is_long.any():
            sketch = signatures(word_shingles(words, is_long), banding.permutations)
            keys.append(band_keys(sketch, banding).T)
            marks.append(sketch.astype(np.uint8))
    places = np.flatnonzero(counts >= _SHORT_WORDS)
    joined = np.concatenate(keys, axis=1).T
    return prints, counts, Sketched(ShingleKind.WORDS, places, texts[:0], joined, np.concatenate(marks))


def _of_distinct(sketched: Sketched, first: Positions, texts: pl.Series) -> Sketched:
    """Return the sketches of the distinct texts; `first` has the row of each."""
    row_of = np.full(len(texts), -1, np.int64)
    row_of[sketched.places] = np.arange(len(sketched.places))
    places = np.flatnonzero(row_of[first] >= 0)
    kept = row_of[first[places]]
    keys = np.asfortranarray(sketched.keys[kept])
    return Sketched(sketched.kind, places, texts.gather(first[places]), keys, sketched.marks[kept])


def _sketch_characters(places: Positions, texts: pl.Series, banding: Banding) -> Sketched:
    keys = np.empty((len(texts), banding.bands), np.uint64, order="F")
    marks = np.empty((len(texts), banding.permutations), np.uint8)
    plain = spelled(texts)
    for block in batches(plain):
        sketch = signatures(shingle(plain[block], ShingleKind.CHARACTERS), banding.permutations)
        keys[block], marks[block] = band_keys(sketch, banding), sketch.astype(np.uint8)
    return Sketched(ShingleKind.CHARACTERS, places, plain, keys, marks)
