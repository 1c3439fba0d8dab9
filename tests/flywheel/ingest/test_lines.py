import pytest

from flywheel.ingest.lines import BYTES_PER_BATCH, LINES_PER_BATCH, LONGEST_LINE_BYTES, read_batches, split_lines

MIB = 1024 * 1024


def chunked(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_do_not_depend_on_where_chunks_end(size: int) -> None:
    found = list(split_lines(chunked(b"one\n\ntwo\r\n\xe2\x82\xac\nlast", size)))
    assert found == [(b"one", 3), (b"", 0), (b"two\r", 4), (b"\xe2\x82\xac", 3), (b"last", 4)]


@pytest.mark.parametrize("content", [b"", b"\n", b"\n\n \n\t\r\n"])
def test_a_file_of_blank_lines_has_no_batch(content: bytes) -> None:
    assert list(read_batches([content])) == []


def test_places_count_every_line_and_every_byte() -> None:
    (batch,) = read_batches([b'{"a":1}\r\n', b"\n", b"broken\n", b'  {"b":2}'])
    assert (batch.source_lines, batch.byte_offsets) == ([1, 4], [0, 17])
    assert batch.records == ['{"a":1}', '{"b":2}']
    assert [(line.source_line, line.byte_offset, line.raw) for line in batch.refused] == [(3, 10, "broken")]
    assert batch.read_count == 3


REFUSED = [
    (b'{"user":"\xff"}', "invalid_utf8", "byte 9 of the line: invalid start byte"),
    (b'{"user":"\\ud800"}', "invalid_json", "no low surrogate"),
    (b'{"user":"car', "invalid_json", "unexpected end of data"),
    (b"[" * 100_000, "invalid_json", "depth limit exceeded"),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "invalid_json", "depth limit exceeded"),
    (b'{"latency_ms":NaN}', "invalid_json", "unexpected character"),
    (b'{"latency_ms":1e999}', "invalid_json", "infinity"),
    (b"\x00" * 8, "invalid_json", "unexpected character"),
    (b"[1, 2]", "not_an_object", "a list, expected an object"),
    (b'"up"', "not_an_object", "a str, expected an object"),
    (b"null", "not_an_object", "a NoneType, expected an object"),
]


@pytest.mark.parametrize(("line", "reason", "detail"), REFUSED, ids=lambda value: repr(value)[:24])
def test_a_line_that_is_no_record_says_why(line: bytes, reason: str, detail: str) -> None:
    (batch,) = read_batches([line])
    (refused,) = batch.refused
    assert refused.reason == reason
    assert detail in refused.detail


@pytest.mark.parametrize(
    "line", [b'{"a":1,"a":2}', b'{"a":1180591620717411303424}', b'\xef\xbb\xbf{"a":1}', b'{"a":"\\u0000"}']
)
def test_what_is_odd_but_json_is_a_record(line: bytes) -> None:
    (batch,) = read_batches([line])
    assert (len(batch.records), batch.refused) == (1, [])


def test_a_line_over_the_limit_is_refused_with_its_length_and_the_next_one_is_read() -> None:
    chunks = [b'{"a":"', *[b"x" * MIB] * 33, b'"}\n{"b":1}\n']
    (batch,) = read_batches(chunks)
    assert batch.records == ['{"b":1}']
    (refused,) = batch.refused
    assert (refused.reason, refused.detail) == ("line_too_long", "34603016 bytes; the limit is 33554432")
    assert len(refused.raw) < 100_000
    assert (batch.source_lines, batch.byte_offsets) == ([2], [34603017])


def test_no_more_of_a_line_is_held_than_the_limit() -> None:
    ((line, length),) = split_lines([b"x" * MIB] * 40)
    assert (len(line), length) == (LONGEST_LINE_BYTES + 1, 40 * MIB)


def test_a_line_of_the_limit_is_read() -> None:
    line = b'{"a":"' + b"x" * (LONGEST_LINE_BYTES - 8) + b'"}'
    (batch,) = read_batches([line])
    assert (len(batch.records), batch.refused) == (1, [])


def test_many_lines_make_several_batches() -> None:
    batches = list(read_batches([b"{}\n" * (2 * LINES_PER_BATCH + 1)]))
    assert [batch.read_count for batch in batches] == [LINES_PER_BATCH, LINES_PER_BATCH, 1]
    assert batches[2].source_lines == [2 * LINES_PER_BATCH + 1]


def test_long_lines_make_small_batches() -> None:
    line = b'{"a":"' + b"x" * (BYTES_PER_BATCH // 4) + b'"}\n'
    assert [batch.read_count for batch in read_batches([line] * 6)] == [4, 2]
