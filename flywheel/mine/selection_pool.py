"""From candidates to hard examples: how hard each is, how much they resemble each other, and what to choose.

`choose_hard` is what the product calls each day and what benchmarks/label_efficiency.py measures.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flywheel.mine.selection import Numbers, Pool, SelectionPolicy, choose, hardness_of

_COLUMNS = 2**18  # hashed words and pairs: no vocabulary to fit, hardly a collision among a few thousand texts
_WORDS = {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"}  # single letters and digits count, too
_LETTERS = {"ngram_range": (3, 4), "analyzer": "char_wb"}
_LONGEST = 500  # characters of a question that are compared; what is asked stands at its beginning

Similarities = NDArray[np.float32]


def choose_hard(candidates: pl.DataFrame, before: Sequence[str], count: int, policy: SelectionPolicy) -> pl.DataFrame:
    """Return up to `count` candidates in the order they were chosen, with the distance to the `nearest` before each.

    Args:
        candidates: query, mode_id, hardness, novelty and represents of failures.
        before: questions of examples chosen earlier.
        count: how many to choose.
        policy: how.

    """
    among, earlier = resemblance(candidates["query"].to_list(), before, policy.letters_share)
    modes = candidates["mode_id"].rank("dense").to_numpy().astype(np.int64)
    pool = Pool(
        similarity=with_kinship(among, modes, policy.mode_kinship),
        covered=earlier.max(axis=1, initial=0.0).astype(np.float64),
        hardness=_numbers(candidates["hardness"]),
        weight=(1 + np.log(_numbers(candidates["represents"])))
        * (1 + policy.novelty_share * _numbers(candidates["novelty"])),
    )
    chosen = choose(pool, count, policy)
    return candidates[chosen.places].with_columns(nearest=pl.Series(chosen.distance, dtype=pl.Float64))


def with_hardness(candidates: pl.DataFrame, policy: SelectionPolicy) -> pl.DataFrame:
    """Return candidates (p_failure, confidence, disagreement) with their `hardness`.

    How unsure an answer was is said by the model's own confidence or by what others answered, whichever says more.
    """
    doubt = pl.max_horizontal(1 - pl.col("confidence"), pl.col("disagreement")).fill_null(policy.unknown_doubt)
    hardness = hardness_of(_numbers(candidates["p_failure"]), _numbers(candidates.select(doubt=doubt)["doubt"]))
    return candidates.with_columns(hardness=pl.Series(hardness, dtype=pl.Float64))


def _numbers(column: pl.Series) -> Numbers:
    return column.cast(pl.Float64).to_numpy()


def resemblance(
    texts: Sequence[str], others: Sequence[str], letters_share: float = 0.0
) -> tuple[Similarities, Similarities]:
    """Return cosines, (texts, texts) and (texts, others), of TF-IDF weighted words and word pairs.

    Weights are those of these texts together, so a word that all of a day's questions share says little. Groups of
    letters, which see through inflection and typing errors, make up `letters_share` of the cosine.
    """
    if not texts:
        return np.empty((0, 0), dtype=np.float32), np.empty((0, len(others)), dtype=np.float32)
    shown = [text[:_LONGEST] for text in [*texts, *others]]
    among, between = (np.zeros((len(texts), size), dtype=np.float32) for size in (len(texts), len(others)))
    for analyzer, share in ((_WORDS, 1 - letters_share), (_LETTERS, letters_share)):
        if share > 0:
            rows = _weighted(shown, analyzer)
            own, other = rows[: len(texts)], rows[len(texts) :]
            among += share * (own @ own.T).toarray()
            between += share * (own @ other.T).toarray()
    np.fill_diagonal(among, 1.0)  # a text without words still resembles itself
    return np.minimum(among, 1.0), np.minimum(between, 1.0)


def _weighted(texts: Sequence[str], analyzer: Mapping[str, Any]) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    hashed = HashingVectorizer(n_features=_COLUMNS, alternate_sign=False, norm=None, dtype=np.float32, **analyzer)
    return TfidfTransformer(sublinear_tf=True).fit_transform(hashed.transform(texts))


def with_kinship(similarity: Similarities, modes: NDArray[np.int64], kinship: float) -> Similarities:
    """Return the similarity with failures of one mode at least `kinship` alike, whatever their words."""
    kin = modes[:, None] == modes[None, :]
    return np.where(kin, kinship + (1 - kinship) * similarity, similarity).astype(np.float32)
