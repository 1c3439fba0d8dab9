import pytest

from flywheel.text.rephrase import rephrase_similarity, set_similarity


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ("Where is my order?", "where is my ORDER", 1.0, 1.0),
        ("cancel my order 123", "my order 123, cancel!", 1.0, 1.0),
        ("how do I reset my password", "how do i resett my pasword", 0.6, 1.0),
        ("how do I reset my password", "what is the exchange rate", 0.0, 0.1),
        ("", "", 1.0, 1.0),
        ("", "hello", 0.0, 0.0),
    ],
)
def test_rephrase_similarity(first, second, low, high):
    assert low <= rephrase_similarity(first, second) <= high
    assert rephrase_similarity(first, second) == rephrase_similarity(second, first)


def test_set_similarity():
    assert set_similarity({"a", "b"}, {"b", "c"}) == pytest.approx(1 / 3)
    assert set_similarity(set(), {"a"}) == 0.0
