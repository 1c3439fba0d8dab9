"""The cheap filter lets nothing through that the careful search finds, whatever stands around and however escaped."""

import hashlib
import json
import re
import uuid
from itertools import pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.text.pii import TRIGGER, find_pii, redact, redact_column, suspicions

# of each kind, put together from pieces
SECRETS = [
    "ann.smith@example.com", "müller@bücher.example", "+44 20 7946 0958", "(555) 010-0199", "0171/1234567",
    "01 23 45 67 89", "4111 1111 1111 1111", "3782-822463-10005", "DE89370400440532013000",
    "GB82 WEST 1234 5698 7654 32",
    "203.0.113.7", "2001:db8::8a2e:370:7334", "219-09-9999", "sk-" + "aB3" * 10, "AKIA" + "ABCDEFGH12345678",
    "eyJ" + "hbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxIn0." + "c2lnbmF0dXJl", "Bearer " + "ab/12+" * 5,
    "Basic " + "dXNlcjpw/XNzd29yZDE=", "hooks.slack.com/services/" + "T0000000A/B0000000B/" + "a1b2" * 6,
    "postgres://bob:hunter2@db.example.com/x", "password: hunter2", 'api_key="' + "9f8e7d6c5b4a" * 2 + '"',
    "-----BEGIN RSA " + "PRIVATE KEY-----\nabc",
]  # fmt: skip
# what may stand before, between and behind, and pieces that patterns are made of
PIECES = st.one_of(
    st.sampled_from(SECRETS),
    st.sampled_from(
        ["\n", "\t", '"', "\\", "/", " ", "@", ":", "://", ".", "-", "é", "\u2003", "<", "password", " is "]
    ),
    st.text(max_size=8),
    st.text(alphabet="0123456789 .-+():/", max_size=20),
    st.text(alphabet="AKIASGsk_-eyJ:@=.0aZ \\n", max_size=20),
)
TEXTS = st.lists(PIECES, max_size=6).map("".join).filter(lambda text: text.isprintable() or "\n" in text)


def _writable(text: str) -> bool:
    return not re.search("[\ud800-\udfff]", text)


def _written(text: str) -> list[str]:
    """Return a text as it is, and as different writers of JSON escape it, once and twice."""
    plain, ascii_only = json.dumps(text, ensure_ascii=False), json.dumps(text)
    slashed = ascii_only.replace("/", "\\/")
    every = '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in text) + '"'
    return [text, plain, ascii_only, slashed, every, json.dumps(slashed), json.dumps(every)]


@settings(max_examples=400, deadline=None)
@given(TEXTS.filter(_writable))
def test_what_is_found_triggers(text: str) -> None:
    written = _written(text)
    triggers = pl.Series(written).str.contains(TRIGGER).to_list()
    assert [one for one, is_suspect in zip(written, triggers, strict=True) if find_pii(one) and not is_suspect] == []
    if find_pii(text):
        assert all(triggers)


DIGITS = st.characters(min_codepoint=ord("0"), max_codepoint=ord("9"))
# shapes of numbers, with the digits of their issuers or with any
NUMBERS = st.sampled_from(
    [one for one in SECRETS if one[-1].isdigit() and one.upper() == one]
    + ["1 (555) 010-0199", "555.010.0199", "555 555 0199", "+4915112345678", "41111111 11111111", "6011000990139424"]
).flatmap(
    lambda shape: st.lists(st.one_of(st.none(), DIGITS), min_size=len(shape), max_size=len(shape)).map(
        lambda digits: "".join(new if new and old.isdigit() else old for old, new in zip(shape, digits, strict=True))
    )
)
AROUND = st.text(alphabet='\n\t"\\/ é\u2003nu_-.()+:,0a', max_size=3)


@settings(max_examples=600, deadline=None)
@given(AROUND, NUMBERS, AROUND)
def test_numbers_trigger_whatever_stands_around_them(before: str, number: str, behind: str) -> None:
    written = _written(before + number + behind)
    triggers = pl.Series(written).str.contains(TRIGGER).to_list()
    assert [one for one, is_suspect in zip(written, triggers, strict=True) if find_pii(one) and not is_suspect] == []
    assert not find_pii(written[0]) or all(triggers)


def test_ids_of_usual_forms_are_not_looked_at() -> None:
    hashes = [hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest() for number in range(5_000)]
    ids = [f"chatcmpl-{number:012}" for number in range(5_000)] + [f"req-{one[:12]}" for one in hashes] + hashes
    uuids = [str(uuid.UUID(one)) for one in hashes]
    assert suspicions(pl.Series(ids)) == {}
    assert len(suspicions(pl.Series(uuids))) < 50


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS.filter(_writable), max_size=4))
def test_a_column_is_redacted_as_text_by_text(texts: list[str]) -> None:
    column, counts = redact_column(pl.Series("x", texts, dtype=pl.String))
    assert column.to_list() == [redact(text).text for text in texts]
    assert sum(counts.values()) == sum(sum(redact(text).counts.values()) for text in texts)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_redacting_twice_changes_nothing_and_spans_are_apart(text: str) -> None:
    spans = find_pii(text)
    assert all(one.start < one.end <= len(text) for one in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    done = redact(text).text
    assert redact(done).text == done
