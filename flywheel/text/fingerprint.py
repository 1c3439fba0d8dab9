"""Name a text by its content, the same on every machine and in every version.

BLAKE2b from the standard library, because `polars.Expr.hash` and Python's `hash` promise nothing across
versions, and these values are stored: example ids, split groups, cache keys.
"""

import hashlib

import polars as pl

from flywheel.text.normalise import normalise, normalised


def fingerprint64(text: str) -> int:
    """Return an unsigned 64-bit fingerprint of the normalised text.

    Two different texts among a million share one with probability 3e-8 (n^2 / 2^65): fine for grouping and
    sampling.
    """
    return int.from_bytes(_digest(normalise(text), 8), "big")


def fingerprint128(text: str) -> str:
    """Return a 128-bit fingerprint of the normalised text as 32 hexadecimal digits: wide enough for an id."""
    return _digest(normalise(text), 16).hex()


def fingerprints(texts: pl.Series) -> pl.Series:
    """Return `fingerprint128` of every text; null stays null."""
    spelled = texts.to_frame("text").select(normalised(pl.col("text"))).to_series()
    digests = [None if text is None else _digest(text, 16).hex() for text in spelled]
    return pl.Series(texts.name, digests, dtype=pl.String)


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=size).digest()
