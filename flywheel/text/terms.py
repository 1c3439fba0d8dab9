"""Name groups of texts by the words that set them apart.

Log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008, Fightin' Words): each phrase of one
to three words gets a z-score for being more frequent in the group than in the others, shrunk towards the whole.
Rare phrases do not win by accident, and phrases common everywhere do not win at all.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import log, sqrt

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from flywheel.text.normalise import normalise

_LONGEST_PHRASE = 3
# Weight of the prior as a share of all counts. On the 77 intents of banking77 a weak prior (.01) names them by
# frequent words ("atm, machine, card, stuck"), this one by their own ("swallowed, atm, card is stuck").
_PRIOR_SHARE = 0.5
_WORD = re.compile(r"[^\W\d_][\w'’-]*")


def distinctive_terms(
    texts_by_group: Mapping[str, Sequence[str]], top: int = 4, least_share: float = 0.0
) -> dict[str, tuple[str, ...]]:
    """Return up to `top` phrases per group, the most distinctive first; ties are alphabetical.

    A text counts a phrase once. A phrase inside a longer chosen phrase is left out ("card payment" says "card").
    With a share asked for, a phrase in fewer of a group's texts, or in a single one of several, is left out as well.
    With a single group there is nothing to differ from, and the most frequent phrases are returned.
    """
    counts = {group: _phrase_counts(texts) for group, texts in texts_by_group.items()}
    total: Counter[str] = sum(counts.values(), Counter())
    scored = {group: _scores(counted, total) for group, counted in counts.items()}
    for group, scores in scored.items():
        least = max(
            least_share * len(texts_by_group[group]), 2 if least_share and len(texts_by_group[group]) > 1 else 0
        )
        scored[group] = {phrase: score for phrase, score in scores.items() if counts[group][phrase] >= least}
    return {group: _readable(scores, top) for group, scores in scored.items()}


def _phrase_counts(texts: Sequence[str]) -> Counter[str]:
    return Counter(phrase for text in texts for phrase in set(_phrases(text)))


def _phrases(text: str) -> Iterator[str]:
    words = _WORD.findall(normalise(text))
    for start in range(len(words)):
        for size in range(1, _LONGEST_PHRASE + 1):
            phrase = words[start : start + size]
            if len(phrase) == size and not {phrase[0], phrase[-1]} & ENGLISH_STOP_WORDS and len(phrase[0]) > 1:
                yield " ".join(phrase)


def _scores(counts: Counter[str], total: Counter[str]) -> dict[str, float]:
    """Return the z-score of every phrase's log-odds, group against the rest (Monroe et al., equations 16-22)."""
    inside, everything = sum(counts.values()), sum(total.values())
    outside = everything - inside
    if outside == 0 or len(total) == 1:  # nothing to differ from, or nothing to differ in
        return {phrase: float(count) for phrase, count in counts.items()}
    scores = {}
    for phrase, count in counts.items():
        prior = _PRIOR_SHARE * total[phrase]
        here, there = count + prior, total[phrase] - count + prior
        weight = _PRIOR_SHARE * everything
        difference = log(here / (inside + weight - here)) - log(there / (outside + weight - there))
        scores[phrase] = difference / sqrt(1 / here + 1 / there)
    return scores


def _readable(scores: Mapping[str, float], top: int) -> tuple[str, ...]:
    chosen: list[str] = []
    # Among near equals the longer phrase reads better: an extra word is worth a tenth of the score.
    ranked = sorted(scores, key=lambda phrase: (-scores[phrase] * (1 + 0.1 * phrase.count(" ")), phrase))
    for phrase in ranked:
        if scores[phrase] > 0 and not any(_one_in_the_other(phrase, other) for other in chosen):
            chosen.append(phrase)
        if len(chosen) == top:
            break
    return tuple(chosen)


def _one_in_the_other(first: str, second: str) -> bool:
    return f" {first} " in f" {second} " or f" {second} " in f" {first} "
