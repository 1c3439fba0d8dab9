from itertools import product

import duckdb
import polars as pl
import pytest

from flywheel.text.pii import TRIGGER, PiiKind, PiiSpan, find_pii, redact, redact_column, redact_each, replaced

# Tokens are put together here so that no secret scanner takes this file for a leak.
FOUND = [
    ("write to jane.doe+x@mail.example.co.uk.", "write to <EMAIL>."),
    ("müller@bücher.example", "<EMAIL>"),
    ("call +44 20 7946 0958 now", "call <PHONE> now"),
    ("(555) 010-0199", "<PHONE>"),
    ("1-800-555-0199", "<PHONE>"),
    ("Tel. 0171/1234567", "Tel. <PHONE>"),
    ("01 23 45 67 89", "<PHONE>"),
    ("card 4111 1111 1111 1111, exp 12/30", "card <CARD>, exp 12/30"),
    ("5555555555554444", "<CARD>"),
    ("amex 3782-822463-10005", "amex <CARD>"),
    ("IBAN DE89 3704 0044 0532 0130 00 PAID", "IBAN <IBAN> PAID"),
    ("GB82WEST12345698765432", "<IBAN>"),
    ("from 203.0.113.7:8080", "from <IP_ADDRESS>:8080"),
    ("IP:203.0.113.7", "IP:<IP_ADDRESS>"),
    ("2001:db8::8a2e:370:7334 connected", "<IP_ADDRESS> connected"),
    ("2001:0db8:0000:0000:0000:8a2e:0370:7334", "<IP_ADDRESS>"),
    ("key sk-proj-" + "aB3" * 10, "key <TOKEN>"),
    ("ghp_" + "a1B2" * 9, "<TOKEN>"),
    ("AKIA" + "ABCDEFGH12345678", "<TOKEN>"),
    ("xoxb-" + "1234567890-abcdef", "<TOKEN>"),
    ("hf_" + "aBcD" * 9, "<TOKEN>"),
    ("Authorization: Bearer " + "abc123" * 5, "Authorization: <TOKEN>"),
    ("eyJ" + "hbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxIn0." + "c2lnbmF0dXJl", "<TOKEN>"),
    ("postgres://bob:hunter2@db.example.com/x", "<CREDENTIALS>db.example.com/x"),
    ("-----BEGIN RSA " + "PRIVATE KEY-----\nabc\n-----END RSA " + "PRIVATE KEY-----\n", "<PRIVATE_KEY>\n"),
    ("-----BEGIN " + "PRIVATE KEY-----\ncut off", "<PRIVATE_KEY>"),
    ("a@b.example and c@d.example", "<EMAIL> and <EMAIL>"),
    ("x@y.example+49 30 1234567", "<EMAIL><PHONE>"),
    ("SSN 219-09-9999, born", "SSN <SSN>, born"),
    ("redis://:hunter2@cache.example.com", "<CREDENTIALS>cache.example.com"),
    ("password: hunter2", "password: <SECRET>"),
    ("my password is Tr0ub4dor&3.", "my password is <SECRET>&3."),
    ("DB_PASSWORD=s3cr3t-pass", "DB_PASSWORD=<SECRET>"),
    ('{"api_key": "' + "9f8e7d6c5b4a" * 2 + '"}', '{"api_key": "<SECRET>"}'),
    ("clientSecret => '" + "q9W8e7R6t5Y4u3I2" + "'", "clientSecret => '<SECRET>'"),
    ("AccountKey=" + "Zm9vYmFyMTIzNDU2" + "Nzg5MA==", "AccountKey=<SECRET>"),
    ("?access_token=" + "a1b2c3d4e5f6a7b8" + "&x=1", "?access_token=<SECRET>&x=1"),
    ("gsk_" + "a1B2c3D4" * 6, "<TOKEN>"),
    ("glpat-" + "a1B2c3D4e5F6g7H8i9J0", "<TOKEN>"),
    ("AIza" + "Sy" + "a1B2c3D4e5F" * 3, "<TOKEN>"),
    ("https://hooks.slack.com/services/" + "T0000000A/B0000000B/" + "a1b2" * 6, "https://<TOKEN>"),
    ("Authorization: Basic " + "dXNlcjpwYXNzd29yZDE=", "Authorization: <TOKEN>"),
    ("-----BEGIN PGP " + "PRIVATE KEY BLOCK-----\nx\n-----END PGP " + "PRIVATE KEY BLOCK-----", "<PRIVATE_KEY>"),
    # escapes that are still there
    (r"x\njohn@c.example y", r"x\<EMAIL> y"),
    (r"x\nsk-" + "aB3" * 10, r"x\n<TOKEN>"),
    (r"john\u0040c.example", "<EMAIL>"),
    (r"at\t0171\/1234567", r"at\t<PHONE>"),
    (r"postgres:\/\/bob:hunter2@db", "<CREDENTIALS>db"),
]

CLEAN = [
    "order 1234567890123456",
    "order 4111111111111112",
    "(5.0, 2.5358983848622456)",
    "v1.2.3.4",
    "version 10.2.3.4",
    "1.2.3.4.5",
    "localhost 127.0.0.1 and ::1",
    "std::vector and a::b::c",
    "at 12:30:45 on 2026-01-02T03:04:05Z",
    "aa:bb:cc:dd:ee:ff",
    "1700000000000",
    "$1,234,567.89",
    "lodash@4.17.21",
    "@jane see ticket 555-1234",
    "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    "100 200 3000",
    "ISBN 978-3-16-148410-0",
    "US12 3456 7890 1234",
    "DE88370400440532013000",
    "3.14159265358979",
    "sk-learn and hf_hub",
    "<EMAIL> and <PHONE>",
    "password: <SECRET>",
    "the password is required.",
    "Your password is incorrect!",
    "password: os.environ['DB_PASSWORD']",
    "PASSWORD=$DB_PASSWORD",
    "api_key = your_api_key_here_1234567",
    "prompt_tokens: 123456, total_tokens=4567890",
    "the secret: believe in yourself",
    "token: 'Hello12'",
    "sk-learn-based-pipelines-for-text",
    "Bearer of-bad-news-and-more-of-it",
    "Basic understanding of mathematics",
    "666-12-3456 and 000-12-3456 and 219-00-9999",
    "@app.route and C:\\new\\users",
    "",
]


@pytest.mark.parametrize(("text", "redacted"), FOUND)
def test_found(text, redacted):
    assert redact(text).text == redacted


@pytest.mark.parametrize("text", CLEAN)
def test_left_alone(text):
    assert find_pii(text) == []


@pytest.mark.parametrize(("text", "redacted"), FOUND)
def test_redacting_twice_changes_nothing(text, redacted):
    assert redact(redacted).text == redacted
    assert redact(redacted).counts == {}


def test_spans_say_where():
    assert find_pii("I am a@b.example, 203.0.113.7") == [
        PiiSpan(PiiKind.EMAIL, 5, 16),
        PiiSpan(PiiKind.IP_ADDRESS, 18, 29),
    ]


def test_findings_are_counted_by_kind():
    assert redact("a@b.example c@d.example 203.0.113.7").counts == {PiiKind.EMAIL: 2, PiiKind.IP_ADDRESS: 1}


def test_the_exported_pattern_misses_nothing_in_polars_and_duckdb():
    texts = pl.DataFrame({"text": [text for text, _ in FOUND]})
    assert texts["text"].str.contains(TRIGGER).all()
    missed = duckdb.execute("select text from texts where not regexp_matches(text, $pattern)", {"pattern": TRIGGER})
    assert missed.fetchall() == []


def test_a_column_is_redacted_like_its_texts():
    column = pl.Series("input", [*(text for text, _ in FOUND), *CLEAN, None])
    redacted, counts = redact_column(column)
    assert redacted.to_list() == [*(text for _, text in FOUND), *CLEAN, None]
    assert redacted.name == "input"
    assert counts[PiiKind.TOKEN] == 13


def test_many_texts_are_redacted_like_each():
    texts = dict(enumerate(f"\ud800{one}{other}" for (one, _), (other, _) in product(FOUND, FOUND)))
    hidden = {place: redact(text) for place, text in texts.items() if find_pii(replaced(text, find_pii(text)))}
    assert len(hidden) > 30  # a finding hid its neighbour there
    redacted = redact_each(texts, dict.fromkeys(texts, frozenset(PiiKind)))
    assert redacted == {place: redact(text) for place, text in texts.items()}


def test_a_clean_column_comes_back_as_it_is():
    redacted, counts = redact_column(pl.Series("input", ["hello", None]))
    assert redacted.to_list() == ["hello", None]
    assert counts == {}


def test_a_long_text_costs_time_in_proportion():
    text = "203.0.113.7 a@b.example " * 20_000
    assert redact(text).counts == {PiiKind.IP_ADDRESS: 20_000, PiiKind.EMAIL: 20_000}


def test_a_key_that_is_cut_off_costs_no_more_than_its_length():
    begin = "-----BEGIN PRIVATE " + "KEY-----"
    assert redact(begin + "x" * 3_000_000).text == "<PRIVATE_KEY>"
