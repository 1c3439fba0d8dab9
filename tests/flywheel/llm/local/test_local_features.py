import numpy as np
import pytest

from flywheel.llm.local.features import CHARACTERS, WORDS, Features, Grams

TEXTS = ("the card is lost", "card card card", "refund my money, please", "the the refund", "x")


@pytest.mark.parametrize("kinds", [(WORDS,), (CHARACTERS,), (WORDS, CHARACTERS)])
def test_one_text_equals_its_row_of_the_fitted_matrix(kinds: tuple[Grams, ...]) -> None:
    features = Features(TEXTS, kinds)
    for row, text in enumerate(TEXTS):
        dense = np.zeros(features.matrix.shape[1], np.float32)
        columns, values = features.one(text)
        dense[columns] = values
        assert dense == pytest.approx(features.matrix[row].toarray()[0], abs=1e-6)


def test_text_without_known_grams_has_no_features() -> None:
    columns, values = Features(TEXTS, (WORDS,)).one("quite unknown")
    assert (len(columns), len(values)) == (0, 0)


def test_texts_without_words_have_no_word_features() -> None:
    assert Features(("?!", "..."), (WORDS,)).matrix.shape == (2, 0)
