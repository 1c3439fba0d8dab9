"""People as pseudonyms: the same person stays the same person, the name is not written."""

import re

import polars as pl

from flywheel.core.ids import content_id

_PREFIX = "actor-"
_PSEUDONYM = re.compile(rf"{_PREFIX}([0-9a-f]{{32}})")


def actor_hash(name: str) -> str:
    """Return the hash that stands for a person; a pseudonym stands for the one it was made of."""
    made = _PSEUDONYM.fullmatch(name)
    return made[1] if made else content_id("actor", name)


def pseudonym(name: str) -> str:
    """Return a name to write in the place of one that must not be written."""
    return _PREFIX + actor_hash(name)


def hashed_actor(actor: pl.Expr) -> pl.Expr:
    """Return a column of names as hashes; null stays null."""
    return actor.map_batches(_hashed, return_dtype=pl.String)


def _hashed(names: pl.Series) -> pl.Series:
    known = names.drop_nulls().unique()
    hashes = pl.Series([actor_hash(name) for name in known], dtype=pl.String)
    return names.replace_strict(known, hashes, default=None, return_dtype=pl.String) if len(known) else names
