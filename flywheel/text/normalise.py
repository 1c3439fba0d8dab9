r"""Bring texts to one spelling, so that what reads the same compares the same.

The steps, in order: Unicode NFKC; invisible format characters out (zero-width spaces, soft hyphens and bidi
marks are the cheapest way around a comparison); lower case; `ß` and `ς` folded; runs of white space to one
blank. Lower case plus those two folds, and not full case folding, because the vectorised version and the
one-text version must agree on every character, and Polars has no case folding.
"""

import re
import unicodedata

import polars as pl

# The two letters of living orthographies that lower case leaves apart from their capital's folding.
_FOLDS = {"ß": "ss", "ς": "σ"}
# Python's \s counts the four separators \x1c-\x1f as blanks and Rust's does not: named, they agree.
_BLANKS = r"[\s\x1c-\x1f]+"


def normalise(text: str, *, keep_punctuation: bool = True) -> str:
    """Return the normalised spelling of one text.

    Without punctuation a text made of nothing else ("???") keeps it, so that it does not become empty.
    """
    spelled = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf").lower()
    spelled = re.sub(_BLANKS, " ", "".join(_FOLDS.get(c, c) for c in spelled)).strip(" ")
    if keep_punctuation:
        return spelled
    bare = "".join(" " if unicodedata.category(c).startswith("P") else c for c in spelled)
    return re.sub(_BLANKS, " ", bare).strip(" ") or spelled


def normalised(texts: pl.Expr, *, keep_punctuation: bool = True) -> pl.Expr:
    """Return `normalise` as an expression over a string column; null stays null."""
    plain = texts.str.normalize("NFKC").str.replace_all(r"\p{Cf}", "").str.to_lowercase()
    spelled = _single_spaced(plain.str.replace_many(list(_FOLDS), list(_FOLDS.values())))
    if keep_punctuation:
        return spelled
    bare = _single_spaced(spelled.str.replace_all(r"\p{P}", " "))
    return pl.when(bare == "").then(spelled).otherwise(bare)


def _single_spaced(texts: pl.Expr) -> pl.Expr:
    return texts.str.replace_all(_BLANKS, " ").str.strip_chars(" ")
