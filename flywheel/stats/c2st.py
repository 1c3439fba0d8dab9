"""Test whether two sets of texts can be told apart, and show what tells them apart.

A classifier two-sample test (Lopez-Paz and Oquab 2017): if a classifier that has not seen a text can say which set
it is from better than a coin, the sets differ. It sees words and word pairs, with digits masked: dates, prices and
order numbers differ between any two days and mean nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binom
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from flywheel.core.errors import UsageError
from flywheel.stats.intervals import Numbers

_FOLDS = 5
# The larger set is sampled down to the smaller, and both to this: enough to find a difference of 1% in accuracy.
_MOST_TEXTS = 20_000
# The level makes up for the optimistic p-value; Evidently calls text drift from the same AUC on.
_LEVEL = 0.01
_LEAST_AUC = 0.55
# Phrases looked up for the explanation, most frequent first.
_VOCABULARY = 5_000


@dataclass(frozen=True, slots=True)
class TextDrift:
    """How well two sets of texts are told apart, and by what.

    n is the number of texts taken per side; accuracy is over 2n texts, p_value its one-sided binomial tail against
    1/2. drifted holds positions in `current`, the most unlike the reference first; terms holds phrases with their
    weight, positive where current has more of them.

    The p-value is a little too small, since cross-fitted hits are not independent: 7% of 300 driftless splits of
    real queries (700 a side) were below .05, 2% below .01. `told_apart` asks for more.
    """

    n: int
    auc: float
    accuracy: float
    p_value: float
    drifted: tuple[int, ...]
    terms: tuple[tuple[str, float], ...]

    @property
    def told_apart(self) -> bool:
        """Say whether the sets differ, by more than chance (p < .01) and by enough to matter (AUC > .55)."""
        return self.p_value < _LEVEL and self.auc > _LEAST_AUC


def classifier_two_sample_test(
    reference: Sequence[str], current: Sequence[str], seed: int, most_drifted: int = 20, top_terms: int = 10
) -> TextDrift:
    """Tell two sets of texts apart by cross-fitted logistic regression; the same seed gives the same answer.

    Raises UsageError when a side has fewer texts than there are folds. Below 500 texts a side the test finds only
    large differences: call such a comparison insufficient rather than fine.
    """
    if min(len(reference), len(current)) < _FOLDS:
        raise UsageError(f"Got {len(reference)} and {len(current)} texts; both sides need at least {_FOLDS}.")
    rng = np.random.default_rng(seed)
    n = min(len(reference), len(current), _MOST_TEXTS)
    known, fresh = (np.sort(rng.permutation(len(side))[:n]) for side in (reference, current))
    texts = [_masked(reference[i]) for i in known] + [_masked(current[i]) for i in fresh]
    labels = np.repeat([0, 1], n)
    hashed = _vectorizer().transform(texts)
    # What only one text contains cannot help with another; leaving it out makes the fit some hundred times faster.
    used = np.union1d([0], np.flatnonzero(hashed.getnnz(axis=0) > 1))
    features = hashed[:, used]
    scores = _cross_fitted(features, labels, rng)
    hits = int(((scores > 0) == labels).sum())
    weights = np.zeros(hashed.shape[1])
    weights[used] = _fitted(features, labels).coef_[0]
    order = np.argsort(-scores[n:], kind="stable")[:most_drifted]
    return TextDrift(
        n=n,
        auc=float(roc_auc_score(labels, scores)),
        accuracy=hits / (2 * n),
        p_value=float(binom.sf(hits - 1, 2 * n, 0.5)),
        drifted=tuple(int(i) for i in fresh[order]),
        terms=_moved_terms(texts, weights, top_terms),
    )


def _masked(text: str) -> str:
    return re.sub(r"\d+", "0", text)


def _vectorizer() -> HashingVectorizer:
    return HashingVectorizer(n_features=2**18, ngram_range=(1, 2), alternate_sign=False)


def _fitted(features: Any, labels: npt.NDArray[np.int64]) -> LogisticRegression:
    return LogisticRegression(solver="liblinear", max_iter=200).fit(features, labels)


def _cross_fitted(features: Any, labels: npt.NDArray[np.int64], rng: np.random.Generator) -> Numbers:
    """Return for every text the log-odds of being current, from a model that did not train on it."""
    scores = np.empty(len(labels))
    for held_out in _folds(len(labels) // 2, rng):
        training = np.setdiff1d(np.arange(len(labels)), held_out)
        scores[held_out] = _fitted(features[training], labels[training]).decision_function(features[held_out])
    return scores


def _folds(n: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    known, fresh = rng.permutation(n), rng.permutation(n) + n
    for fold in range(_FOLDS):
        yield np.concatenate([known[fold::_FOLDS], fresh[fold::_FOLDS]])


def _moved_terms(texts: list[str], weights: Numbers, top: int) -> tuple[tuple[str, float], ...]:
    """Return the phrases that tell most: difference in the share of texts x size of the model's weight."""
    half = len(texts) // 2
    analyse = _vectorizer().build_analyzer()
    before, after = (
        Counter(term for text in side for term in set(analyse(text))) for side in (texts[:half], texts[half:])
    )
    common = (before + after).most_common(_VOCABULARY)
    phrases = [phrase for phrase, count in common if count > 1 and not set(phrase.split()) <= ENGLISH_STOP_WORDS]
    if not phrases:
        return ()
    moved = np.array([after[phrase] - before[phrase] for phrase in phrases]) / half
    contribution = moved * np.abs(_vectorizer().transform(phrases) @ weights)
    order = np.lexsort((phrases, -np.abs(contribution)))[:top]
    return tuple((phrases[i], round(float(contribution[i]), 6)) for i in order)
