import numpy as np
import polars as pl
import pytest

from flywheel.text.normalise import normalise
from flywheel.text.words import batches, find_words

TEXTS = [
    "",
    "   ",
    "a-b  C.",
    "Where is my ORDER?",
    "é è Ünï",
    "re\u00adfund\u200b me",
    "$$$ 5",
    "Straße ς ＡＢＣ ﬁne",
    "\x1fa\x00b\x85c",
    "  leads and trails  ",
    "日本語 テスト",
    "e\u0301tude 🙂",
    *("x" * length + " y" for length in (7, 8, 9, 15, 16, 17, 100)),
    "¿qué?",
]


def spelled(words, place):
    held = slice(words.offsets[place], words.offsets[place + 1])
    return [bytes(words.data[a:b]).decode() for a, b in zip(words.starts[held], words.ends[held], strict=True)]


@pytest.mark.parametrize("place", range(len(TEXTS)), ids=ascii)
def test_words_are_those_of_the_normalised_text(place):
    assert spelled(find_words(TEXTS), place) == normalise(TEXTS[place], keep_punctuation=False).split()


def test_a_text_of_nothing_but_punctuation_keeps_it():
    words = find_words(["???", "?!", "", "…", "..."])
    assert words.counts.tolist() == [1, 1, 0, 1, 1]
    prints = words.fingerprints().tolist()
    assert len(set(prints)) == 4
    assert prints[3] == prints[4]


def test_a_word_has_the_same_hash_in_any_company():
    together = find_words(TEXTS)
    for place, text in enumerate(TEXTS):
        alone = find_words([text])
        assert (alone.hashes == together.hashes[together.offsets[place] : together.offsets[place + 1]]).all()
        assert alone.fingerprints()[0] == together.fingerprints()[place]


def test_words_that_differ_have_hashes_that_differ():
    words = ["a", "b", "ab", "ba", "a\x00", "x" * 8, "x" * 9, "x" * 16, "x" * 15 + "y", "xxxxxxxxyyyyyyyy"]
    assert len(np.unique(find_words(words).hashes)) == len(words)


def test_hashes_never_change():
    # The lake stores what is made of them.
    words = find_words(["order unbelievably"])
    assert words.hashes.tolist() == [10922453712886379631, 13188090170612221842]
    assert words.fingerprints().tolist() == [6151316683604512365]


@pytest.mark.parametrize(
    ("first", "second", "are_equal"),
    [
        ("Where is my order?", "where  is my ORDER", True),
        ("one two", "two one", False),
        ("no", "no no", False),
        ("a b", "ab", False),
    ],
)
def test_a_fingerprint_is_that_of_the_sequence_of_words(first, second, are_equal):
    prints = find_words([first, second]).fingerprints()
    assert (prints[0] == prints[1]) is np.bool_(are_equal)


def test_nothing_in_nothing_out():
    words = find_words([])
    assert (len(words.hashes), len(words.fingerprints())) == (0, 0)
    assert find_words(pl.Series([None], dtype=pl.String)).counts.tolist() == [0]


def test_batches_hold_about_half_a_megabyte_and_every_text_once():
    texts = pl.Series(["a" * 400_000, "b" * 400_000, "c" * 400_000, None, "d" * 3_000_000, "e"])
    assert [(cut.start, cut.stop) for cut in batches(texts)] == [(0, 1), (1, 2), (2, 4), (4, 5), (5, 6)]
    assert list(batches(pl.Series([], dtype=pl.String))) == []
