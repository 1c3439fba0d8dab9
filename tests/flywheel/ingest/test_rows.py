"""CSV with quotes that do not balance: which rows come out of it, and how much work that is."""

import csv
import io
import sys
from collections import Counter
from itertools import islice
from types import FrameType

from hypothesis import given
from hypothesis import strategies as st

from flywheel.ingest.rows import csv_blocks
from flywheel.ingest.streams import PlainStream

# open where it begins a row, and open again at its end where a text is open: any of them may begin a row to the end
ALWAYS_OPEN = b'1,",y",",\n'


def read(content: bytes) -> tuple[list[tuple[int, str]], list[tuple[int, str, str]]]:
    """Return the rows with their byte offsets, and the refused lines with the reason for each."""
    blocks = list(csv_blocks(PlainStream(io.BytesIO(content)), ","))
    rows = [
        (int(offset), text)
        for block in blocks
        if block.byte_offsets is not None
        for offset, text in zip(block.byte_offsets, block.records.to_pylist(), strict=True)
    ]
    return rows, [(line.byte_offset or 0, line.raw, line.detail) for block in blocks for line in block.refused]


def calls_to_read(content: bytes) -> int:
    """Return how many functions are called for it, C functions and resumed generators included."""
    calls: Counter[str] = Counter()

    def count(_: FrameType, event: str, __: object) -> None:
        calls[event] += 1

    sys.setprofile(count)
    try:
        read(content)
    finally:
        sys.setprofile(None)
    return calls["call"] + calls["c_call"]


def test_a_row_that_is_never_closed_costs_its_first_line_alone() -> None:
    content = b'a,b\n1,"open\n2,fine\n3,"two\nlines"\n4,fine\n'
    rows, refused = read(content)
    assert refused == [(4, '1,"open\n', "',' expected after '\"'")]
    assert rows == [
        (12, '{"a":"2","b":"fine"}'),
        (19, '{"a":"3","b":"two\\nlines"}'),
        (33, '{"a":"4","b":"fine"}'),
    ]


def test_of_many_open_rows_each_is_refused_for_its_own_number_of_fields() -> None:
    content = b"a,b\n" + 2 * ALWAYS_OPEN + b'1,"\n2,end"\n3,fine\n'
    rows, refused = read(content)
    assert [(offset, why) for offset, _, why in refused] == [
        (4, "5 fields, the header has 2"),
        (14, "3 fields, the header has 2"),
    ]
    assert rows == [(24, '{"a":"1","b":"\\n2,end"}'), (35, '{"a":"3","b":"fine"}')]


def test_twice_the_open_rows_are_twice_the_work() -> None:
    small, large = (calls_to_read(b"a,b\n" + count * ALWAYS_OPEN) for count in (500, 1_000))
    assert large < 2.1 * small


@given(st.lists(st.sampled_from([b'"', b",", b"a", b"\n", b"\r\n", ALWAYS_OPEN]), max_size=60).map(b"".join))
def test_each_line_is_tried_as_the_first_of_a_row(content: bytes) -> None:
    assert read(b"a,b\n" + content) == tried_one_by_one(b"a,b\n" + content)


def tried_one_by_one(content: bytes) -> tuple[list[tuple[int, str]], list[tuple[int, str, str]]]:
    """Say the same without any thought of work: from each line on, a row is read anew."""
    lines = io.BytesIO(content).readlines()
    rows: list[tuple[int, str]] = []
    refused: list[tuple[int, str, str]] = []
    at, offset = 1, len(lines[0])
    while at < len(lines):
        reader, count = csv.reader((line.decode() for line in lines[at:]), strict=True), 1
        problem, cells = "", list[str]()
        try:
            cells = next(reader)
        except csv.Error as broken:
            problem = str(broken)
        if not problem and cells and len(cells) != 2:
            problem = f"{len(cells)} fields, the header has 2"
        if problem:
            refused.append((offset, lines[at].decode(), problem))
        else:
            count = reader.line_num
            if cells:
                rows.append((offset, '{"a":' + _json(cells[0]) + ',"b":' + _json(cells[1]) + "}"))
        offset += sum(map(len, islice(lines, at, at + count)))
        at += count
    return rows, refused


def _json(text: str) -> str:
    return '"' + text.replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r") + '"'
