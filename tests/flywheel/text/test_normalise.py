import sys
import unicodedata

import polars as pl
import pytest

from flywheel.text.normalise import normalise, normalised

CASES = [
    ("  Where is\tmy\n\nOrder? ", "where is my order?", "where is my order"),
    ("ＣＡＦÉ ﬁle", "café file", "café file"),
    ("STRASSE Straße ΛΌΓΟΣ λόγος", "strasse strasse λόγοσ λόγοσ", "strasse strasse λόγοσ λόγοσ"),
    ("re\u00adfund\u200b me\ufeff", "refund me", "refund me"),
    ("can't—won't", "can't—won't", "can t won t"),
    ("???", "???", "???"),
    ("1 + 1 = 2", "1 + 1 = 2", "1 + 1 = 2"),
    ("a\x1cb", "a b", "a b"),
    ("", "", ""),
]


@pytest.mark.parametrize(("text", "kept", "bare"), CASES)
def test_normalise(text, kept, bare):
    assert normalise(text) == kept
    assert normalise(text, keep_punctuation=False) == bare


@pytest.mark.parametrize("keep_punctuation", [True, False])
def test_the_expression_is_the_function(keep_punctuation):
    frame = pl.DataFrame({"text": [text for text, _, _ in CASES]})
    spelled = frame.select(normalised(pl.col("text"), keep_punctuation=keep_punctuation)).to_series().to_list()
    assert spelled == [normalise(text, keep_punctuation=keep_punctuation) for text, _, _ in CASES]


def test_they_agree_on_every_character():
    assigned = [
        f"a{chr(point)}b"
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) not in {"Cn", "Co", "Cs"}
    ][::7]
    spelled = pl.DataFrame({"text": assigned}).select(normalised(pl.col("text"))).to_series().to_list()
    assert [text for text, other in zip(assigned, spelled, strict=True) if normalise(text) != other] == []


def test_normalising_twice_changes_nothing():
    assert all(normalise(normalise(text)) == normalise(text) for text, _, _ in CASES)


def test_missing_stays_missing():
    assert (
        pl.DataFrame({"text": [None]}, schema={"text": pl.String}).select(normalised(pl.col("text"))).item() is None
    )
