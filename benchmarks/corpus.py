"""Texts with planted near duplicates whose true similarity is known, for benchmarks."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

_VOCABULARY = 50_000
_SYLLABLES = ["ka", "to", "mi", "re", "su", "lo", "ne", "vi", "pa", "der", "an", "il", "ost", "ur", "em", "ing", "qu"]
# A tenth of the texts are copies of an earlier one, with so many words replaced.
_COPIED, _REPLACED = 0.1, np.array([0, 1, 2, 4, 8, 15])
_BLOCK = 20_000


def vocabulary(rng: np.random.Generator) -> np.ndarray:
    """Return made-up words: the more frequent, the shorter."""
    words: dict[str, None] = {}
    while len(words) < _VOCABULARY:
        size = 1 + (len(words) > 50) + (len(words) > 2000) + int(rng.integers(0, 2))
        word = "".join(rng.choice(_SYLLABLES, size))
        words[word if word not in words else f"{word}{len(words)}"] = None
    return np.array(list(words), dtype=object)


def texts(count: int, words: tuple[int, int] = (90, 170), seed: int = 20240229) -> Iterator[pl.DataFrame]:
    """Yield blocks of (id, text, orig, jac): texts of Zipf words; orig is null where the text is no copy."""
    rng = np.random.default_rng(seed)
    known = vocabulary(rng)
    shares = 1 / np.arange(1, _VOCABULARY + 1) ** 1.05
    cumulated = np.cumsum(shares / shares.sum())
    originals: list[tuple[int, np.ndarray]] = []
    for start in range(0, count, _BLOCK):
        rows = []
        for number in range(start, min(start + _BLOCK, count)):
            drawn = np.searchsorted(cumulated, rng.random(int(rng.integers(*words)))).clip(0, _VOCABULARY - 1)
            orig, jac = None, None
            if len(originals) > 1000 and rng.random() < _COPIED:
                orig, source = originals[int(rng.integers(len(originals)))]
                drawn = _copied(source, rng)
                jac = _jaccard(source, drawn)
            elif len(originals) < 150_000:
                originals.append((number, drawn))
            rows.append((number, " ".join(known[drawn]), orig, jac))
        yield pl.DataFrame(
            rows, schema={"id": pl.Int64, "text": pl.String, "orig": pl.Int64, "jac": pl.Float64}, orient="row"
        )


def write_corpus(folder: Path, count: int) -> int:
    """Write text.parquet (id, text) and truth.parquet (dup, orig, jac); return the bytes of text."""
    made = pl.concat(texts(count))
    made.select("id", "text").write_parquet(folder / "text.parquet")
    made.drop_nulls("orig").select("orig", "jac", dup="id").write_parquet(folder / "truth.parquet")
    return int(made["text"].str.len_bytes().sum())


def _copied(source: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    copy = source.copy()
    places = rng.choice(len(copy), min(int(rng.choice(_REPLACED)), len(copy)), replace=False)
    copy[places] = rng.integers(0, _VOCABULARY, len(places))
    return copy


def _jaccard(first: np.ndarray, second: np.ndarray) -> float:
    left, right = (set(zip(words, words[1:], words[2:], strict=False)) for words in (first.tolist(), second.tolist()))
    return len(left & right) / len(left | right)
