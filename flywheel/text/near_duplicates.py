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
from flywheel.text.minhash import Banding, Pairs, band_keys, crossings, likely, neighbours, signatures
from flywheel.text.normalise import normalised
from flywheel.text.shingles import Hashes, Positions, ShingleKind, jaccard, shingle

Similarities = npt.NDArray[np.float64]

# The threshold usual for short items; FineWeb uses .72 to .75 and BigCode .7 on long documents.
SIMILAR = 0.8
# Below this many words a text is compared by characters. At 56 words two changed words cost 6 of 54 word
# shingles on each side, J = 48 / 60 = .8: the shortest text whose two-word edit is still found by words.
_SHORT_WORDS = 56
_BANDING = Banding()
# Texts sketched, and pairs verified, at a time: bounds the memory whatever the size of the corpus.
_TEXTS_AT_ONCE = 20_000
_PAIRS_AT_ONCE = 50_000


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


@dataclass(frozen=True, slots=True)
class _Sketched:
    """Texts with their band keys and one byte of each MinHash value, enough to rule pairs out."""

    texts: list[str]
    kind: ShingleKind
    keys: Hashes
    marks: npt.NDArray[np.uint8]


def near_duplicates(frame: pl.DataFrame, threshold: float = SIMILAR, banding: Banding = _BANDING) -> pl.DataFrame:
    """Group the rows of `frame` (id, text) that are nearly the same, directly or through others.

    Returns id, cluster_id (the smallest id of the group) and is_representative, in the order of `frame`.
    A missing text counts as empty. Raises UsageError when ids repeat or columns are missing.
    """
    corpus = _corpus(frame)
    groups = np.arange(len(corpus.texts))
    for kind in ShingleKind:
        groups = _merged(corpus, kind, groups, (threshold, banding))
    group = pl.Series("group", groups[corpus.rows["distinct"].to_numpy()], dtype=pl.Int64)
    cluster = pl.col("id").min().over("group")
    return corpus.rows.with_columns(group).select("id", cluster_id=cluster, is_representative=pl.col("id") == cluster)


def overlap(
    frame: pl.DataFrame, other: pl.DataFrame, threshold: float = SIMILAR, banding: Banding = _BANDING
) -> pl.DataFrame:
    """Find the rows of `frame` (id, text) that have a near twin in `other` (id, text): leakage, say.

    Returns id, other_id and jaccard: one row per row of `frame` with a twin, naming one: the same text if
    `other` has it, else the first near one met. Raises UsageError when ids repeat or columns are missing.
    """
    corpus, others = _corpus(frame), _corpus(other)
    twins, similarity = _same_texts(corpus, others)
    for kind in ShingleKind:
        _find_twins((corpus, others), kind, (twins, similarity), (threshold, banding))
    names = others.rows.group_by("distinct").agg(other_id=pl.col("id").min())
    found = pl.DataFrame({"distinct": np.arange(len(twins)), "twin": twins, "jaccard": similarity})
    named = found.filter(pl.col("twin") >= 0).join(names, left_on="twin", right_on="distinct")
    return corpus.rows.join(named, on="distinct", maintain_order="left").select("id", "other_id", "jaccard")


def _corpus(frame: pl.DataFrame) -> _Corpus:
    if not {"id", "text"} <= set(frame.columns):
        raise UsageError(f"Near duplicates need columns 'id' and 'text'; got {frame.columns}. Rename them first.")
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


def _merged(corpus: _Corpus, kind: ShingleKind, groups: Positions, bar: tuple[float, Banding]) -> Positions:
    """Merge the groups of texts that are near twins by this kind of shingle.

    A pair already in one group is not compared again: that keeps a log full of boilerplate affordable.
    """
    chosen = corpus.comparable(kind, bar[0])
    sketched = _sketch([corpus.texts[i] for i in chosen], kind, bar[1])
    for first, second in neighbours(sketched.keys):
        apart = groups[chosen[first]] != groups[chosen[second]]
        (left, right), _ = _verified(sketched, sketched, (first[apart], second[apart]), bar[0])
        if len(left):
            groups = _joined(groups, chosen[left], chosen[right])
    return groups


def _joined(groups: Positions, first: Positions, second: Positions) -> Positions:
    edges = (np.ones(len(first), np.int8), (groups[first], groups[second]))
    graph = coo_array(edges, shape=(len(groups), len(groups)))
    joined: Positions = connected_components(graph, directed=False)[1][groups]
    return joined


def _same_texts(corpus: _Corpus, others: _Corpus) -> tuple[Positions, Similarities]:
    """Return for every text the position of the equal other text (-1: none), and its similarity."""
    places = {text: place for place, text in enumerate(others.texts)}
    twins = np.array([places.get(text, -1) for text in corpus.texts], np.int64)
    return twins, (twins >= 0).astype(np.float64)


def _find_twins(
    corpora: tuple[_Corpus, _Corpus],
    kind: ShingleKind,
    found: tuple[Positions, Similarities],
    bar: tuple[float, Banding],
) -> None:
    """Fill in, in place, a twin for texts that have none yet."""
    (twins, similarity), (threshold, banding) = found, bar
    chosen, candidates = (corpus.comparable(kind, threshold) for corpus in corpora)
    chosen = chosen[twins[chosen] < 0]
    sketched = _sketch([corpora[0].texts[i] for i in chosen], kind, banding)
    others = _sketch([corpora[1].texts[i] for i in candidates], kind, banding)
    for first, second in crossings(sketched.keys, others.keys):
        alone = twins[chosen[first]] < 0
        (left, right), likeness = _verified(sketched, others, (first[alone], second[alone]), threshold)
        twins[chosen[left]] = candidates[right]
        similarity[chosen[left]] = likeness


def _sketch(texts: list[str], kind: ShingleKind, banding: Banding) -> _Sketched:
    keys = np.empty((len(texts), banding.bands), np.uint64)
    marks = np.empty((len(texts), banding.permutations), np.uint8)
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        block = slice(start, start + _TEXTS_AT_ONCE)
        sketches = signatures(shingle(texts[block], kind), banding.permutations)
        keys[block], marks[block] = band_keys(sketches, banding), sketches.astype(np.uint8)
    return _Sketched(texts, kind, keys, marks)


def _verified(sketched: _Sketched, others: _Sketched, pairs: Pairs, threshold: float) -> tuple[Pairs, Similarities]:
    """Return those of the pairs whose true Jaccard similarity reaches the threshold, and that similarity."""
    found = [((pairs[0][:0], pairs[1][:0]), np.zeros(0))]
    for start in range(0, len(pairs[0]), _PAIRS_AT_ONCE):
        first, second = (side[start : start + _PAIRS_AT_ONCE] for side in pairs)
        worth = likely(sketched.marks[first], others.marks[second], threshold)
        first, second = first[worth], second[worth]
        similarity = _similarities(sketched, others, first, second)
        close = similarity >= threshold
        found.append(((first[close], second[close]), similarity[close]))
    left, right = (np.concatenate([pair[side] for pair, _ in found]) for side in (0, 1))
    return (left, right), np.concatenate([similarity for _, similarity in found])


def _similarities(sketched: _Sketched, others: _Sketched, first: Positions, second: Positions) -> Similarities:
    left, from_left = np.unique(first, return_inverse=True)
    right, from_right = np.unique(second, return_inverse=True)
    members = [sketched.texts[i] for i in left] + [others.texts[j] for j in right]
    return jaccard(shingle(members, sketched.kind), from_left, len(left) + from_right)
