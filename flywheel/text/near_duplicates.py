"""Find texts that are nearly the same: MinHash-LSH proposes pairs, their true Jaccard similarity decides.

Equal texts are folded together first. Short texts are compared by characters (a chat message of six words has
four word shingles: one changed word would hide a twin), long ones by words. Around the border both are tried,
so that no pair falls between the two.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from flywheel.core.errors import UsageError
from flywheel.text.minhash import Banding, band_keys, candidate_pairs, crossing_pairs, signatures
from flywheel.text.normalise import normalised
from flywheel.text.shingles import Hashes, Positions, ShingleKind, jaccard, shingle

# The threshold usual for short items; FineWeb uses .72 to .75 and BigCode .7 on long documents.
SIMILAR = 0.8
# Below this many words a text is compared by characters. At 56 words two changed words cost 6 of 54 word
# shingles on each side, J = 48 / 60 = .8: the shortest text whose two-word edit is still found by words.
_SHORT_WORDS = 56
_BANDING = Banding()
# Texts sketched, and pairs verified, at a time: bounds the memory whatever the size of the corpus.
_TEXTS_AT_ONCE = 20_000
_PAIRS_AT_ONCE = 50_000

Pairs = tuple[Positions, Positions]


@dataclass(frozen=True, slots=True)
class _Corpus:
    """Distinct normalised texts in alphabetical order, and which row holds which (id, distinct)."""

    texts: list[str]
    word_counts: Positions
    rows: pl.DataFrame

    def comparable(self, kind: ShingleKind, threshold: float) -> Positions:
        """Return the positions of the texts to compare by this kind of shingle."""
        if kind is ShingleKind.WORDS:
            return np.flatnonzero(self.word_counts >= _SHORT_WORDS)
        # The twin of a short text has at most 1 / threshold times as many words.
        return np.flatnonzero(self.word_counts < _SHORT_WORDS / threshold)


def near_duplicates(
    frame: pl.DataFrame, threshold: float = SIMILAR, banding: Banding = _BANDING
) -> pl.DataFrame:
    """Group the rows of `frame` (id, text) that are nearly the same, directly or through others.

    Returns id, cluster_id (the smallest id of the group) and is_representative, in the order of `frame`.
    A missing text counts as empty. Raises UsageError when ids repeat or columns are missing.
    """
    corpus = _corpus(frame)
    found = [_twins(corpus, kind, threshold, banding) for kind in ShingleKind]
    first, second = (np.concatenate(side) for side in zip(*found, strict=True))
    count = len(corpus.texts)
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(count, count))
    labels = connected_components(graph, directed=False)[1] if count else np.zeros(0, np.int32)
    component = pl.Series("component", labels[corpus.rows["distinct"].to_numpy()], dtype=pl.Int64)
    cluster = pl.col("id").min().over("component")
    return corpus.rows.with_columns(component).select(
        "id", cluster_id=cluster, is_representative=pl.col("id") == cluster
    )


def overlap(
    frame: pl.DataFrame, other: pl.DataFrame, threshold: float = SIMILAR, banding: Banding = _BANDING
) -> pl.DataFrame:
    """Find the rows of `frame` (id, text) that have a near twin in `other` (id, text): leakage, say.

    Returns id, other_id and jaccard: one row per row of `frame` with a twin, naming its most similar one (the
    smallest id among equals). Raises UsageError when ids repeat or columns are missing.
    """
    corpus, others = _corpus(frame), _corpus(other)
    names = others.rows.group_by("distinct").agg(other_id=pl.col("id").min())
    found = pl.concat([_crossings(corpus, others, kind, (threshold, banding)) for kind in ShingleKind])
    best = (
        found.join(names, left_on="other", right_on="distinct")
        .sort(["jaccard", "other_id"], descending=[True, False])
        .unique("distinct", keep="first", maintain_order=True)
    )
    return corpus.rows.join(best, on="distinct", maintain_order="left").select("id", "other_id", "jaccard")


def _corpus(frame: pl.DataFrame) -> _Corpus:
    if not {"id", "text"} <= set(frame.columns):
        raise UsageError(
            f"Near duplicates need columns 'id' and 'text'; got {frame.columns}. Rename them first."
        )
    if frame["id"].n_unique() != frame.height:
        repeated = frame.filter(pl.col("id").is_duplicated())["id"][0]
        raise UsageError(f"Id {repeated!r} names more than one text; give every text an id of its own.")
    spelled = normalised(pl.col("text").cast(pl.String).fill_null(""), keep_punctuation=False)
    rows = frame.select("id", spelled=spelled)
    distinct = rows.select("spelled").unique().sort("spelled").with_row_index("distinct")
    counts = distinct["spelled"].str.count_matches(" ", literal=True) + 1
    where = rows.join(distinct, on="spelled", how="left", maintain_order="left")
    return _Corpus(
        texts=distinct["spelled"].to_list(),
        word_counts=counts.cast(pl.Int64).to_numpy(),
        rows=where.select("id", pl.col("distinct").cast(pl.Int64)),
    )


def _twins(corpus: _Corpus, kind: ShingleKind, threshold: float, banding: Banding) -> Pairs:
    """Return the verified pairs within a corpus, as positions among its distinct texts."""
    chosen = corpus.comparable(kind, threshold)
    texts = [corpus.texts[i] for i in chosen]
    first, second = candidate_pairs(_keys(texts, kind, banding))
    close = _similarities(texts, texts, kind, (first, second)) >= threshold
    return chosen[first[close]], chosen[second[close]]


def _crossings(
    corpus: _Corpus, others: _Corpus, kind: ShingleKind, bar: tuple[float, Banding]
) -> pl.DataFrame:
    """Return the verified pairs between two corpora: distinct, other, jaccard."""
    threshold, banding = bar
    chosen, candidates = corpus.comparable(kind, threshold), others.comparable(kind, threshold)
    texts, other_texts = [corpus.texts[i] for i in chosen], [others.texts[i] for i in candidates]
    pairs = crossing_pairs(_keys(texts, kind, banding), _keys(other_texts, kind, banding))
    similarity = _similarities(texts, other_texts, kind, pairs)
    found = {"distinct": chosen[pairs[0]], "other": candidates[pairs[1]], "jaccard": similarity}
    return pl.DataFrame(found).filter(pl.col("jaccard") >= threshold)


def _keys(texts: list[str], kind: ShingleKind, banding: Banding) -> Hashes:
    keys = np.empty((len(texts), banding.bands), np.uint64)
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        block = slice(start, start + _TEXTS_AT_ONCE)
        keys[block] = band_keys(signatures(shingle(texts[block], kind), banding.permutations), banding)
    return keys


def _similarities(
    texts: list[str], others: list[str], kind: ShingleKind, pairs: Pairs
) -> npt.NDArray[np.float64]:
    """Return the true Jaccard similarity of texts[i] and others[j] for every pair (i, j)."""
    found = np.empty(len(pairs[0]))
    for start in range(0, len(found), _PAIRS_AT_ONCE):
        block = slice(start, start + _PAIRS_AT_ONCE)
        left, from_left = np.unique(pairs[0][block], return_inverse=True)
        right, from_right = np.unique(pairs[1][block], return_inverse=True)
        members = [texts[i] for i in left] + [others[j] for j in right]
        found[block] = jaccard(shingle(members, kind), from_left, len(left) + from_right)
    return found
