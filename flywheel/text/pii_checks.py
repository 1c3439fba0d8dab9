"""Decide whether what looks like a card, an account, an address, a phone number or a secret is one."""

import ipaddress
import math
import re
from collections import Counter

# Leading digits and lengths of the card networks (ISO/IEC 7812 issuer ranges): Visa, Mastercard, American
# Express, Discover, Diners Club, JCB, UnionPay.
_CARD_NETWORKS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|3(?:0[0-5]|[689]\d)\d{11,16}|35(?:2[89]|[3-8]\d)\d{12,15}|62\d{14,17}"
)
# Lengths of the IBANs of the countries with the most accounts (SWIFT IBAN registry, ISO 13616).
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "BR": 29, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15,
    "PK": 24, "PL": 28, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "TN": 24, "TR": 26, "UA": 29,
}  # fmt: skip


def is_card(match: re.Match[str]) -> bool:
    """Say whether the digits are of a known network and pass Luhn's check (ISO/IEC 7812-1, annex B)."""
    digits = re.sub(r"\D", "", match[0])
    is_decimal_part = re.search(r"\d[.,]\Z", _around(match)[0])
    # random numbers of 19 digits are common in logs (seeds, cache keys), and one in ten passes Luhn
    is_long = len(match[0]) > 16 and len(match[0]) == len(digits)
    if is_decimal_part or is_long or not _CARD_NETWORKS.fullmatch(digits):
        return False
    doubled = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def length_of_iban(text: str) -> int:
    """Return how many characters of the text are an IBAN (ISO 13616, mod 97), or 0.

    The pattern may run on into the next word in capitals; the country says where the number ends.
    """
    wanted = _IBAN_LENGTHS.get(text[:2], 0)
    places = [place for place, c in enumerate(text) if c != " "]
    if not wanted or len(places) < wanted:
        return 0
    end = places[wanted - 1] + 1
    compact = text[:end].replace(" ", "")
    digits = "".join(str(int(c, 36)) for c in compact[4:] + compact[:4])
    return end if int(digits) % 97 == 1 else 0


def is_ip_address(match: re.Match[str]) -> bool:
    """Say whether this is an address somebody could be found by: no version, no loopback, no placeholder."""
    before, after = _around(match)
    joint = ":" if ":" in match[0] else "."
    part_of_more = before.endswith(joint) or re.match(rf"[{joint}][0-9a-fA-F]", after)
    version = re.search(r"(?:\bv|\bversion|\brelease)[ .:]*\Z", before, re.IGNORECASE)
    # `a::b` is a path in Rust or C++ before it is an address.
    sparse = ":" in match[0] and (match[0].count(":") < 3 or not re.search(r"\d", match[0]))
    if part_of_more or version or sparse:
        return False
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def is_phone(match: re.Match[str]) -> bool:
    """Say whether the number has as many digits as a phone number (E.164: at most 15) and stands alone."""
    before, after = _around(match)
    stands_alone = not re.search(r"[\w.-]\Z", before) and not re.match(r"[.-]?\d", after)
    return stands_alone and 9 <= len(re.sub(r"\D", "", match[0])) <= 15


def _around(match: re.Match[str]) -> tuple[str, str]:
    """Return the few characters before and after: slices of fixed length keep long texts linear."""
    return match.string[max(0, match.start() - 12) : match.start()], match.string[match.end() : match.end() + 2]


# what documentation and code write in the place of a secret
_NO_SECRET = re.compile(
    r"(?i)\A[$%*#~.]|x{4,}|\.{3}|\*{3}|_here\b|^(?:your|my|the|some|example|dummy|fake|changeme|placeholder)[_-]"
    r"|://|^(?:process|os|self|this|config|settings|env|req|request|args|kwargs|data)\."
)


def secret_value(match: re.Match[str]) -> bool:
    """Say whether what stands behind a secret's name is one: a password of two classes, or a random key."""
    value = match["value"].rstrip(".!?:*")
    return is_secret(value, is_password=bool(match["password"]))


def is_secret(value: str, *, is_password: bool) -> bool:
    """Say whether a value that is named like a secret looks like one.

    A password mixes at least two of lower case, capitals, digits and signs, a capital at the beginning and signs
    between words not counted. Anything else has at least 16 characters with a digit and a letter among them, and at
    least 3 bits of Shannon entropy a character: random hex has up to 4, random base 64 up to 6, words about 2.5.
    """
    if len(value) < 6 or _NO_SECRET.search(value):
        return False
    if is_password:
        bare = re.sub(r"[_.:/-]", "", value)
        rest = bare[1:] if bare[:1].isupper() and not bare[1:].isupper() else bare
        kinds = [r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]"]
        return bare.isdigit() or sum(bool(re.search(kind, rest)) for kind in kinds) >= 2
    mixes = re.search(r"[0-9]", value) and re.search(r"[A-Za-z]", value)
    return len(value) >= 16 and bool(mixes) and _entropy(value) >= 3.0


def is_token(text: str) -> bool:
    """Say whether what follows an issuer's prefix was drawn at random: `sk-learn-and-other-words` was not."""
    inner = text.split(" ", 1)[-1].strip()
    mixed = re.search(r"[a-z]", inner[4:]) and re.search(r"[A-Z]", inner[4:]) and "-" not in inner[4:]
    return bool(re.search(r"[0-9]", inner)) or (bool(mixed) and len(inner) >= 20)


def is_social_security_number(match: re.Match[str]) -> bool:
    """Say whether area, group and serial number are ones the American administration gives out."""
    before, after = _around(match)
    area, group, serial = match[0].split("-")
    given_out = area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"
    return given_out and not re.search(r"[\w.+-]\Z", before) and not re.match(r"[.-]?\w", after)


def _entropy(text: str) -> float:
    """Return Shannon's entropy of the characters, in bits a character."""
    return sum(-share * math.log2(share) for share in (n / len(text) for n in Counter(text).values()))
