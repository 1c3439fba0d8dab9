"""Find texts that are nearly the same: MinHash-LSH proposes pairs, their true Jaccard similarity decides."""

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from flywheel.text.minhash import Banding, crossings, neighbours
from flywheel.text.sketches import SIMILAR, Bar, Corpus, Similarities, Sketched, read_corpus, verified
from flywheel.text.words import Positions

_BANDING = Banding()


def near_duplicates(frame: pl.DataFrame, threshold: float = SIMILAR, banding: Banding = _BANDING) -> pl.DataFrame:
    """Group the rows of `frame` (id, text) that are nearly the same, directly or through others.

    Returns id, cluster_id (the smallest id of the group) and is_representative, in the order of `frame`.
    A missing text counts as empty. Raises UsageError when ids repeat or columns are missing.
    """
    bar = Bar(threshold, banding)
    corpus = read_corpus(frame, bar)
    group = pl.Series("group", group_texts(corpus, bar)[corpus.rows["distinct"].to_numpy()], dtype=pl.Int64)
    cluster = pl.col("id").min().over("group")
    return corpus.rows.with_columns(group).select("id", cluster_id=cluster, is_representative=pl.col("id") == cluster)


def overlap(
    frame: pl.DataFrame, other: pl.DataFrame, threshold: float = SIMILAR, banding: Banding = _BANDING
) -> pl.DataFrame:
    """Find the rows of `frame` (id, text) that have a near twin in `other` (id, text): leakage, say.

    Returns id, other_id and jaccard: one row per row of `frame` with a twin, naming one: the same text if
    `other` has it, else the first near one met. Raises UsageError when ids repeat or columns are missing.
    """
    bar = Bar(threshold, banding)
    corpus, others = read_corpus(frame, bar), read_corpus(other, bar)
    twins, similarity = _same_texts(corpus, others)
    for sketched, other_sketched in zip(corpus.sketches, others.sketches, strict=True):
        _find_twins(sketched, other_sketched, (twins, similarity), threshold)
    names = others.rows.group_by("distinct").agg(other_id=pl.col("id").min())
    found = pl.DataFrame({"distinct": np.arange(len(twins)), "twin": twins, "jaccard": similarity})
    named = found.filter(pl.col("twin") >= 0).join(names, left_on="twin", right_on="distinct")
    return corpus.rows.join(named, on="distinct", maintain_order="left").select("id", "other_id", "jaccard")


def group_texts(corpus: Corpus, bar: Bar) -> Positions:
    """Return the group of every distinct text of the corpus; near twins, direct or through others, share one.

    A pair already in one group is not compared again: that keeps a log full of boilerplate affordable.
    """
    groups = np.arange(len(corpus))
    for sketched in corpus.sketches:
        for first, second in neighbours(sketched.keys):
            apart = groups[sketched.places[first]] != groups[sketched.places[second]]
            (left, right), _ = verified(sketched, sketched, (first[apart], second[apart]), bar.threshold)
            if len(left):
                groups = _joined(groups, sketched.places[left], sketched.places[right])
    return groups


def _joined(groups: Positions, first: Positions, second: Positions) -> Positions:
    edges = (np.ones(len(first), np.int8), (groups[first], groups[second]))
    graph = coo_array(edges, shape=(len(groups), len(groups)))
    joined: Positions = connected_components(graph, directed=False)[1][groups]
    return joined


def _same_texts(corpus: Corpus, others: Corpus) -> tuple[Positions, Similarities]:
    """Return for every text the position of the equal other text (-1: none), and its similarity."""
    if len(others) == 0:
        return np.full(len(corpus), -1), np.zeros(len(corpus))
    place = np.minimum(np.searchsorted(others.fingerprints, corpus.fingerprints), len(others) - 1)
    twins = np.where(others.fingerprints[place] == corpus.fingerprints, place, -1)
    return twins, (twins >= 0).astype(np.float64)


def _find_twins(
    sketched: Sketched, others: Sketched, found: tuple[Positions, Similarities], threshold: float
) -> None:
    """Fill in the twins by one kind of shingle, for texts that have none yet."""
    twins, similarity = found
    for first, second in crossings(sketched.keys, others.keys):
        alone = twins[sketched.places[first]] < 0
        (left, right), likeness = verified(sketched, others, (first[alone], second[alone]), threshold)
        twins[sketched.places[left]] = others.places[right]
        similarity[sketched.places[left]] = likeness
