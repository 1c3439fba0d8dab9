"""Find and replace personal data and secrets in text from logs.

A pattern proposes, a check decides (Luhn for cards, mod 97 for IBANs, `ipaddress` for addresses), so that order
numbers and timestamps stay. The patterns use only what Python, RE2 (DuckDB's `regexp_matches`) and Rust (Polars)
share: no look-around, no back-references. Names and street addresses need a model and are not found here.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from flywheel.text.pii_checks import is_card, is_ip_address, is_phone, length_of_iban


class PiiKind(StrEnum):
    """What was found; the placeholder is the value in capitals, `<EMAIL>`."""

    PRIVATE_KEY = "private_key"
    TOKEN = "token"  # noqa: S105 -- the kind's name, not a token
    CREDENTIALS = "credentials"
    EMAIL = "email"
    IBAN = "iban"
    CARD = "card"
    IP_ADDRESS = "ip_address"
    PHONE = "phone"


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


# Prefixes as their issuers document them: OpenAI and Anthropic, Stripe, GitHub, GitLab, AWS, Slack, Google,
# Hugging Face, npm, PyPI, SendGrid, JSON Web Tokens; and whatever follows `Bearer`.
_TOKENS = (
    r"\bsk-[A-Za-z0-9_-]{20,}",
    r"\b[rsp]k_(?:live|test)_[A-Za-z0-9]{16,}",
    r"\bgh[pousr]_[A-Za-z0-9]{30,}",
    r"\bgithub_pat_[A-Za-z0-9_]{22,}",
    r"\bglpat-[A-Za-z0-9_-]{20,}",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"\bAIza[A-Za-z0-9_-]{35}",
    r"\bya29\.[A-Za-z0-9_-]{20,}",
    r"\bhf_[A-Za-z0-9]{30,}",
    r"\bnpm_[A-Za-z0-9]{36}",
    r"\bpypi-[A-Za-z0-9_-]{30,}",
    r"\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}",
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}",
    r"\b[Bb]earer +[A-Za-z0-9._~+/-]{20,}=*",
)
_NOT_MAIL = r"\s@<>()\[\]{},;:\"'|=/\\"
_HEX = r"[0-9A-Fa-f]{1,4}"
_PHONES = (
    r"\+[1-9][0-9]{0,2}[ .-]?\(?[0-9]{1,4}\)?(?:[ .-]?[0-9]{2,4}){2,4}\b",  # +44 20 7946 0958
    r"(?:\b1[ .-])?\([0-9]{3}\) ?[0-9]{3}[ .-][0-9]{4}\b",  # (555) 010-0199
    r"\b(?:1[.-])?[0-9]{3}[.-][0-9]{3}[.-][0-9]{4}\b",  # 555-010-0199
    r"\b(?:1 )?[2-9][0-9]{2} [2-9][0-9]{2} [0-9]{4}\b",  # 555 555 0199, as the American plan allows digits
    r"\b0[0-9]{2,4}[ /-][0-9]{3,4}[ -]?[0-9]{3,5}\b",  # 020 7946 0958, 0171/1234567
    r"\b0[0-9](?:[ .-][0-9]{2}){4}\b",  # 01 23 45 67 89
)

# In order of precedence: where two findings overlap, the kind listed first keeps the text.
PII_PATTERNS: Mapping[PiiKind, str] = {
    PiiKind.PRIVATE_KEY: r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
    PiiKind.TOKEN: "|".join(_TOKENS),
    PiiKind.CREDENTIALS: r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@<>]{1,64}:[^\s/@<>]{1,128}@",
    PiiKind.EMAIL: rf"[^{_NOT_MAIL}]{{1,64}}@(?:[^{_NOT_MAIL}.!?]{{1,63}}\.){{1,8}}[A-Za-z]{{2,24}}\b",
    PiiKind.IBAN: r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b",
    PiiKind.CARD: (
        r"\b[2-6][0-9]{3}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{1,4}(?:[ -]?[0-9]{3})?\b|"
        r"\b3[0-9]{3}[ -]?[0-9]{6}[ -]?[0-9]{4,5}\b"
    ),
    PiiKind.IP_ADDRESS: (
        r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b|"
        rf"\b(?:{_HEX}:){{7}}{_HEX}\b|\b(?:{_HEX}:){{1,6}}(?::{_HEX}){{1,6}}\b"
    ),
    PiiKind.PHONE: "|".join(_PHONES),
}
# For `regexp_matches(text, ...)` and `str.contains(...)`: true for every text `find_pii` finds something in,
# and for a few more (no Luhn, no mod 97). A filter in front of `find_pii`, not a verdict.
PII_PATTERN = "|".join(f"(?:{pattern})" for pattern in PII_PATTERNS.values())


def find_pii(text: str) -> list[PiiSpan]:
    """Return the findings in a text, in order and without overlaps."""
    spans: list[PiiSpan] = []
    taken = bytearray(len(text))
    for kind, pattern in _COMPILED.items():
        for match in pattern.finditer(text):
            start, end = match.start(), _checked_end(kind, match)
            if end and not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                spans.append(PiiSpan(kind, start, end))
    return sorted(spans, key=lambda span: span.start)


def redact(text: str) -> Redacted:
    """Replace every finding by its placeholder; redacting a redacted text changes nothing."""
    counts: Counter[PiiKind] = Counter()
    # Once more after each pass: a finding may have hidden its neighbour, which had no space around it.
    while spans := find_pii(text):
        counts.update(span.kind for span in spans)
        text = _replaced(text, spans)
    return Redacted(text, counts)


def redact_column(texts: pl.Series) -> tuple[pl.Series, Mapping[PiiKind, int]]:
    """Redact a column of texts; return it with the findings counted. Null stays null.

    Only texts that match `PII_PATTERN` cost Python time: a clean column is scanned by Polars alone.
    """
    suspects = texts.str.contains(PII_PATTERN).fill_null(False).arg_true()
    found = [redact(text) for text in texts.gather(suspects)]
    counts = sum((Counter(one.counts) for one in found), Counter[PiiKind]())
    cleaned = pl.Series([one.text for one in found], dtype=pl.String)
    return texts.scatter(suspects, cleaned) if found else texts, counts


def _replaced(text: str, spans: list[PiiSpan]) -> str:
    pieces, position = [], 0
    for span in spans:
        pieces += [text[position : span.start], f"<{span.kind.upper()}>"]
        position = span.end
    return "".join([*pieces, text[position:]])


def _checked_end(kind: PiiKind, match: re.Match[str]) -> int:
    """Return where the finding ends, or 0 if the check says it is none."""
    if kind is PiiKind.IBAN:
        return match.start() + length_of_iban(match[0]) if length_of_iban(match[0]) else 0
    check = _CHECKS.get(kind)
    return match.end() if check is None or check(match) else 0


_COMPILED = {kind: re.compile(pattern.replace(r"\z", r"\Z"), re.ASCII) for kind, pattern in PII_PATTERNS.items()}
_CHECKS: Mapping[PiiKind, Callable[[re.Match[str]], bool]] = {
    PiiKind.CARD: is_card,
    PiiKind.IP_ADDRESS: is_ip_address,
    PiiKind.PHONE: is_phone,
}
