"""Ways to spend a round's corrections: each takes what the product knows and returns the calls to correct."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import HashingVectorizer

from benchmarks.label_world import Arm, Round
from flywheel.mine.selection import SelectionPolicy
from flywheel.mine.selection_pool import choose_hard, resemblance, with_hardness

_MOST_MODES = 20


def at_random(shown: Round) -> Sequence[int]:
    """Any call."""
    return np.random.default_rng([*shown.seed, 9]).permutation(shown.calls.height)


def least_confidence(shown: Round) -> Sequence[int]:
    """Plain uncertainty sampling by the largest probability."""
    return np.argsort(shown.shares.max(axis=1), kind="stable")


def margin(shown: Round) -> Sequence[int]:
    """Plain uncertainty sampling by the gap of the two largest probabilities."""
    largest = np.sort(shown.shares, axis=1)
    return np.argsort(largest[:, -1] - largest[:, -2], kind="stable")


def entropy(shown: Round) -> Sequence[int]:
    """Plain uncertainty sampling by entropy."""
    return np.argsort((shown.shares * np.log(shown.shares + 1e-12)).sum(axis=1), kind="stable")


def k_center(shown: Round) -> Sequence[int]:
    """Diversity alone: always the call farthest from everything corrected so far."""
    among, earlier = resemblance(shown.calls["query"].to_list(), shown.before)
    near = earlier.max(axis=1, initial=0.0)
    places: list[int] = []
    for _ in range(shown.budget):
        places.append(int(near.argmin()))
        near = np.maximum(near, among[places[-1]])
        near[places] = 2.0
    return places


def random_failure(shown: Round) -> Sequence[int]:
    """Any call on which a signal fired."""
    return at_random(shown)[np.isin(at_random(shown), _failures(shown)["place"].to_numpy())]


def hardest(shown: Round) -> Sequence[int]:
    """The hardest failures, alike or not."""
    return with_hardness(_failures(shown), SelectionPolicy()).sort("hardness", descending=True)["place"].to_numpy()


def flywheel(shown: Round, policy: SelectionPolicy | None = None) -> Sequence[int]:
    """What the product does: modes from notes, then its own selection among failures (near-duplicates apart)."""
    policy = policy or SelectionPolicy()
    failures = _failures(shown)
    candidates = failures.with_columns(mode_id=pl.Series(_modes(failures)), novelty=pl.lit(0.0), represents=pl.lit(1))
    return choose_hard(with_hardness(candidates, policy), shown.before, shown.budget, policy)["place"].to_numpy()


def _modes(failures: pl.DataFrame) -> NDArray[np.int32]:
    """Group notes, the answer and the question, into at most twenty modes, as mining does in its own way."""
    notes = [f"{answer} {query}" for answer, query in failures.select("answer", "query").iter_rows()]
    wanted = min(_MOST_MODES, len(notes))
    hashed = HashingVectorizer(n_features=1024, alternate_sign=False, stop_words="english").transform(notes)
    return KMeans(n_clusters=wanted, n_init=1, random_state=17).fit_predict(hashed)


def variant(**changes: float) -> Arm:
    """The product with another policy."""
    return partial(flywheel, policy=replace(SelectionPolicy(), **changes))


def _failures(shown: Round) -> pl.DataFrame:
    return shown.calls.filter(pl.col("is_failure")).with_columns(disagreement=pl.lit(None, dtype=pl.Float64))


ARMS: dict[str, Arm] = {
    "random traffic": at_random,
    "least confidence": least_confidence,
    "margin": margin,
    "entropy": entropy,
    "k-center": k_center,
    "random failure": random_failure,
    "hardest failure": hardest,
    "flywheel": flywheel,
}

# What each part of the product's selection contributes; compare on seeds other than the study's before changing it.
VARIANTS: dict[str, Arm] = {
    "flywheel, by words only": variant(letters_share=0.0),
    "flywheel, half by letters": variant(letters_share=0.5),
    "flywheel, by letters only": variant(letters_share=1.0),
    "flywheel, modes unseen": variant(mode_kinship=0.0),
    "flywheel, own hardness unseen": variant(own_share=0.0),
    "flywheel, own hardness in full": variant(own_share=1.0),
}
