"""Learners: what a fine-tuning job really fits, and what it answers afterwards."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from flywheel.llm.local.catalogue import Family
from flywheel.llm.local.distribution import Distribution, softmax
from flywheel.llm.local.examples import Example, distinct_answers
from flywheel.llm.local.features import CHARACTERS, WORDS, Features, Grams

_KINDS: dict[Family, tuple[Grams, ...]] = {
    Family.LINEAR: (WORDS,),
    Family.NGRAM: (WORDS, CHARACTERS),
    Family.NEIGHBOUR: (WORDS, CHARACTERS),
}
# Answers are classes while they repeat; above these bounds every answer is a text of its own.
_ALWAYS_CLASSES = 200
_MOST_CLASSES = 400
# Chosen on BANKING77, 2,000 training queries: accuracy and log loss are flat from 10 to 100.
_LOGISTIC_C = 30.0
_LOGISTIC_STEPS = 30
_MARGIN_C = 1.0
# On the same queries 8 to 32 neighbours and 5 to 20 lie within 4 points of accuracy; at 10 one identical
# text still outweighs fifteen that are a cosine of 0.6 away.
_NEIGHBOURS = 16
_NEIGHBOUR_SHARPNESS = 10.0
_HELD_BACK = 0.25
_FEWEST_HELD_BACK = 20
_USUAL_SHARPNESS = 4.0  # of margins, when there are too few examples to measure it
_SHARPNESS_GRID = np.geomspace(0.5, 32.0, 25)


class Learner(Protocol):
    """Answer a text with a distribution over complete answers."""

    def distribution(self, text: str) -> Distribution:
        """Return the answers this text may get."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """Say how to fit: the family, the seed of every random choice, and how closely to follow the data."""

    family: Family
    seed: int = 0
    strength: float = 1.0


def fit(examples: Sequence[Example], plan: Plan) -> Learner:
    """Fit the family's learner; same examples and plan, same learner."""
    used = [example for example in examples if example.weight > 0]
    answers = distinct_answers(used)
    features = Features([example.text for example in used], _KINDS[plan.family])
    if len(answers) == 1 or features.matrix.shape[1] == 0:
        return Prior(_prior(used, answers))
    most = min(_MOST_CLASSES, max(_ALWAYS_CLASSES, len(used) // 2))
    if plan.family is Family.NEIGHBOUR or len(answers) > most:
        return Retrieval(used, answers, features)
    return Classifier(used, answers, features, plan)


@dataclass(frozen=True, slots=True)
class Prior:
    """Answer everything with how often each answer was taught."""

    shares: Distribution

    def distribution(self, text: str) -> Distribution:  # noqa: ARG002 - the prior looks at no text
        """Return the same shares for any text."""
        return self.shares


class Classifier:
    """Score every known answer by a linear model over the text's features."""

    def __init__(self, examples: Sequence[Example], answers: tuple[str, ...], features: Features, plan: Plan) -> None:
        place = {answer: index for index, answer in enumerate(answers)}
        labels = np.array([place[example.answer] for example in examples])
        weights = np.array([example.weight for example in examples])
        self._answers = answers
        self._features = features
        if plan.family is Family.NGRAM:
            table, bias, sharpness = _fit_margins(features.matrix, labels, weights, plan)
        else:
            table, bias = _fit_logistic(features.matrix, labels, weights, plan)
            sharpness = 1.0
        self._table = np.ascontiguousarray(table.T * sharpness, dtype=np.float32)
        self._bias = np.asarray(bias * sharpness, dtype=np.float32)

    def distribution(self, text: str) -> Distribution:
        """Return the softmax over all known answers."""
        columns, values = self._features.one(text)
        return Distribution(self._answers, softmax(values @ self._table[columns] + self._bias))


class Retrieval:
    """Answer as the most similar taught texts were answered."""

    def __init__(self, examples: Sequence[Example], answers: tuple[str, ...], features: Features) -> None:
        place = {answer: index for index, answer in enumerate(answers)}
        self._answers = answers
        self._labels = np.array([place[example.answer] for example in examples])
        self._weights = np.array([example.weight for example in examples])
        self._features = features
        self._by_gram = features.matrix.tocsc()
        self._kinds = max(1, features.kind_count)
        self._prior = _prior(examples, answers)

    def distribution(self, text: str) -> Distribution:
        """Share probability among the answers of the nearest texts; the prior if nothing is near."""
        near = self._similarities(text)
        place = max(0, len(near) - _NEIGHBOURS)
        closest = np.flatnonzero((near >= np.partition(near, place)[place]) & (near > 0))  # with all ties
        if not len(closest):
            return self._prior
        shares = softmax(_NEIGHBOUR_SHARPNESS * near[closest] + np.log(self._weights[closest]))
        labels, back = np.unique(self._labels[closest], return_inverse=True)
        mass = np.bincount(back, shares).astype(np.float64)
        return Distribution([self._answers[label] for label in labels], mass)

    def _similarities(self, text: str) -> NDArray[np.float64]:
        columns, values = self._features.one(text)
        starts, ends = self._by_gram.indptr[columns], self._by_gram.indptr[columns + 1]
        spans = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
        if not spans:
            return np.zeros(len(self._labels))
        rows = np.concatenate([self._by_gram.indices[span] for span in spans])
        products = np.concatenate(
            [self._by_gram.data[span] * value for span, value in zip(spans, values, strict=True)]
        )
        return np.bincount(rows, products, minlength=len(self._labels)) / self._kinds


def _prior(examples: Sequence[Example], answers: tuple[str, ...]) -> Distribution:
    mass = dict.fromkeys(answers, 0.0)
    for example in examples:
        mass[example.answer] += example.weight
    shares = np.array(list(mass.values()))
    return Distribution(answers, shares / shares.sum())


def _fit_logistic(matrix: Any, labels: Any, weights: Any, plan: Plan) -> tuple[Any, Any]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=_LOGISTIC_C * plan.strength, max_iter=_LOGISTIC_STEPS, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # stopping early and many classes are intended
        model.fit(matrix, labels, sample_weight=weights)
    return _per_class(model)


def _fit_margins(matrix: Any, labels: Any, weights: Any, plan: Plan) -> tuple[Any, Any, float]:
    """Fit one-against-rest support vectors, and how sharp their softmax must be to be calibrated.

    The sharpness is a temperature found on held-back examples (Guo et al. 2017, arXiv 1706.04599).
    """
    order = np.random.RandomState(plan.seed % 2**32).permutation(len(labels))
    cut = int(len(order) * _HELD_BACK)
    held, kept = order[:cut], order[cut:]
    held = held[np.isin(labels[held], labels[kept])]
    sharpness = _USUAL_SHARPNESS
    if len(held) >= _FEWEST_HELD_BACK and len(np.unique(labels[kept])) > 1:
        known = np.unique(labels[kept])
        table, bias = _margins(matrix[kept], labels[kept], weights[kept], plan)
        scores = np.asarray(matrix[held] @ table.T) + bias
        sharpness = _sharpest(scores, np.searchsorted(known, labels[held]))
    return *_margins(matrix, labels, weights, plan), sharpness


def _margins(matrix: Any, labels: Any, weights: Any, plan: Plan) -> tuple[Any, Any]:
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=_MARGIN_C * plan.strength, random_state=plan.seed % 2**32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.fit(matrix, labels, sample_weight=weights)
    return _per_class(model)


def _per_class(model: Any) -> tuple[Any, Any]:
    """Return one row of coefficients and one intercept per class; for two classes scikit-learn keeps one."""
    if len(model.classes_) > 2:
        return model.coef_, np.broadcast_to(model.intercept_, len(model.classes_))
    return np.vstack([np.zeros_like(model.coef_), model.coef_]), np.append(0.0, model.intercept_)


def _sharpest(scores: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    """Return the factor on the scores with the smallest log loss."""
    rows = np.arange(len(labels))
    losses = [-np.log(softmax(scores * factor)[rows, labels] + 1e-12).mean() for factor in _SHARPNESS_GRID]
    return float(_SHARPNESS_GRID[int(np.argmin(losses))])
