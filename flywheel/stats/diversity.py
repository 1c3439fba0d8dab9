"""Measure how varied a set of texts is. Compare at equal size: all of these move with the number of texts."""

import gzip
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from flywheel.stats.intervals import Numbers


def distinct_n(texts: Sequence[str], n: int = 2, token_budget: int | None = None) -> float:
    """Return distinct word n-grams / all word n-grams (Li et al. 2016), in (0, 1]; nan when there are none.

    Falls with the length of the set; give both sides of a comparison the same `token_budget`, the number of words
    read from the front.
    """
    grams: list[tuple[str, ...]] = []
    left = token_budget if token_budget is not None else sum(len(text) for text in texts)
    for text in texts:
        words = text.split()[: max(left, 0)]
        left -= len(words)
        grams += zip(*(words[start:] for start in range(n)), strict=False)
    return len(set(grams)) / len(grams) if grams else float("nan")


def compression_ratio(texts: Sequence[str]) -> float:
    """Return size / gzipped size of all texts together: higher is more repetitive (Shaib et al. 2024, 2403.00553).

    The cheapest single number for diversity; methods 7.2 allows at most 1.15 times that of the human anchor set.
    nan without text.
    """
    raw = "\n".join(texts).encode()
    # A fixed time stamp and level: the same texts give the same number.
    return len(raw) / len(gzip.compress(raw, compresslevel=9, mtime=0)) if raw else float("nan")


def entropy(counts: npt.ArrayLike) -> float:
    """Return the Shannon entropy of a histogram in nats; 0 when everything is in one bin or nothing is."""
    numbers = np.asarray(counts, np.float64)
    shares = numbers[numbers > 0] / max(numbers.sum(), 1e-300)
    return float(-(shares * np.log(shares)).sum()) + 0.0


def normalised_entropy(counts: npt.ArrayLike) -> float:
    """Return the entropy as a share of the largest possible for this many bins, in [0, 1]; 0 for one bin."""
    bins = len(np.asarray(counts))
    return entropy(counts) / float(np.log(bins)) if bins > 1 else 0.0


def vendi_score(embeddings: npt.NDArray[np.floating[Any]]) -> float:
    """Return the effective number of different texts, from 1 to n (Friedman and Dieng 2023, 2210.02410).

    exp of the entropy of the eigenvalues of K / n, K the cosine similarities; computed on the smaller of the n x n
    and the d x d side. Rows are embeddings, none of them zero; nan without rows.
    """
    if len(embeddings) == 0:
        return float("nan")
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    gram = unit.T @ unit if unit.shape[1] < unit.shape[0] else unit @ unit.T
    eigenvalues: Numbers = np.linalg.eigvalsh(gram / len(embeddings)).astype(np.float64)
    return float(np.exp(entropy(np.clip(eigenvalues, 0.0, None))))
