"""Say how much two messages ask the same thing: the core of the rephrase signal."""

from collections.abc import Set

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from flywheel.text.normalise import normalise

_PIECE = 3


def rephrase_similarity(first: str, second: str) -> float:
    """Return the larger of two Jaccard similarities, in [0, 1]: content words, and runs of three characters.

    Words catch a reordered question, characters a retyped or inflected one. Two empty messages are alike: 1.
    """
    left, right = normalise(first, keep_punctuation=False), normalise(second, keep_punctuation=False)
    if left == right:
        return 1.0
    by_words = set_similarity(_content_words(left), _content_words(right))
    return max(by_words, set_similarity(_pieces(left), _pieces(right)))


def set_similarity(first: Set[str], second: Set[str]) -> float:
    """Return the Jaccard similarity of two sets; 0 when either is empty."""
    return len(first & second) / len(first | second) if first and second else 0.0


def _content_words(text: str) -> Set[str]:
    return {word for word in text.split() if word not in ENGLISH_STOP_WORDS}


def _pieces(text: str) -> Set[str]:
    return {text[start : start + _PIECE] for start in range(max(1, len(text) - _PIECE + 1))}
