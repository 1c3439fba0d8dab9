"""Put notes into a fixed space, so that a centroid stored last month means the same today."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer

DIMENSIONS = 1024  # hashed words; notes are short, so collisions stay rare and a centroid is 4 KB
_SEPARATORS = re.compile(r"[_|]+")


def embed(notes: Sequence[str]) -> NDArray[np.float32]:
    """Return unit vectors, (len(notes), DIMENSIONS), of hashed words and word pairs; no state, no fitting."""
    vectorizer = HashingVectorizer(
        n_features=DIMENSIONS, ngram_range=(1, 2), alternate_sign=False, norm="l2", stop_words="english"
    )
    if not notes:
        return np.empty((0, DIMENSIONS), dtype=np.float32)
    readable = [_SEPARATORS.sub(" ", note) for note in notes]
    return np.asarray(vectorizer.transform(readable).toarray(), dtype=np.float32)
