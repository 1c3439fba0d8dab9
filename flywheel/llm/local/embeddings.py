"""Embeddings without training: hashed word and character grams through a fixed random projection."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH = 256
_HASHED = 2**16  # columns per kind of gram
_NONZERO = 8  # per hashed column: very sparse projections keep distances (Li, Hastie & Church, KDD 2006)
_SEED = 20_260_101
_WORD_SHARE = 0.7  # of the squared length; whole words say more than their letters


def embed(texts: Sequence[str], dimensions: int = WIDTH) -> NDArray[np.float32]:
    """Return one row of length one per text; fewer dimensions are the first ones, scaled to length one again."""
    from scipy.sparse import hstack

    vectorizers, projection = _fixed_parts()
    encodable = [text.encode("utf-8", "replace").decode() for text in texts]
    shares = (_WORD_SHARE, 1 - _WORD_SHARE)
    blocks = [
        _scaled(vectorizer.transform(encodable)) * share**0.5
        for vectorizer, share in zip(vectorizers, shares, strict=True)
    ]
    rows = np.asarray((hstack(blocks).tocsr() @ projection).toarray(), dtype=np.float32)[:, :dimensions]
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows[lengths[:, 0] == 0, 0] = 1.0  # a text without grams still gets a direction
    lengths[lengths == 0] = 1.0
    scaled: NDArray[np.float32] = rows / lengths
    return scaled


def _scaled(counts: Any) -> Any:
    from sklearn.preprocessing import normalize

    counts.data = 1.0 + np.log(counts.data)
    return normalize(counts)


@lru_cache(maxsize=1)
def _fixed_parts() -> tuple[tuple[Any, Any], Any]:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import HashingVectorizer

    words = HashingVectorizer(
        n_features=_HASHED, ngram_range=(1, 2), stop_words="english", norm=None, alternate_sign=False
    )
    letters = HashingVectorizer(
        analyzer="char_wb", n_features=_HASHED, ngram_range=(3, 4), norm=None, alternate_sign=False
    )
    random = np.random.RandomState(_SEED)  # its stream is frozen for ever; a Generator's may change
    signs = random.choice([-1.0, 1.0], size=2 * _HASHED * _NONZERO).astype(np.float32)
    places = random.randint(0, WIDTH, size=2 * _HASHED * _NONZERO)
    starts = np.arange(0, len(places) + 1, _NONZERO)
    return (words, letters), csr_matrix((signs, places, starts), shape=(2 * _HASHED, WIDTH))
