"""What people send is an answer, or is refused with its reason; one bad line spoils no other."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flywheel.core.records import Answer, AuthorKind
from flywheel.core.storage import FolderStore
from flywheel.correct.inbox import RefusedOffer, put_in_inbox, read_offers

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
GOOD = {"author": "ann", "chosen": "refund", "example_id": "e1"}


def line(**facts: object) -> bytes:
    return json.dumps({key: value for key, value in (GOOD | facts).items() if value is not ...}).encode()


def read(data: bytes) -> list[Answer | RefusedOffer]:
    return list(read_offers(data, "batch", NOW, 0.67))


def test_an_answer_to_an_example() -> None:
    (found,) = read(line(critique="it was about money", answered_at="2026-01-04T09:30:00+02:00"))
    assert found == Answer(
        example_id="e1",
        corrector="ann",
        author_kind=AuthorKind.HUMAN,
        output="refund",
        answered_at=datetime(2026, 1, 4, 7, 30, tzinfo=UTC),
        critique="it was about money",
        cost_usd=0.67,
        batch_id="batch",
    )


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("hello", '[{"role":"user","content":"hello"}]'),
        ([{"role": "user", "content": "hello"}], '[{"role":"user","content":"hello"}]'),
        ([{"role": "assistant"}, {"content": "hello"}], '[{"role":"assistant"},{"content":"hello"}]'),
    ],
)
def test_a_demonstration_brings_its_conversation(said: object, kept: str) -> None:
    (found,) = read(line(example_id=..., input=said, rejected="card_lost"))
    assert isinstance(found, Answer)
    assert (found.example_id, found.input, found.rejected) == (None, kept, "card_lost")


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        (..., NOW),
        (None, NOW),
        ("", NOW),
        ("2026-01-04", datetime(2026, 1, 4, tzinfo=UTC)),
        ("2026-01-04T09:30:00", datetime(2026, 1, 4, 9, 30, tzinfo=UTC)),
        ("2026-01-04T09:30:00Z", datetime(2026, 1, 4, 9, 30, tzinfo=UTC)),
    ],
)
def test_an_answer_is_dated(stamp: object, moment: datetime) -> None:
    (found,) = read(line(answered_at=stamp))
    assert isinstance(found, Answer)
    assert (found.answered_at, found.answered_at.tzinfo) == (moment, UTC)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "invalid_json"),
        (b'{"chosen": "\xff"}', "invalid_json"),
        (b'{"chosen": "\\ud800"}', "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b"NaN", "invalid_json"),
        (b"[]", "not_an_object"),
        (b'"refund"', "not_an_object"),
        (line(chosen=...), "missing_chosen"),
        (line(chosen=" \n"), "missing_chosen"),
        (line(chosen=["refund"]), "missing_chosen"),
        (line(author=...), "missing_author"),
        (line(author=""), "missing_author"),
        (line(example_id=...), "neither_example_nor_input"),
        (line(example_id="", input=[]), "neither_example_nor_input"),
        (line(example_id=..., input=5), "input_is_no_conversation"),
        (line(example_id=..., input=" "), "input_is_no_conversation"),
        (line(example_id=..., input={"role": "user", "content": "hi"}), "input_is_no_conversation"),
        (line(example_id=..., input=["hi"]), "input_is_no_conversation"),
        (line(example_id=..., input=[{"role": "user"}]), "input_is_no_conversation"),
        (line(answered_at="yesterday"), "answered_at_is_no_time"),
        (line(answered_at=5), "answered_at_is_no_time"),
        (line(answered_at="0001-01-01T00:00:00+23:59"), "answered_at_is_no_time"),
    ],
)
def test_a_line_that_is_no_answer_says_why_and_spoils_no_other(data: bytes, reason: str) -> None:
    before, refused, after = read(b"\n".join([line(), data, b"", line(author="bob")]))
    assert isinstance(refused, RefusedOffer)
    assert (refused.line, refused.reason, refused.raw) == (2, reason, data.decode("utf-8", "backslashreplace"))
    assert [found.corrector for found in (before, after) if isinstance(found, Answer)] == ["ann", "bob"]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"  \r\n"])
def test_an_empty_file_holds_nothing(data: bytes) -> None:
    assert read(data) == []


def test_the_same_file_offered_twice_is_one_file(tmp_path: Path) -> None:
    store = FolderStore(str(tmp_path))
    names = [put_in_inbox(store, data) for data in (line(), line(), line(author="bob"))]
    assert names[0] == names[1] != names[2]
    assert store.names("inbox") == sorted(set(names))
    assert store.read(names[0]) == line()
