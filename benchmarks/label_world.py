"""A product whose model learns from corrections: texts, a learner, users who complain, and rounds of the wheel.

Nothing here tells an arm whether the model was right: it sees texts, answers, confidences and what users did.
"""

import csv
import json
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression

from flywheel.scenario.bank import generate_queries
from flywheel.scenario.datasets import load_banking77
from flywheel.scenario.users import Habits
from flywheel.stats.label_model import fit_patterns

Indices = NDArray[np.int64]
Numbers = NDArray[np.float64]

_PRUNE_FROM = 1_000  # as the local provider's features: from so many examples on, what one text has alone is dropped
_WORD = r"(?u)\b\w+\b"
_HABITS = Habits()
# How often each signal fires on wrong and on right answers: the scenario's habits of users.
RATES = {
    "thumbs_down": (_HABITS.thumbs_down_on_wrong, _HABITS.thumbs_down_on_right),
    "rephrase": (_HABITS.rephrase_on_wrong, _HABITS.follow_up_on_right),
    "user_edit": (_HABITS.edit_on_wrong, 0.0),
    "negative_outcome": (
        _HABITS.outcome_coverage * (1 - _HABITS.outcome_noise),
        _HABITS.outcome_coverage * _HABITS.outcome_noise,
    ),
}


@dataclass(frozen=True)
class TextSet:
    """Texts to learn from and to test on, counted once: hashed words and pairs, without weights."""

    name: str
    texts: list[str]
    labels: Indices
    counts: csr_matrix
    test_labels: Indices
    test_counts: csr_matrix

    @classmethod
    def of(cls, name: str, train: Sequence[tuple[str, str]], test: Sequence[tuple[str, str]]) -> "TextSet":
        names = {label: place for place, label in enumerate(sorted({label for _, label in [*train, *test]}))}
        hashed = HashingVectorizer(
            n_features=2**18, ngram_range=(1, 2), alternate_sign=False, norm=None, token_pattern=_WORD
        )
        counted = [hashed.transform([text for text, _ in side]).astype(np.float32) for side in (train, test)]
        numbered = [np.array([names[label] for _, label in side], dtype=np.int64) for side in (train, test)]
        return cls(name, [text for text, _ in train], numbered[0], counted[0], numbered[1], counted[1])


@dataclass(frozen=True)
class Plan:
    """How long and how hard the wheel turns."""

    rounds: int = 6
    budget: int = 80  # corrections a round
    traffic: int = 2_000  # calls a round
    start: int = 5  # examples per label that production begins with


@dataclass(frozen=True)
class Round:
    """What an arm may look at: one row per call of the round, and the texts corrected so far."""

    calls: pl.DataFrame  # place, query, answer, confidence, p_failure, is_failure (a signal fired)
    shares: Numbers  # (calls, answers): the model's probabilities; the product's logs have only the largest
    before: list[str]
    budget: int
    seed: Sequence[int]


Arm = Callable[[Round], Sequence[int]]


def scenario() -> TextSet:
    """Return the built-in scenario's support desk."""
    sides = [[(q.text, q.intent) for q in generate_queries(seed, count)] for seed, count in ((5, 330), (905, 60))]
    return TextSet.of("scenario", *sides)


def banking77() -> TextSet | None:
    """Return Banking77 from FLYWHEEL_DATA or from shared/data beside the checkout; None where it is not."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("FLYWHEEL_DATA", beside)) / "banking77"
    if not folder.is_dir():
        return None
    return TextSet.of("banking77", *([(q.text, q.intent) for q in side] for side in load_banking77(folder)))


def read_set(path: Path, test_share: float = 0.25) -> TextSet:
    """Return any labelled texts: a CSV or JSONL file with `text` and `label`; a share of it becomes the test set."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file)) if path.suffix == ".csv" else [json.loads(line) for line in file]
    pairs = [(str(row["text"]), str(row["label"])) for row in rows]
    order = np.random.default_rng(0).permutation(len(pairs))
    cut = int(len(pairs) * test_share)
    return TextSet.of(path.stem, [pairs[place] for place in order[cut:]], [pairs[place] for place in order[:cut]])


class Learner:
    """TF-IDF and logistic regression, with the local provider's settings."""

    def __init__(self, counts: csr_matrix, labels: Indices) -> None:
        seen = np.asarray((counts > 0).sum(axis=0)).ravel()
        self._columns = np.flatnonzero(seen >= (2 if counts.shape[0] >= _PRUNE_FROM else 1))
        self._weights = TfidfTransformer(sublinear_tf=True).fit(counts[:, self._columns])
        self._model = LogisticRegression(C=30.0, max_iter=30, tol=1e-3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # stopping early is intended
            self._model.fit(self._weights.transform(counts[:, self._columns]), labels)
        self.labels = self._model.classes_

    def shares(self, counts: csr_matrix) -> Numbers:
        """Return the probabilities of the known labels, (texts, labels)."""
        scores = self._weights.transform(counts[:, self._columns]) @ self._model.coef_.T + self._model.intercept_
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


class Product:
    """A product of one seed: its model, what its users did so far, and what was corrected."""

    def __init__(self, texts: TextSet, plan: Plan, seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(texts.labels))
        labels = np.unique(texts.labels)
        self._start = np.concatenate([order[texts.labels[order] == label][: plan.start] for label in labels])
        self._stream = order[~np.isin(order, self._start)]
        self._texts, self._plan, self._seed = texts, plan, seed
        self._bought = np.zeros(0, dtype=np.int64)
        self._arrived = np.zeros(0, dtype=np.int64)
        self._votes = np.zeros((0, len(RATES)), dtype=np.int8)
        self._learn()

    @property
    def accuracy(self) -> float:
        """Return the share of the test set that the model gets right."""
        shares = self._model.shares(self._texts.test_counts)
        return float((self._model.labels[shares.argmax(axis=1)] == self._texts.test_labels).mean())

    def serve(self, number: int) -> Round:
        """Answer a round of traffic, let users complain, and weigh their signals as mining does."""
        order = np.random.default_rng([self._seed, number, 3]).permutation(self._stream)
        self._arrived = order[~np.isin(order, self._bought)][: self._plan.traffic]
        shares = self._model.shares(self._texts.counts[self._arrived])
        answers = self._model.labels[shares.argmax(axis=1)]
        signals = self._complaints(answers != self._texts.labels[self._arrived], number)
        self._votes = np.vstack([self._votes, signals])
        known = fit_patterns(*np.unique(self._votes, axis=0, return_counts=True))
        calls = {
            "place": np.arange(len(answers)),
            "query": [self._texts.texts[place] for place in self._arrived],
            "answer": answers,
            "confidence": shares.max(axis=1),
            "p_failure": known.predict(signals),
            "is_failure": signals.any(axis=1),
        }
        before = [self._texts.texts[place] for place in self._bought[::-1]]
        return Round(pl.DataFrame(calls), shares, before, self._plan.budget, (self._seed, number))

    def correct(self, places: Sequence[int]) -> None:
        """Have calls of the round corrected and learn from them."""
        chosen = self._arrived[np.asarray(places, dtype=np.int64)[: self._plan.budget]]
        self._bought = np.concatenate([self._bought, chosen])
        self._learn()

    def _complaints(self, is_wrong: NDArray[np.bool_], number: int) -> NDArray[np.int8]:
        drawn = np.random.default_rng([self._seed, number, 7]).random((len(is_wrong), len(RATES)))
        on_wrong, on_right = np.array(list(RATES.values())).T
        return (drawn < np.where(is_wrong[:, None], on_wrong, on_right)).astype(np.int8)

    def _learn(self) -> None:
        taught = np.concatenate([self._start, self._bought])
        self._model = Learner(self._texts.counts[taught], self._texts.labels[taught])


def learning_curve(texts: TextSet, arm: Arm, plan: Plan, seed: int) -> Numbers:
    """Return the accuracy on the test set before the first round and after each."""
    product = Product(texts, plan, seed)
    accuracy = [product.accuracy]
    for number in range(plan.rounds):
        product.correct(arm(product.serve(number)))
        accuracy.append(product.accuracy)
    return np.array(accuracy)
