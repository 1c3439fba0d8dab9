import io
from collections.abc import Callable

import pytest

from flywheel.core.lake import Lake
from flywheel.core.scratch import Scratch
from flywheel.ingest.blocks import LONGEST_RECORD_BYTES, Block, Place
from flywheel.ingest.lines import line_blocks
from flywheel.ingest.streams import PlainStream
from flywheel.ingest.strict import checked

MIB = 1024 * 1024
BEGIN = Place()
Cut = Callable[..., list[Block]]


class Trickle(PlainStream):
    def __init__(self, content: bytes, most: int) -> None:
        super().__init__(io.BytesIO(content))
        self.most = most

    def read(self, size: int) -> bytes:
        return super().read(min(size, self.most))


@pytest.fixture
def cut(memory: Lake) -> Cut:
    """Return what cuts content, of which no more than `most` bytes come at once, into blocks and checks them."""

    def run(content: bytes, start: Place = BEGIN, most: int = 1 << 30) -> list[Block]:
        with Scratch(memory) as scratch:
            return [checked(scratch, block) for block in line_blocks(Trickle(content, most), start)]

    return run


def texts(blocks: list[Block]) -> list[str]:
    return [str(record) for block in blocks for record in block.records]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_do_not_depend_on_where_reads_end(cut: Cut, size: int) -> None:
    blocks = cut(b'{"a":1}\n\n{"b":2}\r\n{"c":"\xe2\x82\xac"}\n{"d":4}', most=size)
    assert texts(blocks) == ['{"a":1}', '{"b":2}', '{"c":"€"}', '{"d":4}']
    places = [place for block in blocks for place in zip(block.source_lines, block.byte_offsets, strict=True)]
    assert places == [(1, 0), (3, 9), (4, 18), (5, 30)]
    assert sum(len(block.refused) for block in blocks) == 0


@pytest.mark.parametrize("content", [b"", b"\n", b"\n\n \n\t\r\n", b"\xef\xbb\xbf\n"])
def test_a_file_of_blank_lines_has_no_record(cut: Cut, content: bytes) -> None:
    blocks = cut(content)
    assert (texts(blocks), [block.refused for block in blocks if block.refused]) == ([], [])


def test_places_count_every_line_and_every_byte(cut: Cut) -> None:
    (block,) = cut(b'{"a":1}\r\n\nbroken\n  {"b":2}', Place(100, 10))
    assert (block.source_lines.tolist(), block.byte_offsets.tolist()) == ([11, 14], [100, 117])
    assert texts([block]) == ['{"a":1}', '{"b":2}']
    assert [(line.source_line, line.byte_offset, line.raw) for line in block.refused] == [(13, 110, "broken")]


def test_a_last_line_without_an_end_is_known_to_be_one(cut: Cut) -> None:
    (block,) = cut(b'{"a":1}\n{"b":2}')
    assert block.tail == Place(8, 1, b'{"a":1}\n')
    assert block.end == Place(15, 1, b'{"a":1}\n{"b":2}')
    (block,) = cut(b'{"a":1}\n')
    assert (block.tail, block.end) == (None, Place(8, 1, b'{"a":1}\n'))


REFUSED = [
    (b'{"user":"\xff"}', "invalid_utf8", "byte 9 of the line: invalid start byte"),
    (b'{"user":"\\ud800"}', "invalid_json", "no low surrogate"),
    (b'{"user":"car', "invalid_json", "unexpected end of data"),
    (b"[" * 100_000, "invalid_json", "depth limit exceeded"),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "invalid_json", "depth limit exceeded"),
    (b'{"a":' * 1_000_000 + b"1" + b"}" * 1_000_000, "invalid_json", "depth limit exceeded"),
    (b'{"latency_ms":NaN}', "invalid_json", "unexpected character"),
    (b'{"latency_ms":[1, -inf]}', "invalid_json", ""),
    (b'{"latency_ms":1e999}', "invalid_json", "infinity"),
    (b'{"a":[1, 2, ]}', "invalid_json", "trailing comma"),
    (b'{"a":1,}', "invalid_json", ""),
    (b'{"a":01}', "invalid_json", ""),
    (b'{"a":"\t"}', "invalid_json", ""),
    (b'{"a":1} {"b":2}', "invalid_json", ""),
    (b"\x00" * 8, "invalid_json", "unexpected character"),
    (b"[1, 2]", "not_an_object", "a list, expected an object"),
    (b'"up"', "not_an_object", "a str, expected an object"),
    (b"null", "not_an_object", "a NoneType, expected an object"),
]


@pytest.mark.parametrize(("line", "reason", "detail"), REFUSED, ids=lambda value: repr(value)[:24])
def test_a_line_that_is_no_record_says_why(cut: Cut, line: bytes, reason: str, detail: str) -> None:
    (block,) = cut(b'{"good":1}\n' + line + b'\n{"good":2}\n')
    (refused,) = block.refused
    assert (refused.source_line, refused.byte_offset, refused.reason) == (2, 11, reason)
    assert detail in refused.detail
    assert texts([block]) == ['{"good":1}', '{"good":2}']


@pytest.mark.parametrize(
    "line", [b'{"a":1,"a":2}', b'{"a":1180591620717411303424}', b'\xef\xbb\xbf{"a":1}', b'{"a":"\\u0000"}', b"{ }"]
)
def test_what_is_odd_but_json_is_a_record(cut: Cut, line: bytes) -> None:
    assert texts(cut(line)) == [line.removeprefix(b"\xef\xbb\xbf").decode()]


def test_a_line_over_the_limit_is_refused_with_its_length_and_the_next_one_is_read(cut: Cut) -> None:
    blocks = cut(b'{"a":"' + b"x" * 100 * MIB + b'"}\n{"b":1}\n')
    assert texts(blocks) == ['{"b":1}']
    (refused,) = [line for block in blocks for line in block.refused]
    assert (refused.reason, refused.detail) == ("line_too_long", f"{100 * MIB + 8} bytes; the limit is 33554432")
    assert len(refused.raw) < 100_000
    assert [block.byte_offsets.tolist() for block in blocks if len(block.records)] == [[100 * MIB + 9]]


def test_a_line_over_the_limit_without_an_end_is_refused(cut: Cut) -> None:
    blocks = cut(b"x" * 40 * MIB)
    (refused,) = [line for block in blocks for line in block.refused]
    assert (refused.reason, refused.source_line) == ("line_too_long", 1)


def test_a_line_of_the_limit_is_read(cut: Cut) -> None:
    line = b'{"a":"' + b"x" * (LONGEST_RECORD_BYTES - 8) + b'"}'
    assert [len(text) for text in texts(cut(line))] == [LONGEST_RECORD_BYTES]
