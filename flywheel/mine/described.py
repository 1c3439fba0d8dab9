"""Name a mode and say what its pattern is, from its notes: labels and kinds as they are, else distinctive terms."""

from collections import Counter
from collections.abc import Mapping, Sequence

import polars as pl

from flywheel.mine.notes import aspects_of
from flywheel.text.terms import distinctive_terms

LONGEST_NAME = 80
_WORDS_OF = ("model", "evidence", "tools", "who", "said", "wording", "topic")  # aspects that terms are looked for in
_RARE = 0.05  # of its notes: a phrase rarer than this does not describe a mode, however much it is its own
_MOST_READ = 1_000  # notes of a mode that terms are looked for in: bounds the phrases in memory
_MANY = 0.15  # of its failures: a label or kind as common as this is part of what a mode is


def topics_of(groups: Mapping[str, pl.DataFrame]) -> dict[str, tuple[str, ...]]:
    """Return the terms that set each mode's notes apart from the others', by mode id.

    Of a large mode 1,000 notes are read, evenly spaced: terms in 5 % of its notes are in 5 % of those.
    """
    read = {mode_id: group["note"].gather_every(-(-len(group) // _MOST_READ)) for mode_id, group in groups.items()}
    return distinctive_terms(
        {mode_id: [_prose(note) for note in notes] for mode_id, notes in read.items()}, least_share=_RARE
    )


def name_of(group: pl.DataFrame, terms: Sequence[str]) -> str:
    """Return a short name: the wrong answers it gives, the kind of error it is, or its terms."""
    answers = _most_common(group["wrong_answer"])
    kinds = _most_common(group["kind"])
    if _is_about_answers(group):
        more = group["wrong_answer"].drop_nulls().n_unique() - len(answers)
        said = "answers " + " / ".join(label for label, _ in answers) + (f" and {more} more" if more > 2 else "")
    elif sum(share for _, share in kinds) >= 0.5:
        said = ": ".join([" / ".join(label for label, _ in kinds), *terms[:1]])
    else:
        said = " · ".join(terms)
    return _cut(said, LONGEST_NAME)


def description_of(group: pl.DataFrame, terms: Sequence[str]) -> str:
    """Return the pattern in one or two sentences."""
    answers, kinds = _most_common(group["wrong_answer"]), _most_common(group["kind"])
    meant = [one for one in _most_common(group["meant"]) if one[1] >= _RARE]
    if _is_about_answers(group):
        what = f"Answers {_listed(answers)}"
    elif kinds:
        what = f"Fails with {_listed(kinds)}"
    else:
        what = "Fails"
    where = f" where users write of {', '.join(terms)}" if terms else ""
    right = f" People said it should have been {_listed(meant)}." if meant else ""
    signals = Counter(group["signals"].explode().drop_nulls().to_list())
    by = ", ".join(signal for signal, _ in signals.most_common(3))
    return f"{what}{where}.{right}" + (f" Noticed by {by}." if by else "")


def _most_common(values: pl.Series) -> list[tuple[str, float]]:
    """Return values with their share of all rows: the commonest one, and others that are common."""
    counts = Counter(" ".join(str(value).split()) for value in values if value is not None)
    shares = sorted(
        ((value, count / len(values)) for value, count in counts.items()), key=lambda one: (-one[1], one[0])
    )
    return shares[:1] + [one for one in shares[1:4] if one[1] >= _MANY]


def _is_about_answers(group: pl.DataFrame) -> bool:
    return len(group) - group["wrong_answer"].null_count() >= len(group) / 2


def _listed(found: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"`{_cut(label, 40)}` ({share:.0%})" for label, share in found)


def _prose(note: str) -> str:
    return ". ".join(text.replace("_", " ") for aspect, text in aspects_of(note).items() if aspect in _WORDS_OF)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
