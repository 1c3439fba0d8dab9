"""The kinds of personal data and secrets there are, and what a finding is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class PiiKind(StrEnum):
    """What was found; the placeholder is the value in capitals, `<EMAIL>`.

    In order of precedence: where two findings overlap, the kind listed first keeps the text.
    """

    PRIVATE_KEY = "private_key"
    TOKEN = "token"  # noqa: S105 -- the kind's name, not a token
    CREDENTIALS = "credentials"
    SECRET = "secret"  # noqa: S105 -- likewise
    EMAIL = "email"
    IBAN = "iban"
    CARD = "card"
    IP_ADDRESS = "ip_address"
    SSN = "ssn"
    PHONE = "phone"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class PiiSpan:
    """One finding: text[start:end]."""

    kind: PiiKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text with placeholders, and how many findings of each kind they replace."""

    text: str
    counts: Mapping[PiiKind, int]
