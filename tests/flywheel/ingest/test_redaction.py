import json
import re
from datetime import UTC, datetime

import polars as pl
import pytest

from flywheel.core.lake import Lake
from flywheel.ingest.actors import actor_hash
from flywheel.ingest.blocks import RefusedLine
from flywheel.ingest.landing import Reading, land_refused
from flywheel.ingest.redaction import (
    ID_COLUMNS,
    JSON_COLUMNS,
    RAW_KEPT,
    TEXT_COLUMNS,
    redact_json,
    redact_line,
    redact_place,
    redact_records,
)
from flywheel.text.pii import find_pii
from flywheel.text.pii_kinds import PiiKind, PiiSpan

TOKEN = "sk-" + "abcdefghij0123456789"
COLUMNS = (*JSON_COLUMNS, *TEXT_COLUMNS, *ID_COLUMNS)


def frame(aliases: list[str] | None = None, **values: str | None) -> pl.DataFrame:
    texts = pl.DataFrame([{name: values.get(name) for name in COLUMNS}], schema=dict.fromkeys(COLUMNS, pl.String))
    return texts.with_columns(pl.Series("aliases", [aliases], dtype=pl.List(pl.String)))


def cleaned_and_count(records: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    done = redact_records(records)
    return done.records, done.changed_count


def messages(text: str) -> str:
    return json.dumps([{"role": "user", "content": text}], ensure_ascii=False)


SAID = [
    ("write to ann@example.com", "write to <EMAIL>"),
    ("write to:\nann@example.com\nor call", "write to:\n<EMAIL>\nor call"),
    ('she said "ann@example.com"', 'she said "<EMAIL>"'),
    (f"key:\n{TOKEN}", "key:\n<TOKEN>"),
    ("card\t4111111111111111", "card\t<CARD>"),
    ("iban\r\nDE89370400440532013000", "iban\r\n<IBAN>"),
    ("from\n203.0.113.77", "from\n<IP_ADDRESS>"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN", "<PRIVATE_KEY>"),
    ("C:\\new\\ann@example.com", "C:\\new\\<EMAIL>"),
    ("schöne Grüße, ann@example.com", "schöne Grüße, <EMAIL>"),
    ("order 4111111111111112 of 2026-01-05", "order 4111111111111112 of 2026-01-05"),
]


def test_an_alias_named_after_a_person_is_hashed_like_the_id_it_repeats() -> None:
    name = "ann@example.com"
    cleaned = redact_records(frame(aliases=["span-1", name], response_id=name)).records
    assert cleaned["aliases"].to_list() == [["span-1", cleaned["response_id"][0]]]
    assert name not in str(cleaned.rows())


@pytest.mark.parametrize(("said", "kept"), SAID, ids=[kept for _, kept in SAID])
def test_messages_stay_json_and_lose_what_is_personal(said: str, kept: str) -> None:
    cleaned, count = cleaned_and_count(frame(input=messages(said)))
    assert json.loads(cleaned["input"][0]) == [{"role": "user", "content": kept}]
    assert count == int(said != kept)


@pytest.mark.parametrize("said", ["http://example.com", "see http://a.example:80"])
def test_what_only_looks_personal_across_two_messages_stays(said: str) -> None:
    spoken = json.dumps([{"content": said}, {"content": "a@b"}], separators=(",", ":"))
    assert redact_records(frame(input=spoken)).records["input"][0] == spoken


def test_keys_and_long_numbers_are_redacted_too() -> None:
    spoken = '[{"ann@example.com":1,"card":4111111111111111,"id":1180591620717411303424,"t":-0.25}]'
    cleaned = redact_records(frame(input=spoken)).records["input"][0]
    assert json.loads(cleaned) == [{"<EMAIL>": 1, "card": "<CARD>", "id": 1180591620717411303424, "t": -0.25}]


@pytest.mark.parametrize("column", TEXT_COLUMNS)
def test_every_text_is_redacted(column: str) -> None:
    cleaned, count = cleaned_and_count(frame(**{column: "of ann@example.com"}))
    assert (cleaned[column][0], count) == ("of <EMAIL>", 1)


@pytest.mark.parametrize("column", JSON_COLUMNS)
def test_every_json_is_redacted(column: str) -> None:
    cleaned, count = cleaned_and_count(frame(**{column: '{"a":"ann@example.com"}'}))
    assert (cleaned[column][0], count) == ('{"a":"<EMAIL>"}', 1)


def test_a_conversation_named_after_a_person_stays_one_conversation() -> None:
    named = pl.concat([frame(conversation_id=name) for name in ("ann@example.com", "ann@example.com", "c-17", None)])
    ids = redact_records(named).records["conversation_id"].to_list()
    assert ids[0] == ids[1]
    assert len(ids[0]) == 32
    assert ids[2:] == ["c-17", None]


def test_clean_records_come_back_as_they_were() -> None:
    spoken = frame(input=messages("where is my card?"), output="card_lost")
    cleaned, count = cleaned_and_count(spoken)
    assert cleaned.equals(spoken)
    assert count == 0


def test_records_with_several_findings_count_once() -> None:
    two = frame(input=messages("ann@example.com bob@example.com"), output="ann@example.com")
    assert redact_records(pl.concat([two, frame(output="fine")])).changed_count == 1


REFUSED = [
    '{"a": "x\\nann@example.com"',
    '{"a": "x\\u0020ann\\u0040example.com"}',
    '{"a": "cut ann\\u0040example.com and',
    '{"a": "bad \\x escape\\nann@example.com"}',
    '{"a": "half \\ud800 ann@example.com"}',
    "not json: ann@example.com",
    f'{{"a": "{"x " * 4990}", "b": "of ann@example.com"}}',
    f"{'x' * 9990} ann@example.com",
]


@pytest.mark.parametrize("line", REFUSED, ids=lambda line: line[:30])
def test_a_refused_line_is_kept_without_what_is_personal(line: str) -> None:
    kept = redact_line(line)
    assert "ann" not in kept
    assert find_pii(kept) == []
    assert kept.encode()
    assert kept[:5] == line[:5]


def test_a_refused_line_is_kept_as_it_came_where_nothing_is_personal() -> None:
    line = '{"a": "x\\ny\\u00e9", "n": 123456789012345, "b": tru'
    assert redact_line(line) == line


def test_no_more_is_kept_than_the_contract_says_though_placeholders_are_long() -> None:
    assert len(redact_line("203.0.113.1 " * 2000)) <= RAW_KEPT
    assert len(redact_line("x" * 50_000)) == RAW_KEPT


class KnownNames:
    """Finds two names it was told."""

    def find(self, text: str) -> list[PiiSpan]:
        return [PiiSpan(PiiKind.NAME, found.start(), found.end()) for found in re.finditer("Ann Smith|Bob", text)]


def test_names_are_replaced_where_people_speak() -> None:
    spoken = frame(input=messages("I am Ann Smith, or\nBob"), output="Hello Bob", model="Bob")
    done = redact_records(spoken, KnownNames())
    assert json.loads(done.records["input"][0])[0]["content"] == "I am <NAME>, or\n<NAME>"
    assert (done.records["output"][0], done.records["model"][0]) == ("Hello <NAME>", "Bob")
    assert dict(done.counts) == {"name": 3}


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ('{"content": "I am Ann Smith", "cut": "so is Bob', '{"content": "I am <NAME>", "cut": "so is <NAME>"'),
        ("1;Ann Smith;hello", "1;<NAME>;hello"),
    ],
)
def test_names_in_refused_lines_are_replaced(line: str, kept: str) -> None:
    assert redact_line(line, KnownNames()) == kept


def test_names_in_quarantine_are_replaced() -> None:
    lake = Lake.in_memory()
    refused = RefusedLine(1, 0, "invalid_json", "", "Ann Smith,")
    assert land_refused(lake, [refused], Reading("a", datetime(2026, 1, 6, tzinfo=UTC)), KnownNames()) == 1
    assert lake.scalar("select raw from quarantine") == "<NAME>,"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ('{"api_key": "9f8e7d6c5b4a39f8e7d6c5b4a3"}', {"api_key": "<SECRET>"}),
        ('{"user_password" : "hunter2", "n": 1}', {"user_password": "<SECRET>", "n": 1}),
        ('{"clientSecret":"a\\u0041a\\u0042c1d2e3f4g5h6"}', {"clientSecret": "<SECRET>"}),
        ('{"token": "Hello12", "prompt_tokens": "1234567"}', {"token": "Hello12", "prompt_tokens": "1234567"}),
        ('{"password": "required", "secret": true}', {"password": "required", "secret": True}),
    ],
)
def test_a_value_whose_key_says_that_it_is_a_secret_is_replaced(written: str, kept: dict[str, object]) -> None:
    assert json.loads(redact_json(written)) == kept


def test_arguments_of_tools_stay_json_inside_json() -> None:
    arguments = json.dumps({"to": "a\nann@example.com", "path": "C:\\new", "password": "hunter2"})
    written = json.dumps([{"content": "", "tool_calls": [{"function": {"arguments": arguments}}]}])
    kept = json.loads(redact_json(written))[0]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(kept) == {"to": "a\n<EMAIL>", "path": "C:\\new", "password": "<SECRET>"}


def test_findings_are_counted_by_kind() -> None:
    done = redact_records(
        frame(input=messages("ann@example.com bob@example.com"), output="203.0.113.7", response_id="x@y.example")
    )
    assert dict(done.counts) == {"email": 3, "ip_address": 1}


def test_a_users_address_in_feedback_becomes_the_pseudonym_of_the_trace() -> None:
    said = redact_records(frame(feedback='[{"kind": "thumb", "user": "ann@example.com"}]')).records["feedback"][0]
    assert actor_hash(json.loads(said)[0]["user"]) == actor_hash("ann@example.com")


def test_a_file_named_after_a_person_is_told_apart_without_the_name() -> None:
    places = [redact_place(f"logs/{name}@example.com.jsonl") for name in ("ann", "bob")]
    assert places[0].startswith("logs/")
    assert len(set(places)) == 2
    assert "ann" not in places[0]
    assert redact_place("logs/2026-01-05.jsonl") == "logs/2026-01-05.jsonl"
