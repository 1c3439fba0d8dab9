"""Take a note apart into weighted terms: what went wrong weighs most, what the prompt was about least."""

import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from math import sqrt

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from flywheel.mine.notes import aspects_of

# How much an aspect can pull two notes together; squares of these add up to a cosine. Chosen by trying a few values
# on the scenario's planted modes: the topic weighs little, so that failures are not grouped by what users ask.
WEIGHTS = {
    "kind": 1.0, "gave": 0.2, "answer": 1.0, "evidence": 0.7, "model": 1.0, "tools": 0.5, "who": 0.5,
    "said": 0.25, "meant": 0.2, "wording": 0.25, "task": 0.2, "topic": 0.25,
}  # fmt: skip
_OTHER_WEIGHT = 0.25
_WHOLE = frozenset(
    {"kind", "answer", "tools", "who", "gave", "task", "meant"}
)  # names and labels: taken whole, not as prose
_SPOKEN_OF = (
    0.6  # of a label's weight is in its words: card_lost and card_stolen are nearer than card_lost and refund
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def weighted_terms(note: str, rarity: Mapping[str, float], rarest: float) -> dict[str, float]:
    """Return the note's terms with weights of total length one; `rarity` is a term's inverse document frequency.

    A term not in `rarity` counts as `rarest`. Within an aspect the terms share its weight, so that a long prompt does
    not weigh more than a short one.
    """
    weighed: dict[str, float] = {}
    for aspect, text in aspects_of(note).items():
        counts = aspect_terms(aspect, text)
        pulls = {term: sqrt(count) * rarity.get(term, rarest) for term, count in counts.items()}
        length = sqrt(sum(pull * pull for pull in pulls.values()))
        for term, pull in pulls.items():
            weighed[term] = WEIGHTS.get(aspect, _OTHER_WEIGHT) * pull / length
    total = sqrt(sum(weight * weight for weight in weighed.values()))
    return {term: weight / total for term, weight in weighed.items()} if total else {}


def aspect_terms(aspect: str, text: str) -> dict[str, float]:
    """Return the terms of one aspect with their counts; terms of different aspects never meet."""
    words = [word for word in _WORD.findall(text.lower()) if word not in ENGLISH_STOP_WORDS]
    counts: Counter[str] = Counter()
    if aspect in _WHOLE:
        labels = [text.lower()] if aspect in ("answer", "meant") else text.lower().split()
        share = _SPOKEN_OF**2 / (1 - _SPOKEN_OF**2) / max(len(words), 1)
        terms = {f"{aspect}={label}": 1.0 for label in labels}
        if len(words) > 1 or aspect in ("kind", "who"):
            terms |= {f"{aspect}:{word}": share for word in words}
        return terms
    counts.update(f"{aspect}:{word}" for word in words)
    counts.update(f"{aspect}:{first} {second}" for first, second in pairwise(words))
    return {term: float(count) for term, count in counts.items()}
