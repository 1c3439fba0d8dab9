import json

import pytest

from flywheel.llm.local.examples import Example, InvalidTraining, continue_training, read_examples

GOOD = '{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}'


def chat(*turns: tuple[str, object], **extra: object) -> str:
    return json.dumps({"messages": [{"role": role, "content": content} for role, content in turns], **extra})


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ("not json", "it is not JSON"),
        ("[1, 2]", "not an object"),
        ('{"prompt": "x"}', "messages is None"),
        ('{"messages": []}', "messages is []"),
        (chat(("user", "x")), "the last message has role 'user'"),
        (chat(("user", "x"), ("assistant", "")), "no answer to learn"),
        (chat(("system", "x"), ("assistant", "y")), "no user message has any text"),
        (chat(("teacher", "x"), ("assistant", "y")), "messages[0].role is 'teacher'"),
        (chat(("user", 5), ("assistant", "y")), "messages[0].content is 5"),
        (chat(("user", [{"type": "image_url"}]), ("assistant", "y")), "only text parts"),
        (chat(("user", "x"), ("assistant", "y"), weight=1.5), "its weight is 1.5"),
        (chat(("user", "x"), ("assistant", "y"), weight=True), "its weight is True"),
        (chat(("user", "x"), ("assistant", "y"), weight=float("nan")), "its weight is nan"),
    ],
)
def test_a_bad_line_is_named(bad: str, problem: str) -> None:
    with pytest.raises(InvalidTraining) as caught:
        read_examples(f"{GOOD}\n\n{bad}\n{GOOD}".encode())
    assert caught.value.line == 3
    assert str(caught.value).startswith("Line 3 of the training file is invalid")
    assert problem in str(caught.value)


def test_bytes_that_are_not_text_are_named() -> None:
    with pytest.raises(InvalidTraining, match="Line 1"):
        read_examples(b"\xff\xfe\x00")


@pytest.mark.parametrize("content", [b"", b"\n\n", chat(("user", "x"), ("assistant", "y"), weight=0).encode()])
def test_a_file_that_teaches_nothing_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidTraining, match="no example with a weight above 0"):
        read_examples(content)


def test_the_user_turns_are_the_text_and_the_last_assistant_turn_the_answer() -> None:
    line = chat(
        ("system", "route"),
        ("user", [{"type": "text", "text": "one"}]),
        ("assistant", None),
        ("user", "two"),
        ("assistant", "yes"),
        weight=0.5,
    )
    assert read_examples(line.encode()) == [Example("one\ntwo", "yes", 0.5)]


def test_later_training_wins_over_the_same_text_taught_earlier() -> None:
    parent = f"{GOOD}\n{chat(('user', 'bye'), ('assistant', 'goodbye'))}".encode()
    joined = continue_training(parent, chat(("user", "hi"), ("assistant", "good day")).encode())
    assert read_examples(joined) == [Example("bye", "goodbye"), Example("hi", "good day")]
