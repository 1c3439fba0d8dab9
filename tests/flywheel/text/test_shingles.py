import numpy as np
import pytest

from flywheel.text.shingles import ShingleKind, jaccard, shingle


def by_hand(text, kind):
    parts, size = (text.split(" "), 3) if kind is ShingleKind.WORDS else (list(text), 5)
    return {tuple(parts[i : i + size]) for i in range(max(1, len(parts) - size + 1))}


PAIRS = [
    ("where is my order", "where is my refund"),
    ("where is my order", "where is my order"),
    ("a", "a"),
    ("a", "ab"),
    ("", "a"),
    ("kaffee für 3 €", "kaffee fuer 3 €"),
    ("注文はどこですか", "注文はどこでしょう"),
    ("no no no no no no", "no no no"),
    ("one two three four five six seven", "zero one two three four five six"),
]


@pytest.mark.parametrize("kind", list(ShingleKind))
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_jaccard_is_that_of_the_sets(first, second, kind):
    left, right = by_hand(first, kind), by_hand(second, kind)
    found = jaccard(shingle([first, second], kind), np.array([0]), np.array([1]))
    assert found[0] == pytest.approx(len(left & right) / len(left | right))


@pytest.mark.parametrize("kind", list(ShingleKind))
def test_a_text_has_the_same_shingles_in_any_company(kind):
    texts = [text for pair in PAIRS for text in pair]
    together = shingle(texts, kind)
    for place, text in enumerate(texts):
        alone = shingle([text], kind)
        start, end = together.offsets[place : place + 2]
        assert (together.hashes[start:end] == alone.hashes).all()


@pytest.mark.parametrize("kind", list(ShingleKind))
def test_no_texts_have_no_shingles(kind):
    assert len(shingle([], kind)) == 0


def test_hashes_never_change():
    # The lake stores what is made of them: a text sketched last month must meet its twin of today.
    assert shingle(["order"], ShingleKind.CHARACTERS).hashes.tolist() == [14896686085322470485]
    assert shingle(["where is my order"], ShingleKind.WORDS).hashes.tolist() == [
        5534268657346337390,
        18000187355006774339,
    ]
