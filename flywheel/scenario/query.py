"""What a user of the simulated product asks, with what was planted in it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """Hold one user text and its true intent; the flags say what was planted in the text."""

    text: str
    intent: str
    has_typo: bool = False
    has_pii: bool = False
    has_loan_word: bool = False
    is_mixed: bool = False  # a second clause asks for something else
