r"""Find and replace personal data and secrets in text from logs.

A pattern proposes, a check decides (Luhn for cards, mod 97 for IBANs, `ipaddress` for addresses, entropy for keys),
so that order numbers and timestamps stay. What JSON or a programming language escapes (`\n`, `\u0040`, `\/`) is read
as what it means. Names need a model (`flywheel.text.pii_names`); street addresses are not found.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from flywheel.text.pii_checks import (
    is_card,
    is_ip_address,
    is_phone,
    is_social_security_number,
    is_token,
    length_of_iban,
    secret_value,
)
from flywheel.text.pii_kinds import PiiKind, PiiSpan, Redacted
from flywheel.text.pii_patterns import (
    ESCAPED,
    KEY_OWNERS,
    MAIL_DOMAIN,
    MAIL_USER,
    NUMBER_RUN,
    NUMBERS,
    PATTERNS,
    TOKENS,
    TRIGGER,
    TRIGGERS,
)

__all__ = [
    "TRIGGER",
    "PiiKind",
    "PiiSpan",
    "Redacted",
    "find_pii",
    "redact",
    "redact_column",
    "redact_each",
    "replaced",
    "suspicions",
]

_MOST_MAIL_USER = 64  # characters before the @, RFC 5321
_COMPILED = {kind: re.compile(pattern, re.ASCII) for kind, pattern in PATTERNS.items()}
_TOKENS = {mark: re.compile(r"\b" + re.escape(mark) + rest, re.ASCII) for mark, rest in TOKENS.items()}
_MAIL_USER, _MAIL_DOMAIN = re.compile(MAIL_USER, re.ASCII), re.compile(MAIL_DOMAIN, re.ASCII)
_NUMBER_RUN = re.compile(NUMBER_RUN)
_SECRET_STEMS = tuple(
    spelt
    for stem in ("pass", "pwd", "secret", "token", "credential", "key")
    for spelt in (stem, stem.capitalize(), stem.upper())
)
_KEY_OWNER = re.compile(rf"(?i:{KEY_OWNERS})[_ .-]?\Z")
_LONGEST_OWNER = 14
_DEEPEST = 4  # escapes within escapes
_FEWEST_AT_ONCE = 30  # texts: to ask Polars about fewer takes longer than to look for every kind in each
_EVERY_KIND = frozenset(PiiKind)
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|[nrtbf/\"'\\])")
_MEANT = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}

# The cheap question that decides whether a kind's pattern is worth its time.
_GATES: Mapping[PiiKind, re.Pattern[str]] = {
    PiiKind.PRIVATE_KEY: re.compile("PRIVATE KEY"),
    PiiKind.CREDENTIALS: re.compile("://[^/@]*@"),
    PiiKind.IBAN: re.compile("[A-Z][A-Z][0-9][0-9] ?[A-Z0-9]{4}"),
    PiiKind.IP_ADDRESS: re.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]|:[0-9A-Fa-f]{0,4}:"),
}
_CHECKS: Mapping[PiiKind, Callable[[re.Match[str]], bool]] = {
    PiiKind.CARD: is_card,
    PiiKind.IP_ADDRESS: is_ip_address,
    PiiKind.PHONE: is_phone,
    PiiKind.SSN: is_social_security_number,
    PiiKind.SECRET: secret_value,
    PiiKind.TOKEN: lambda match: is_token(match[0]),
}


def find_pii(text: str, kinds: frozenset[PiiKind] = _EVERY_KIND) -> list[PiiSpan]:
    """Return the findings in a text, in order and without overlaps; of some kinds only, where that is enough."""
    spans = _apart(_proposed(text, kinds))
    layers: list[_Meant] = []
    meant = text
    while "\\" in meant and len(layers) < _DEEPEST:
        layers.append(_unescaped(meant))
        if layers[-1].text == meant:
            break
        meant = layers[-1].text
        spans = _apart([*spans, *(_placed(span, layers) for span in _apart(_proposed(meant, kinds)))])
    return spans


def redact(text: str, kinds: frozenset[PiiKind] = _EVERY_KIND) -> Redacted:
    """Replace every finding by its placeholder; redacting a redacted text changes nothing.

    `kinds` are those that there may be in the text, where `suspicions` has looked before.
    """
    return redact_each({0: text}, {0: kinds})[0]


def redact_each(texts: Mapping[int, str], suspected: Mapping[int, frozenset[PiiKind]]) -> dict[int, Redacted]:
    """Return by place what `redact` makes of each text; where many have changed, they are suspected anew at once."""
    done = {place: Redacted(texts[place], Counter()) for place in suspected}
    # Once more after each pass: a finding may have hidden its neighbour, which had no space around it.
    while suspected:
        changed: dict[int, str] = {}
        for place, kinds in suspected.items():
            before = done[place]
            if spans := find_pii(before.text, kinds):
                changed[place] = replaced(before.text, spans)
                found = Counter(span.kind for span in spans)
                done[place] = Redacted(changed[place], Counter(before.counts) + found)
        suspected = _suspected_again(changed)
    return done


def _suspected_again(changed: Mapping[int, str]) -> dict[int, frozenset[PiiKind]]:
    if len(changed) < _FEWEST_AT_ONCE:
        return dict.fromkeys(changed, _EVERY_KIND)
    places = list(changed)
    # Polars holds no lone surrogate; to the patterns one character that is not ASCII is like another
    texts = [text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for text in changed.values()]
    return {places[at]: kinds for at, kinds in suspicions(pl.Series(texts, dtype=pl.String)).items()}


def suspicions(texts: pl.Series) -> dict[int, frozenset[PiiKind]]:
    """Return by place in which texts there may be what, and which kinds. This is the fast part: Polars does it."""
    suspects = texts.str.contains(TRIGGER).fill_null(False).arg_true()
    found: dict[int, frozenset[PiiKind]] = {}
    if not len(suspects):
        return found
    held = texts.gather(suspects)
    for kind, pattern in (*TRIGGERS.items(), (None, ESCAPED)):
        kinds = _EVERY_KIND if kind is None else frozenset(NUMBERS) if kind is PiiKind.PHONE else frozenset({kind})
        for place in suspects.gather(held.str.contains(pattern).arg_true()).to_list():
            found[place] = found.get(place, frozenset()) | kinds
    return found


def redact_column(texts: pl.Series) -> tuple[pl.Series, Mapping[PiiKind, int]]:
    """Redact a column of texts; return it, a new one, with the findings counted. Null stays null.

    Only texts under suspicion cost Python time: a clean column is scanned by Polars alone.
    """
    suspected = suspicions(texts)
    counts: Counter[PiiKind] = Counter()
    if not suspected:
        return texts, counts
    places = list(suspected)
    found = redact_each(dict(zip(places, texts.gather(places), strict=True)), suspected).values()
    for one in found:
        counts.update(one.counts)
    if not counts:
        return texts, counts
    return texts.clone().scatter(places, pl.Series([one.text for one in found], dtype=pl.String)), counts


def replaced(text: str, spans: list[PiiSpan]) -> str:
    """Return the text with the placeholder of each span, which are in order and apart, in its place."""
    pieces, position = [], 0
    for span in spans:
        pieces += [text[position : span.start], f"<{span.kind.upper()}>"]
        position = span.end
    return "".join([*pieces, text[position:]])


def _proposed(text: str, kinds: frozenset[PiiKind]) -> Iterator[PiiSpan]:
    """Yield what patterns and checks find, kind by kind in the order of precedence."""
    for kind in PiiKind:
        if kind in kinds:
            for match in _matches(kind, text):
                start, end = _checked(kind, match)
                if end:
                    yield PiiSpan(kind, start, end)
            if kind is PiiKind.EMAIL:
                yield from _addresses(text)


def _matches(kind: PiiKind, text: str) -> Iterator[re.Match[str]]:
    """Yield where a kind's pattern matches, looking only where that can be."""
    if kind is PiiKind.TOKEN:
        yield from _tokens(text)
    elif kind is PiiKind.SECRET:
        yield from _secrets(text)
    elif kind in NUMBERS:
        for run in _NUMBER_RUN.finditer(text):  # one character more: what follows decides whether the number ends
            yield from _COMPILED[kind].finditer(text, run.start(), min(run.end() + 1, len(text)))
    elif kind in _COMPILED and _GATES[kind].search(text):
        yield from _COMPILED[kind].finditer(text)


def _apart(spans: Iterable[PiiSpan]) -> list[PiiSpan]:
    """Return, in order, the spans that overlap none that came before them."""
    kept: list[PiiSpan] = []
    for span in spans:
        place = bisect_left(kept, span.start, key=lambda one: one.start)
        is_free = (place == 0 or kept[place - 1].end <= span.start) and (
            place == len(kept) or span.end <= kept[place].start
        )
        if is_free:
            kept.insert(place, span)
    return kept


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """Yield keys and tokens: wherever an issuer's mark stands, what follows must have its form."""
    for mark, pattern in _TOKENS.items():
        at = text.find(mark)
        while at >= 0:
            match = pattern.match(text, at)
            if match:
                yield match
            at = text.find(mark, match.end() if match else at + 1)


def _secrets(text: str) -> Iterator[re.Match[str]]:
    """Yield what stands behind the name of a secret: wherever the stem of such a name is."""
    for stem in _SECRET_STEMS:
        at = text.find(stem)
        while at >= 0:
            owner = _KEY_OWNER.search(text[max(0, at - _LONGEST_OWNER) : at]) if stem.lower() == "key" else None
            match = _COMPILED[PiiKind.SECRET].match(text, at - len(owner[0]) if owner else at)
            if match:
                yield match
            at = text.find(stem, at + 1)


def _addresses(text: str) -> Iterator[PiiSpan]:
    """Yield e-mail addresses: the same as one pattern would find, in time that does not grow with their absence."""
    at, end = text.find("@"), 0
    while at >= 0:
        domain = _MAIL_DOMAIN.match(text, at + 1)
        first = max(end, at - _MOST_MAIL_USER)
        user = _MAIL_USER.search(text[first:at]) if domain else None
        if domain and user:
            end = domain.end()
            yield PiiSpan(PiiKind.EMAIL, first + user.start(), end)
        at = text.find("@", max(at + 1, end))


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a text with escapes means, and by how much each part of it is shorter."""

    text: str
    starts: list[int]  # in the meant text, behind an escape
    shifts: list[int]  # how much further on in the text everything from there is

    def place(self, position: int) -> int:
        """Return where in the text a position of the meant text is; within nothing, where the next part begins."""
        behind = bisect_right(self.starts, position)
        return position + (self.shifts[behind - 1] if behind else 0)


def _unescaped(text: str) -> _Meant:
    """Read escapes as what they mean."""
    pieces: list[str] = []
    starts: list[int] = []
    shifts: list[int] = []
    position = shift = 0
    for escape in _ESCAPE.finditer(text):
        pieces += [text[position : escape.start()], _meant(escape[0])]
        position = escape.end()
        starts.append(escape.start() - shift + 1)
        shift += len(escape[0]) - 1
        shifts.append(shift)
    return _Meant("".join([*pieces, text[position:]]), starts, shifts)


def _placed(span: PiiSpan, layers: list[_Meant]) -> PiiSpan:
    """Return where a finding in the innermost layer is in the text that was given."""
    start, end = span.start, span.end
    for layer in reversed(layers):
        start, end = layer.place(start), layer.place(end)
    return PiiSpan(span.kind, start, end)


def _meant(escape: str) -> str:
    return chr(int(escape[2:], 16)) if len(escape) > 2 else _MEANT.get(escape[1], escape[1])


def _checked(kind: PiiKind, match: re.Match[str]) -> tuple[int, int]:
    """Return where the finding begins and ends; the end is 0 if the check says it is none."""
    if kind is PiiKind.IBAN:
        length = length_of_iban(match[0])
        return match.start(), match.start() + length if length else 0
    check = _CHECKS.get(kind)
    if check is not None and not check(match):
        return match.start(), 0
    return match.span("value" if kind is PiiKind.SECRET else 0)
