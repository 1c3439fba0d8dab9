"""Put notes into a space that keeps its meaning: TF-IDF and SVD fitted once, and room for words not known then.

A vector has two parts. What the space knows is projected by the SVD it was fitted with; a term it never met goes into
hashed columns, so that a new kind of failure is far from the old ones before any refit. A space without terms is
all hashed columns: what a first day of a handful of failures gets.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction import FeatureHasher

from flywheel.core.ids import content_id
from flywheel.mine.note_terms import aspect_terms, weighted_terms
from flywheel.mine.notes import aspects_of

Vectors = NDArray[np.float32]

KNOWN_WIDTH = 128  # a judgement: more columns than a product has labels and kinds of errors that matter
HASHED_WIDTH = 128
WIDTH = KNOWN_WIDTH + HASHED_WIDTH  # a centroid is 1 KB
_MOST_TERMS = 8_000
_FEWEST_NOTES = 30  # of fewer, an SVD remembers the notes rather than what they have in common
_SEED = 17
_AT_ONCE = 4_096  # notes weighed at a time: their terms take a hundred times the room of their vectors


class Embedder(Protocol):
    """What puts notes into a space, and the space's id."""

    @property
    def space_id(self) -> str:
        """Return an id that only this space has."""

    def embed(self, notes: Sequence[str]) -> Vectors:
        """Return one unit vector per note."""

    def affords(self, notes: Sequence[str]) -> bool:
        """Return whether the notes can be embedded with the money that is left."""


@dataclass(frozen=True, slots=True)
class Space:
    """A fitted space: terms with their rarity and their place."""

    terms: tuple[str, ...] = ()
    rarity: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    places: Vectors = field(default_factory=lambda: np.empty((0, KNOWN_WIDTH), np.float32))
    note_count: int = 0  # it was fitted on

    @property
    def space_id(self) -> str:
        """Return an id that two spaces share only if they put every note into the same place."""
        return content_id("note-space", WIDTH, self.note_count, *self.terms) if self.terms else "hashed"

    def embed(self, notes: Sequence[str]) -> Vectors:
        """Return unit vectors, (len(notes), WIDTH); an empty note has a zero vector."""
        if not notes:
            return np.empty((0, WIDTH), np.float32)
        distinct, place = np.unique(np.asarray(notes, dtype=object), return_inverse=True)
        index = {term: number for number, term in enumerate(self.terms)}
        rarity = self._rarity_by_term()
        vectors = np.empty((len(distinct), WIDTH), np.float32)
        for start in range(0, len(distinct), _AT_ONCE):
            weighed = self._weighed(distinct[start : start + _AT_ONCE].tolist(), rarity)
            vectors[start : start + len(weighed)] = self._placed(weighed, index)
        return vectors[place]

    def affords(self, notes: Sequence[str]) -> bool:  # noqa: ARG002 - the protocol has them
        """Return True: a fitted space costs nothing."""
        return True

    def unknown_share(self, notes: Sequence[str]) -> float:
        """Return how much of what the notes say the space has no term for, 0-1: by squared weight."""
        known, rarity = set(self.terms), self._rarity_by_term()
        lost = [
            sum(weight * weight for term, weight in terms.items() if term not in known)
            for start in range(0, len(notes), _AT_ONCE)
            for terms in self._weighed(notes[start : start + _AT_ONCE], rarity)
        ]
        return sum(lost) / len(lost) if lost else 0.0

    def _placed(self, weighed: Sequence[dict[str, float]], index: Mapping[str, int]) -> Vectors:
        known = _sparse(weighed, index) @ self.places if self.terms else np.zeros((len(weighed), KNOWN_WIDTH))
        unknown = [{term: weight for term, weight in terms.items() if term not in index} for terms in weighed]
        hashed = FeatureHasher(n_features=HASHED_WIDTH, input_type="dict").transform(unknown).toarray()
        return units(np.hstack([known, hashed]).astype(np.float32))

    def _rarity_by_term(self) -> dict[str, float]:
        return dict(zip(self.terms, self.rarity.tolist(), strict=True))

    def _weighed(self, notes: Sequence[str], rarity: Mapping[str, float]) -> list[dict[str, float]]:
        rarest = float(np.log1p(self.note_count) + 1)
        return [weighted_terms(note, rarity, rarest) for note in notes]


def fit_space(notes: Sequence[str]) -> Space:
    """Fit terms, rarities and places on notes; of few notes the space that hashes everything."""
    if len(notes) < _FEWEST_NOTES:
        return Space()
    found: Counter[str] = Counter()
    for note in notes:
        found.update({term for aspect, text in aspects_of(note).items() for term in aspect_terms(aspect, text)})
    frequent = sorted((term for term in found if found[term] > 1), key=lambda term: (-found[term], term))
    terms = tuple(sorted(frequent[:_MOST_TERMS]))
    rarity = np.array([np.log((1 + len(notes)) / (1 + found[term])) + 1 for term in terms])
    rough = Space(terms, rarity, np.zeros((len(terms), KNOWN_WIDTH), np.float32), len(notes))
    matrix = _sparse(rough._weighed(notes, rough._rarity_by_term()), dict(zip(terms, range(len(terms)), strict=True)))  # noqa: SLF001
    width = min(KNOWN_WIDTH, min(matrix.shape) - 1)
    if width < 1:
        return Space()
    places = np.zeros((len(terms), KNOWN_WIDTH), np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):  # shares of a variance that identical notes do not have
        places[:, :width] = TruncatedSVD(width, random_state=_SEED).fit(matrix).components_.T
    return Space(terms, rarity, places, len(notes))


def units(vectors: Vectors) -> Vectors:
    """Return the rows at length one; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0), dtype=np.float32)


def _sparse(weighed: Sequence[dict[str, float]], index: Mapping[str, int]) -> sp.csr_matrix:
    rows, columns, weights = [], [], []
    for row, terms in enumerate(weighed):
        for term, weight in terms.items():
            if term in index:
                rows.append(row)
                columns.append(index[term])
                weights.append(weight)
    return sp.csr_matrix((weights, (rows, columns)), shape=(len(weighed), len(index)), dtype=np.float64)
