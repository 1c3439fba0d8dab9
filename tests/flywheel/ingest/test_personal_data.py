"""Planted secrets are looked for in every byte that ingest wrote, not only in the columns that should be clean."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.ingest.files import IngestReport

# built from pieces, so that this file is nobody's finding
MAIL, CARD, IBAN = "ann.smith@" + "example.com", "4111" + "1111" * 3, "DE89" + "370400440532013000"
TOKEN, PHONE = "sk-" + "proj0123456789abcdefXYZ", "020 7946" + " 0958"
SECRETS = ("ann.smith", CARD, IBAN, TOKEN, PHONE)
ALL = f"{MAIL}\nis {CARD},\n{IBAN}\n{TOKEN} or call\n{PHONE}"

Read = Callable[..., IngestReport]
Write = Callable[..., Path]
Record = Callable[..., dict[str, Any]]


def escaped(record: dict[str, Any]) -> bytes:
    return json.dumps(record).replace("@", "\\u0040").encode()


@pytest.fixture
def personal(record: Record) -> list[Any]:
    """Return records, and lines that are refused, with something personal in every place there is."""
    tool = {"role": "tool", "content": "ok", "args": {MAIL: int(CARD)}}
    return [
        record(1, query=ALL, output=ALL, user=MAIL, conversation_id=MAIL, client_id=MAIL, workload_id=MAIL),
        record(2, response=None, error={"message": f"no user {MAIL}"}, request_id=MAIL),
        record(3, response={"id": f"id of {MAIL}", "model": MAIL, "choices": [{"finish_reason": MAIL}]}),
        record(4, feedback=[{"kind": "comment", "text": ALL, "user": MAIL}, {"kind": MAIL}]),
        record(5, request={"messages": [tool], "response_format": {"json_schema": {"schema": {"example": ALL}}}}),
        escaped(record(6, query=ALL)),
        record(7, query=ALL, timestamp=None),
        escaped(record(8, query=ALL))[:-40],
        json.dumps(record(9, query=ALL)).encode().replace(b"card_lost", b"\xff"),
        f"login of {MAIL} with {TOKEN}".encode(),
        json.dumps({"pad": "x " * 4_960, "query": ALL}).encode()[:-1],
    ]


def written(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_no_byte_under_the_lake_holds_a_secret(
    lake: Lake, settings: Settings, read: Read, write_log: Write, personal: list[Any]
) -> None:
    report = read(lake, write_log(*personal))
    assert (report.landed, report.quarantined, report.redacted) == (6, 5, 6)
    lake.connection.execute("call ducklake_flush_inlined_data('lake')")
    files = written(Path(settings.lake_root))
    assert any(name.endswith(".parquet") for name in files)
    leaks = [(name, secret) for name, content in files.items() for secret in SECRETS if secret.encode() in content]
    assert leaks == []


def test_no_column_holds_a_secret(lake: Lake, read: Read, write_log: Write, personal: list[Any]) -> None:
    read(lake, write_log(*personal))
    for table in ("raw_traces", "raw_feedback", "quarantine", "sources"):
        told = str(lake.frame(f"from {table}").rows())
        assert [secret for secret in SECRETS if secret in told] == [], table
    assert "<EMAIL>" in lake.scalar("select input from raw_traces where source_line = 1")


def test_the_same_person_stays_the_same_person(lake: Lake, read: Read, write_log: Write, record: Record) -> None:
    people = ["ann", "bob", "ann", None]
    read(lake, write_log(*[record(number, user=name) for number, name in enumerate(people)]))
    hashes = [row[0] for row in lake.frame("select actor_hash from raw_traces order by source_line").rows()]
    assert hashes[0] == hashes[2] != hashes[1]
    assert hashes[3] is None


def test_what_was_redacted_can_still_be_built_on(lake: Lake, read: Read, write_log: Write, record: Record) -> None:
    key = "-----BEGIN PRIVATE " + "KEY-----\nMIIEvQ"
    texts = [ALL, f"contact:\n{MAIL}", key, f'say "{MAIL}"', "see http://a.example then b@c"]
    report = read(lake, write_log(*[record(number, query=text) for number, text in enumerate(texts)]))
    assert report.landed == 5
    day = lake.scalar("select any_value(day) from raw_traces")
    assert lake.build("traces", day) == 5
    queries = [row[0] for row in lake.frame("select query from traces order by source_line").rows()]
    assert queries[1:] == ["contact:\n<EMAIL>", "<PRIVATE_KEY>", 'say "<EMAIL>"', "see http://a.example then b@c"]
