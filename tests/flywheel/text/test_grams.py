import numpy as np
import pytest

from flywheel.text.grams import gram_index, same_words, shared_grams
from flywheel.text.words import find_words


def shared(text, instance, size):
    words, known = find_words([text]), find_words([instance])
    places, instance_places = shared_grams(words, gram_index(known, np.array([True]), size))
    return sorted(zip(places.tolist(), instance_places.tolist(), strict=True))


@pytest.mark.parametrize(
    ("text", "instance", "pairs"),
    [
        ("a b c d", "b c d", [(1, 0)]),
        ("a b c a b c", "a b c", [(0, 0), (3, 0)]),
        ("a b c", "x a b c a b c", [(0, 1), (0, 4)]),
        ("a b", "a b", []),
        ("", "a b c", []),
    ],
)
def test_shared_grams_are_where_both_begin(text, instance, pairs):
    assert shared(text, instance, 3) == pairs


def test_grams_do_not_reach_into_the_next_text():
    words, known = find_words(["a b", "c d"]), find_words(["b c d"])
    assert len(shared_grams(words, gram_index(known, np.array([True]), 3))[0]) == 0
    assert len(shared_grams(known, gram_index(words, np.array([True, True]), 3))[0]) == 0


def test_only_chosen_texts_are_looked_for():
    words, known = find_words(["a b c", "d e f"]), find_words(["a b c", "d e f"])
    places, _ = shared_grams(words, gram_index(known, np.array([False, True]), 3))
    assert places.tolist() == [3]


def test_words_are_the_same_letter_by_letter():
    first, second = find_words(["ab abc x unbelievably"]), find_words(["AB abd x unbelievable"])
    places = np.arange(4)
    assert same_words(first, places, second, places).tolist() == [True, False, True, False]
    assert same_words(first, places[:0], second, places[:0]).tolist() == []
