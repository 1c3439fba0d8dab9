"""The same calls in every container land the same; damage costs what lies behind it and nothing else."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flywheel.core.lake import Lake
from flywheel.core.scratch import Scratch
from flywheel.ingest.blocks import Place
from flywheel.ingest.containers import Kind, blocks_of, kind_of, recognise
from flywheel.ingest.files import IngestReport
from flywheel.ingest.strict import checked

Record = dict[str, Any]
Write = Callable[..., Path]
Read = Callable[..., IngestReport]
MIB = 1024 * 1024


def as_lines(records: list[Record]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def as_parquet(records: list[Record]) -> bytes:
    packed = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), packed)
    return packed.getvalue()


def as_zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


CONTAINERS: dict[str, Callable[[list[Record]], bytes]] = {
    "a.jsonl": as_lines,
    "a.log": as_lines,
    "a.json": as_lines,
    "a.jsonl.gz": lambda records: gzip.compress(as_lines(records)),
    "two members.jsonl.gz": lambda records: (
        gzip.compress(as_lines(records[:7])) + gzip.compress(as_lines(records[7:]))
    ),
    "a.jsonl.zst": lambda records: as_zstd(as_lines(records)),
    "packed in secret.jsonl": lambda records: as_zstd(as_lines(records)),
    "array.json": lambda records: json.dumps(records).encode(),
    "pretty.json": lambda records: json.dumps(records, indent=2).encode(),
    "pretty.json.gz": lambda records: gzip.compress(json.dumps(records, indent=2).encode()),
    "one after another.json": lambda records: "\n".join(json.dumps(one, indent=1) for one in records).encode(),
    "a.parquet": as_parquet,
    "a.parquet.zst": lambda records: as_zstd(as_parquet(records)),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_same_calls_land_from_every_container(
    memory: Lake, ingest: Read, counts: Callable[..., Any], record: Callable[..., Record], name: str
) -> None:
    records = [record(number, query='say "}" and\n\\ [' + "é" * number) for number in range(20)]
    report = ingest(CONTAINERS[name](records), name=name, end=b"")
    assert counts(report) == (20, 20, 0, 0)
    said = memory.frame("select input ->> '$[0].content' from raw_traces order by source_line").to_series()
    assert said.to_list() == [one["request"]["messages"][0]["content"] for one in records]
    assert memory.frame("select source_line from raw_traces order by all").to_series().n_unique() == 20


def test_one_document_is_one_record(ingest: Read, counts: Callable[..., Any], record: Callable[..., Record]) -> None:
    assert counts(ingest(json.dumps(record(1), indent=2).encode(), name="a.json", end=b"")) == (1, 1, 0, 0)


def test_a_bad_element_of_an_array_is_refused_with_its_place(
    memory: Lake, ingest: Read, counts: Callable[..., Any], record: Callable[..., Record]
) -> None:
    good = [json.dumps(record(number)) for number in range(2)]
    content = f"[{good[0]}, {{bad}}, 5, {good[1]}]".encode()
    assert counts(ingest(content, name="a.json", end=b"")) == (4, 2, 0, 2)
    rows = memory.frame("select source_line, byte_offset, reason, raw from quarantine order by 1").rows()
    assert rows == [
        (2, content.index(b"{bad}"), "invalid_json", "{bad}"),
        (3, content.index(b"5, "), "not_an_object", "5"),
    ]


@pytest.mark.parametrize("rest", [b"", b"\n]\n{", b'{"open": "'])
def test_a_document_that_breaks_off_keeps_what_came_before(
    memory: Lake, ingest: Read, record: Callable[..., Record], rest: bytes
) -> None:
    content = b"[\n" + b",\n".join(json.dumps(record(number)).encode() for number in range(5)) + b",\n" + rest
    report = ingest(content, name="a.json", end=b"")
    assert (report.landed, report.quarantined) == (5, int(bool(rest)))


@pytest.fixture
def rows_of(memory: Lake) -> Callable[..., tuple[list[Any], list[tuple[int | None, str]]]]:
    """Return what reads content as a container: its records, and the lines and reasons of what was refused."""

    def run(content: bytes, name: str) -> tuple[list[Any], list[tuple[int | None, str]]]:
        with Scratch(memory) as scratch:
            container = recognise(io.BytesIO(content), name)
            blocks = [checked(scratch, block) for block in blocks_of(container, container.stream(), scratch, Place())]
        records = [json.loads(str(text)) for block in blocks for text in block.records]
        return records, [(line.source_line, line.reason) for block in blocks for line in block.refused]

    return run


def test_csv_rows_are_objects_of_texts(rows_of: Callable[..., Any]) -> None:
    content = '\ufeffid,said\r\n1,"two\nlines, and ""quotes"""\r\n\r\n2,é\r\n'.encode()
    assert rows_of(content, "a.csv") == (
        [{"id": "1", "said": 'two\nlines, and "quotes"'}, {"id": "2", "said": "é"}],
        [],
    )
    assert rows_of(b"a\tb\n1\t2\n", "a.tsv.gz") == ([{"a": "1", "b": "2"}], [])


BROKEN_ROWS = {
    "too few fields": b"3\n",
    "too many fields": b"3,4,5\n",
    "a quote that never ends": b'3,"open\n',
    "a quote in the middle": b'3,"a"b\n',
    "no utf-8": b"3,\xff\n",
}


@pytest.mark.parametrize("name", BROKEN_ROWS)
def test_a_broken_row_of_csv_takes_no_other_with_it(rows_of: Callable[..., Any], name: str) -> None:
    good = [f"{number},said {number}\n".encode() for number in range(100)]
    records, refused = rows_of(b"id,said\n" + b"".join(good[:50]) + BROKEN_ROWS[name] + b"".join(good[50:]), "a.csv")
    assert [one["id"] for one in records] == [str(number) for number in range(100)]
    assert refused == [(52, "invalid_utf8" if name == "no utf-8" else "invalid_csv")]


def test_what_a_parquet_file_holds_becomes_json(rows_of: Callable[..., Any]) -> None:
    rows = [{"id": 1, "x": float("nan"), "said": ["a", None]}, {"id": 2, "x": 0.5, "said": None}]
    assert rows_of(as_parquet(rows), "a.parquet") == (
        [{"id": 1, "x": None, "said": ["a", None]}, {"id": 2, "x": 0.5, "said": None}],
        [],
    )


def lying(packed: bytes, at: int) -> bytes:
    return packed[:at] + b"\xff" * 24 + packed[at + 24 :]


@pytest.mark.parametrize("at", [4, 60, 200, -200, -100, -30, -8])
def test_a_lying_parquet_file_is_one_refusal(
    rows_of: Callable[..., Any], record: Callable[..., Record], at: int
) -> None:
    packed = as_parquet([record(number) for number in range(50)])
    records, refused = rows_of(lying(packed, at % len(packed)), "a.parquet")
    assert (len(records) in (0, 50), len(refused) <= 1) == (True, True)
    assert len(records) == 50 or [reason for _, reason in refused] == ["broken_parquet"]


def eval_log(*samples: bytes, header: str = "header.json", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr(header, json.dumps({"eval": {"task": "t", "model": "m"}, "stats": {}}))
        for number, sample in enumerate(samples):
            archive.writestr(f"samples/{number}_epoch_1.json", sample)
        archive.writestr("summaries.json", "[]")
    return packed.getvalue()


def zstd_members(packed: bytes, *samples: bytes) -> bytes:
    """Return an archive whose stored samples are packed with zstd in place, as zipfile cannot do it."""
    sizes = {}
    for number, sample in enumerate(samples):
        small = as_zstd(sample)
        sizes[f"samples/{number}_epoch_1.json".encode()] = len(small)
        packed = packed.replace(sample, small.ljust(len(sample), b"?"))
    at = packed.find(b"PK\x01\x02")
    while at >= 0:
        name = packed[at + 46 : at + 46 + int.from_bytes(packed[at + 28 : at + 30], "little")]
        if name in sizes:
            told = (93).to_bytes(2, "little"), sizes[name].to_bytes(4, "little")
            packed = packed[: at + 10] + told[0] + packed[at + 12 : at + 20] + told[1] + packed[at + 24 :]
        at = packed.find(b"PK\x01\x02", at + 1)
    return packed


def test_each_sample_of_an_inspect_log_is_a_record_with_its_evaluation(rows_of: Callable[..., Any]) -> None:
    expected = [{"eval": {"task": "t", "model": "m"}, "sample": {"id": number}} for number in range(2)]
    samples = [b'{"id": 0}', b'{"id": 1}']
    assert rows_of(eval_log(*samples), "a.eval") == (expected, [])
    assert rows_of(eval_log(*samples, header="_journal/start.json"), "a.eval") == (expected, [])


def test_an_inspect_log_may_be_packed_with_zstd(rows_of: Callable[..., Any]) -> None:
    samples = [json.dumps({"id": number, "said": "x" * 500}).encode() for number in range(2)]
    packed = zstd_members(eval_log(*samples, method=zipfile.ZIP_STORED), *samples)
    records, refused = rows_of(packed, "a.eval")
    assert ([one["sample"]["id"] for one in records], refused) == ([0, 1], [])


def test_a_broken_sample_does_not_hide_the_others(rows_of: Callable[..., Any]) -> None:
    records, refused = rows_of(eval_log(b'{"id": 0}', b'{"id": ', b'{"id": 2}'), "a.eval")
    assert [one["sample"]["id"] for one in records] == [0, 2]
    assert refused == [(2, "invalid_json")]
    assert rows_of(eval_log(b"{}")[:-30], "a.eval") == ([], [(1, "broken_zip")])


@pytest.mark.parametrize("pack", [gzip.compress, as_zstd], ids=["gzip", "zstd"])
def test_a_log_that_was_packed_and_cut_off_keeps_all_that_came_out(
    ingest: Read, memory: Lake, record: Callable[..., Record], pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(as_lines([record(number) for number in range(1000)]))
    report = ingest(packed[:-8], name="a.jsonl." + pack.__name__, end=b"")
    assert report.landed >= 900 or pack is not gzip.compress
    assert report.read == report.landed + 1
    row = memory.frame("select reason, source_line, byte_offset > 0 from quarantine").row(0)
    assert row[:2] == ("broken_compression", report.landed + 1)


@pytest.mark.parametrize("pack", [gzip.compress, as_zstd], ids=["gzip", "zstd"])
def test_a_bomb_is_one_refused_line(
    ingest: Read, memory: Lake, record: Callable[..., Record], pack: Callable[[bytes], bytes]
) -> None:
    good = as_lines([record(1)])
    report = ingest(pack(good + b"\0" * (300 * MIB) + b"\n" + good), name="a.jsonl", end=b"")
    assert (report.read, report.landed, report.duplicates, report.quarantined) == (3, 1, 1, 1)
    assert memory.scalar("select reason from quarantine") == "line_too_long"


KINDS = [
    ("a.json", b'{"a": 1}', Kind.LINES),
    ("a.json", b'{"a": 1}\n{"b": 2}\n', Kind.LINES),
    ("a.json", b'{"a": \n{"b": 2}\n', Kind.LINES),
    ("a.json", b'{\n  "a": 1\n}', Kind.DOCUMENT),
    ("a.json", b'  [\n{"a": 1}]', Kind.DOCUMENT),
    ("a.json", b'[{"a": 1}]', Kind.DOCUMENT),
    ("a.json", b"[]", Kind.DOCUMENT),
    ("a.jsonl", b"[1, 2]\n{}", Kind.LINES),
    ("calls", b'{"a": 1}\n', Kind.LINES),
    ("A.CSV.GZ", b"a,b\n", Kind.CSV),
    ("calls", b"PAR1...", Kind.PARQUET),
    ("calls", b"PK\x03\x04", Kind.INSPECT),
]


@pytest.mark.parametrize(("name", "beginning", "kind"), KINDS)
def test_a_container_is_known_by_its_first_bytes_and_its_name(name: str, beginning: bytes, kind: Kind) -> None:
    assert kind_of(name.lower(), beginning) is kind
