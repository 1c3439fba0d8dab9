"""How people write: typos, shouting, loan words and private data, all from a given random source."""

import random
from collections.abc import Mapping, Sequence

_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
    "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et",
    "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
_FRAMES = (
    "I mean {}",
    "no, {}",
    "that is not it: {}",
    "let me say it again, {}",
    "{} - that was my question",
    "again: {}",
    "as I said, {}",
    "sorry, what I meant: {}",
    "{} (wrong answer before)",
    "not what I asked. {}",
)
_SWAPS = {
    "how do i": "what is the way to",
    "how can i": "what is the way to",
    "why": "how come",
    "can i": "am I able to",
    "my": "the",
    "i want": "I would like",
    "i need": "I have to have",
    "has not": "still hasn't",
    "is not": "isn't",
    "when": "at what time",
    "where": "in which place",
    "money": "funds",
    "do you": "does your bank",
}


def with_typo(text: str, rng: random.Random) -> str:
    """Return the text with one slip of the fingers: swapped, dropped, doubled or neighbouring letters."""
    spots = [at for at in range(1, len(text) - 1) if text[at].isalpha() and text[at + 1].isalpha()]
    if not spots:
        return text
    at = rng.choice(spots)
    letter, after = text[at], text[at + 1]
    near = rng.choice(_NEIGHBOURS.get(letter.lower(), letter))
    slips = (after + letter, after, letter + letter + after, near + after)
    return text[:at] + rng.choice(slips) + text[at + 2 :]


def with_case(text: str, rng: random.Random) -> str:
    """Return the text as people case it: mostly as a sentence, often in small letters, rarely shouted."""
    draw = rng.random()
    if draw < 0.45:
        return text[:1].upper() + text[1:]
    if draw < 0.92:
        return text.lower()
    return text.upper() if draw < 0.95 else text


def with_loan_word(text: str, loans: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    """Return the text with one English noun replaced by another language's, or unchanged if it has none."""
    words = text.split(" ")
    spots = [at for at, word in enumerate(words) if word.strip(",.?!") in loans]
    if not spots:
        return text
    at = rng.choice(spots)
    noun = words[at].strip(",.?!")
    words[at] = words[at].replace(noun, rng.choice(loans[noun]))
    return " ".join(words)


def with_pii(text: str, rng: random.Random) -> str:
    """Return the text with invented private data appended: an e-mail, a phone, a card number or an IBAN."""
    make, lead = rng.choice(
        (
            (invented_email, "my mail is"),
            (invented_phone, "call me on"),
            (invented_card_number, "card number"),
            (invented_iban, "my IBAN is"),
        )
    )
    return f"{text.rstrip('.?! ')}, {lead} {make(rng)}"


def rephrase(text: str, rng: random.Random) -> str:
    """Return the same request in slightly other words, as someone who was misunderstood would write it."""
    said = text.rstrip(".?! ")
    lowered = said.lower()
    for phrase, other in rng.sample(sorted(_SWAPS.items()), k=len(_SWAPS)):
        at = f" {lowered} ".find(f" {phrase} ")
        if at >= 0:
            said = said[:at] + other + said[at + len(phrase) :]
            break
    if rng.random() < 0.7 or said.lower() == lowered:
        said = rng.choice(_FRAMES).format(said)
    return said


def invented_email(rng: random.Random) -> str:
    """Return an address under example.*, which RFC 2606 reserves so that it belongs to nobody."""
    name = rng.choice(("amara", "jonas", "mireille", "teo", "ingrid", "rashid", "paloma", "kwame"))
    return f"{name}.{rng.randrange(1000)}@example.{rng.choice(('com', 'org', 'net'))}"


def invented_phone(rng: random.Random) -> str:
    """Return a number from ranges set aside for fiction: Ofcom's 07700 900xxx and NANP's 555-01xx."""
    if rng.random() < 0.5:
        return f"+44 7700 900{rng.randrange(1000):03d}"
    return f"+1 202-555-01{rng.randrange(100):02d}"


def invented_card_number(rng: random.Random) -> str:
    """Return a card number of zeros but for its end; the last digit passes Luhn (ISO/IEC 7812-1 annex B)."""
    body = f"400000000000{rng.randrange(1000):03d}"
    doubled = [int(digit) * (2 - at % 2) for at, digit in enumerate(body)]
    total = sum(value // 10 + value % 10 for value in doubled)
    number = f"{body}{-total % 10}"
    return " ".join(number[at : at + 4] for at in range(0, 16, 4))


def invented_iban(rng: random.Random) -> str:
    """Return an IBAN of the made-up bank TEST; its check digits are right (ISO 13616, mod 97)."""
    account = f"TEST000000{rng.randrange(10**8):08d}"
    digits = "".join(str(int(character, 36)) for character in f"{account}GB00")
    return f"GB{98 - int(digits) % 97:02d}{account}"
