"""Spell letters that look alike the same, so that a copied text cannot hide behind another alphabet."""

import polars as pl

# Letters of other alphabets that are drawn like a Latin one (a part of Unicode's confusables, UTS 39): the capitals
# first, because some look like another letter than their small form does.
_ALIKE = (
    ("АΑ", "A"), ("ВΒ", "B"), ("СϹ", "C"), ("ЕΕ", "E"), ("НΗ", "H"), ("ІΙӀ", "I"), ("Ј", "J"), ("КΚ", "K"),
    ("МΜ", "M"), ("Ν", "N"), ("ОΟՕ", "O"), ("РΡ", "P"), ("Ѕ", "S"), ("ТΤ", "T"), ("ХΧ", "X"), ("ΥҮ", "Y"),
    ("Ζ", "Z"), ("аαɑ", "a"), ("сϲ", "c"), ("ԁ", "d"), ("еε", "e"), ("ɡ", "g"), ("һհ", "h"), ("іιı", "i"), ("ј", "j"),
    ("кκ", "k"),
    ("ӏ", "l"), ("ո", "n"), ("оοօσ", "o"), ("рρ", "p"), ("ԛ", "q"), ("ѕ", "s"), ("тτ", "t"), ("υսʋ", "u"), ("ν", "v"),
    ("ԝω", "w"), ("хχ", "x"), ("уγү", "y"), ("м", "m"), ("вβ", "b"), ("н", "h"),
)  # fmt: skip
_FROM = [letter for letters, _ in _ALIKE for letter in letters]
_TO = [latin for letters, latin in _ALIKE for _ in letters]


def looking_alike(texts: pl.Series) -> pl.Series:
    """Return texts without accents and with look-alike letters spelled in Latin: for comparing only.

    Text in another alphabet becomes unreadable, but the same text always becomes the same.
    """
    text = pl.col("text")
    is_plain = text.str.len_chars() == text.str.len_bytes()
    bare = text.str.normalize("NFKD").str.replace_all(r"\p{Mn}", "").str.replace_many(_FROM, _TO)
    frame = texts.alias("text").to_frame()
    if frame.select(is_plain.fill_null(True).all()).item():
        return texts
    return frame.select(pl.when(is_plain).then(text).otherwise(bare)).to_series()
