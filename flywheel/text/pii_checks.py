"""Decide whether what looks like a card, an account, an address or a phone number is one."""

import ipaddress
import re

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
    if is_decimal_part or not _CARD_NETWORKS.fullmatch(digits):
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
