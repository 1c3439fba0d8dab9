"""Hard examples come with the conversation they are from."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import polars as pl
import pytest

from flywheel.core.examples import examples_of, read_messages
from flywheel.core.lake import Lake
from flywheel.core.records import HardExample, Message, Purpose

Rows = Callable[..., pl.DataFrame]

DAY, NEXT_DAY = date(2026, 1, 5), date(2026, 1, 6)


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ('[{"role": "user", "content": "hi"}]', (Message("user", "hi"),)),
        ('[{"content": "hi"}]', (Message("user", "hi"),)),
        ('[{"role": "assistant", "content": null}]', (Message("assistant", ""),)),
        ('[{"role": "assistant", "tool_calls": []}]', (Message("assistant", ""),)),
        (
            '[{"role": "user", "content": [{"type": "text", "text": "a"}]}]',
            (Message("user", '[{"type":"text","text":"a"}]'),),
        ),
        ("[]", ()),
    ],
)
def test_a_stored_conversation_is_read(text: str, messages: tuple[Message, ...]) -> None:
    assert read_messages(text) == messages


def trace(trace_id: str, day: date, query: str | None) -> dict[str, object]:
    return {
        "day": day,
        "trace_id": trace_id,
        "started_at": datetime(2026, 1, 5, tzinfo=UTC),
        "task": "intent",
        "input": f'[{{"role": "user", "content": "{query or ""}"}}]',
        "query": query,
        "output": f"answer to {query}" if query else None,
    }


def chosen(trace_id: str, purpose: str, rank: int, day: date = DAY) -> dict[str, object]:
    return {
        "day": day,
        "example_id": f"{trace_id}-{purpose}",
        "trace_id": trace_id,
        "mode_id": "m",
        "purpose": purpose,
        "hardness": 0.5,
        "novelty": 0.25,
        "rank": rank,
    }


def test_examples_come_with_their_trace_best_first_and_audits_last(rows_for: Rows) -> None:
    with Lake.in_memory() as lake:
        traces = [trace("a", DAY, "one"), trace("b", DAY, "two"), trace("c", DAY, "three"), trace("a", NEXT_DAY, "x")]
        lake.connection.register("given", rows_for(lake, "traces", *traces).to_arrow())
        lake.connection.execute("insert into traces by name select * from given")
        examples = [chosen("c", "audit", 1), chosen("b", "hard", 2), chosen("a", "hard", 1)]
        lake.land("hard_examples", rows_for(lake, "hard_examples", *examples, chosen("b", "audit", 1, NEXT_DAY)))
        found = examples_of(lake, DAY)
    assert [example.example_id for example in found] == ["a-hard", "b-hard", "c-audit"]
    assert found[0] == HardExample(
        example_id="a-hard",
        trace_id="a",
        mode_id="m",
        purpose=Purpose.HARD,
        task="intent",
        input=(Message("user", "one"),),
        query="one",
        rejected="answer to one",
        hardness=0.5,
        novelty=0.25,
        rank=1,
    )


def test_a_trace_without_text_or_answer_is_an_example_without(rows_for: Rows) -> None:
    with Lake.in_memory() as lake:
        lake.land("traces", rows_for(lake, "traces", trace("a", DAY, None)))
        lake.land("hard_examples", rows_for(lake, "hard_examples", chosen("a", "hard", 1)))
        (found,) = examples_of(lake, DAY)
    assert (found.query, found.rejected) == ("", None)
