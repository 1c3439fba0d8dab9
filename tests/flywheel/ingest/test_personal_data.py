"""Planted secrets are looked for in every byte that ingest wrote, not only in the columns that should be clean."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.ingest.files import IngestReport

Read = Callable[..., IngestReport]
Write = Callable[..., Path]
Record = Callable[..., dict[str, Any]]


def luhn(digits: str) -> str:
    """Return the digits with their check digit."""
    doubled = [int(d) * (2 - place % 2) for place, d in enumerate(reversed(digits))]
    return digits + str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def iban(account: str) -> str:
    return f"DE{98 - int(account + '131400') % 97:02}{account}"


BEGIN = "-----BEGIN PRIVATE " + "KEY-----"
# kind to what is planted and what must be nowhere; built from pieces, so that this file is nobody's finding
KINDS: dict[str, Callable[[int], tuple[str, str]]] = {
    "email": lambda n: (f"ann{n}.smith@" + f"mail{n}.example.com", f"ann{n}.smith"),
    "phone": lambda n: (f"020 7946 {n:04}", f"7946 {n:04}"),
    "us_phone": lambda n: (f"(212) 555-{n:04}", f"555-{n:04}"),
    "card": lambda n: (luhn(f"41111111111{n:04}"), f"41111111111{n:04}"),
    "iban": lambda n: (iban(f"3704004405320{n:05}"), f"3704004405320{n:05}"),
    "ip_address": lambda n: (f"203.0.{n % 250}.{n // 250 + 17}", f"203.0.{n % 250}.{n // 250 + 17}"),
    "ssn": lambda n: (f"219-09-{n + 1000:04}", f"219-09-{n + 1000:04}"),
    "openai_key": lambda n: ("sk-" + f"proj{n:04}" + "aB3dE5fG7h" * 2, f"proj{n:04}"),
    "aws_key": lambda n: ("AKIA" + f"ABCDEFGH1234{n:04}", f"ABCDEFGH1234{n:04}"),
    "jwt": lambda n: ("eyJ" + f"hbGciOiJIUzI1{n:04}." + "eyJzdWIiOiIxIn0." + "c2lnbmF0dXJl", f"hbGciOiJIUzI1{n:04}"),
    "bearer": lambda n: ("Bearer " + f"tok{n:04}" + "x7" * 10, f"tok{n:04}"),
    "password": lambda n: (f"password: hunter{n:04}", f"hunter{n:04}"),
    "api_key": lambda n: ("api_key=" + f"9f8e7d6c5b4a{n:04}3e2d1c", f"9f8e7d6c5b4a{n:04}"),
    "credentials": lambda n: (f"postgres://bob:pw{n:04}x@" + "db.example/x", f"pw{n:04}x"),
    "private_key": lambda n: (
        "-----BEGIN PRIVATE " + f"KEY-----\nMII{n:04}Qe\n-----END PRIVATE " + "KEY-----",
        f"MII{n:04}Qe",
    ),
}
PLACES: dict[str, Callable[[str, Record, int], Any]] = {
    "query": lambda text, new, n: new(n, query=f"see\n{text}\nthere"),
    "output": lambda text, new, n: new(n, output=f"it is\t{text} so"),
    "escaped": lambda text, new, n: escaped(new(n, spoken=f"x\n{text} y")),
    "slashed": lambda text, new, n: json.dumps(new(n, query=f"x {text} y")).replace("/", "\\/").encode(),
    "twice": lambda text, new, n: new(n, query=json.dumps(json.dumps({"a": f"b\n{text} c"}))),
    "tool_arguments": lambda text, new, n: new(n, request=asked(arguments=json.dumps({"to": f"a\n{text} b"}))),
    "tool_result": lambda text, new, n: new(n, request=asked(content=f"found: {text} .")),
    "key": lambda text, new, n: new(n, request=asked(args={f"of {text} !": 1})),
    "schema": lambda text, new, n: new(n, request=asked(content="ok") | schema(text)),
    "user": lambda text, new, n: new(n, user=f"u {text} u"),
    "conversation": lambda text, new, n: new(n, conversation_id=f"c {text} c"),
    "client": lambda text, new, n: new(n, client_id=f"c {text} c", workload_id=f"w {text} w"),
    "response_id": lambda text, new, n: new(n, response={"id": f"r {text} r", "model": text, "choices": []}),
    "error": lambda text, new, n: new(n, response=None, error={"message": f"no {text} here"}),
    "feedback": lambda text, new, n: new(n, feedback=[{"kind": "comment", "text": f"a {text}", "user": text}]),
    "no_time": lambda text, new, n: new(n, query=f"q {text} q", timestamp=None),
    "cut": lambda text, new, n: json.dumps(new(n, output="", query=f"q {text} q")).encode()[:-30],
    "cut_escaped": lambda text, new, n: escaped(new(n, spoken=f"q\n{text} q"))[:-30],
    "not_utf8": lambda text, new, n: json.dumps(new(n, query=f"q {text} q")).encode() + b"\xff",
    "not_json": lambda text, *_: f"login of {text} failed".replace("\n", " ").encode(),
    "long": lambda text, *_: json.dumps({"pad": "x " * 4_940, "query": f"q {text} q"}).encode()[:-1],
}  # fmt: skip


def escaped(record: dict[str, Any]) -> bytes:
    """Return a record whose query has every second character escaped."""
    record["request"]["messages"][0]["content"] = "QUERY"
    query = record.pop("spoken")
    written = "".join(f"\\u{ord(c):04x}" if place % 2 else json.dumps(c)[1:-1] for place, c in enumerate(query))
    return json.dumps(record).replace("QUERY", written).encode()


def asked(**message: Any) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": message.pop("arguments", "{}")}}
    calling = {"role": "assistant", "content": None, "tool_calls": [call]}
    return {"model": "m", "messages": [calling, {"role": "tool", "content": "ok"} | message]}


def schema(text: str) -> dict[str, Any]:
    return {"response_format": {"json_schema": {"schema": {"example": f"e {text} e"}}}}


@pytest.fixture
def planted(record: Record) -> tuple[list[Any], dict[str, str]]:
    """Return lines with every kind in every place, and where each secret was planted."""
    lines, marks = [], {}
    for place, line_of in PLACES.items():
        for kind, secret_of in KINDS.items():
            text, mark = secret_of(len(lines))
            lines.append(line_of(text, record, len(lines)))
            marks[mark] = f"{kind} in {place}"
    return lines, marks


def written(folder: Path) -> str:
    """Return every byte of every file, Parquet's also unpacked, with its statistics."""
    texts = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        texts.append(path.read_bytes().decode("utf-8", "replace"))
        if path.suffix == ".parquet":
            texts += [str(pl.read_parquet(path).to_dicts()), str(pq.ParquetFile(path).metadata.to_dict())]
    return "\n".join(texts)


def test_no_byte_under_the_lake_holds_a_secret(
    lake: Lake, settings: Settings, read: Read, write_log: Write, planted: tuple[list[Any], dict[str, str]]
) -> None:
    lines, marks = planted
    assert len(marks) == len(lines) == len(KINDS) * len(PLACES) > 300
    report = read(lake, write_log(*lines, name=f"of {KINDS['email'](9999)[0]}.jsonl"))
    assert report.quarantined == 6 * len(KINDS)
    assert report.landed == (len(PLACES) - 6) * len(KINDS)
    lake.connection.execute("call ducklake_flush_inlined_data('lake')")
    everything = written(Path(settings.lake_root))
    assert "<EMAIL>" in everything
    assert [place for mark, place in (marks | {"ann9999": "file name"}).items() if mark in everything] == []


def test_what_was_found_is_counted_by_kind(lake: Lake, read: Read, write_log: Write, record: Record) -> None:
    read(lake, write_log(record(1, query=" ".join(text for text, _ in (KINDS["email"](1), KINDS["card"](2))))))
    kinds = json.loads(lake.scalar("select redacted_kinds from sources"))
    assert kinds == {"email": 1, "card": 1}


def test_the_same_person_stays_the_same_person(lake: Lake, read: Read, write_log: Write, record: Record) -> None:
    people = ["ann", "bob", "ann", None]
    read(lake, write_log(*[record(number, user=name) for number, name in enumerate(people)]))
    hashes = [row[0] for row in lake.frame("select actor_hash from raw_traces order by source_line").rows()]
    assert hashes[0] == hashes[2] != hashes[1]
    assert hashes[3] is None


def test_a_person_named_by_an_address_is_the_same_in_traces_and_feedback(
    lake: Lake, read: Read, write_log: Write, record: Record
) -> None:
    said = [{"kind": "thumb", "value": -1, "user": name} for name in ("ann@a.example", "bob@b.example")]
    read(lake, write_log(record(1, user="ann@a.example", feedback=said)))
    actors = lake.frame("select actor_hash from raw_feedback")["actor_hash"].to_list()
    assert lake.scalar("select actor_hash from raw_traces") in actors
    assert len(set(actors)) == 2


def test_what_was_redacted_can_still_be_built_on(lake: Lake, read: Read, write_log: Write, record: Record) -> None:
    mail = KINDS["email"](1)[0]
    key = "-----BEGIN PRIVATE " + "KEY-----\nMIIEvQ"
    texts = [f"all: {mail}", f"contact:\n{mail}", key, f'say "{mail}"', "see http://a.example then b@c"]
    report = read(lake, write_log(*[record(number, query=text) for number, text in enumerate(texts)]))
    assert report.landed == 5
    day = lake.scalar("select any_value(day) from raw_traces")
    assert lake.build("traces", day) == 5
    queries = [row[0] for row in lake.frame("select query from traces order by source_line").rows()]
    assert queries[1:] == ["contact:\n<EMAIL>", "<PRIVATE_KEY>", 'say "<EMAIL>"', "see http://a.example then b@c"]
