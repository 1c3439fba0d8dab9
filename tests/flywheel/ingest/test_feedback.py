"""What users and systems say finds its trace: in its record, by any name, before the trace and after it, once."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flywheel.core.days import unmined_days
from flywheel.core.lake import Lake
from flywheel.ingest.feedback import adopt_orphans, land_feedback
from flywheel.ingest.files import ingest_files
from flywheel.ingest.redaction import redact_records
from flywheel.text.pii_kinds import PiiKind, PiiSpan
from flywheel.text.pii_names import NameFinder

MONDAY, TUESDAY, NOW = (datetime(2026, 1, day, 10, tzinfo=UTC) for day in (5, 6, 9))
Row = dict[str, Any]


def parsed(lake: Lake, *rows: Row) -> pl.DataFrame:
    """Return rows as a format's query gives them, null where a row says nothing."""
    empty = lake.connection.table("raw_traces").limit(0).pl().drop("run_id", "day")
    schema = {**empty.schema, "feedback": pl.String, "problem": pl.String, "actor": pl.String}
    told = [{**row, "feedback": json.dumps(row["feedback"]) if "feedback" in row else None} for row in rows]
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in told], schema=schema)


def call(trace_id: str, at: datetime = MONDAY, **columns: Any) -> Row:
    return {"trace_id": trace_id, "started_at": at, "conversation_id": trace_id, "source_file": "a.jsonl", **columns}


def word(target: str, **said: Any) -> Row:
    return {"feedback": [{"target": target, "kind": "thumb", "value": -1, **said}], "source_file": "f.jsonl"}


def land(lake: Lake, *rows: Row, run_id: str = "run", names: NameFinder | None = None) -> int:
    """Land a block as a reader does: calls, then what is said about them."""
    block = parsed(lake, *rows)
    calls = block.filter(pl.col("trace_id").is_not_null() & pl.col("problem").is_null())
    calls = redact_records(calls.with_columns(pl.col("started_at").dt.date().alias("day"))).records
    lake.land("raw_traces", calls.drop("feedback", "problem", "actor"), run_id)
    return land_feedback(lake, block, NOW, run_id, names)


def held(lake: Lake, columns: str = "trace_id, target_id, value") -> list[tuple[Any, ...]]:
    return lake.frame(f"select {columns} from lake.raw_feedback order by all").rows()  # noqa: S608 - our own columns


@pytest.fixture
def memory() -> Lake:
    return Lake.in_memory()


# what the feedback names -> the trace it is about
TARGETS = {
    "trace": ("t1", "t1"),
    "alias": ("span-1", "t1"),
    "response": ("resp-2", "t2"),
    "conversation: its last call": ("talk", "t2"),
    "somebody else's": ("span-9", None),
}


@pytest.mark.parametrize("in_one_block", [True, False], ids=["one block", "later block"])
@pytest.mark.parametrize(("target", "trace_id"), TARGETS.values(), ids=TARGETS)
def test_feedback_names_its_trace(memory: Lake, target: str, trace_id: str | None, in_one_block: bool) -> None:
    calls = [
        call("t1", conversation_id="talk", aliases=["span-1", "x"]),
        call("t2", TUESDAY, conversation_id="talk", response_id="resp-2"),
    ]
    if in_one_block:
        assert land(memory, *calls, word(target)) == 1
    else:
        assert (land(memory, *calls), land(memory, word(target))) == (0, 1)
    assert adopt_orphans(memory, "run") == (target == "talk")
    assert held(memory) == [(trace_id, None if target == trace_id else target, -1.0)]


def test_a_conversation_means_its_last_call_before_the_word_was_said(memory: Lake) -> None:
    land(memory, call("t1", conversation_id="talk"), call("t2", TUESDAY, conversation_id="talk"))
    land(memory, word("talk", occurred_at="2026-01-05T12:00:00Z"), word("talk", occurred_at="2026-01-07"))
    assert adopt_orphans(memory, "run") == 2
    assert held(memory, "trace_id, day") == [("t1", date(2026, 1, 5)), ("t2", date(2026, 1, 6))]


def test_a_conversation_that_goes_on_means_its_new_last_call(
    lake: Lake, write_log: Callable[..., Path], record: Callable[..., Row]
) -> None:
    def read(*lines: Row, name: str) -> None:
        ingest_files(lake, [str(write_log(*lines, name=name))], "", MONDAY + timedelta(days=3), "run")

    said = {"kind": "thumb", "value": -1, "target": "c1", "occurred_at": "2026-01-06T11:00:00Z"}
    read(record(1, conversation_id="c1"), name="day1.jsonl")
    last = record(2, conversation_id="c1", timestamp="2026-01-06T10:00:00Z", feedback=[said])
    read(last, name="day2.jsonl")
    found = lake.frame("select response_id, said.day from raw_feedback as said join raw_traces using (trace_id)")
    assert found.rows() == [("r-2", date(2026, 1, 6))]


def test_what_is_landed_together_is_seen(lake: Lake) -> None:
    with lake.together("land", "raw_feedback", "raw_traces"):
        land(lake, call("t1", conversation_id="talk"))
        land(lake, word("talk"), word("t1", value=1))
        assert adopt_orphans(lake, "run") == 1
    assert held(lake, "trace_id, value") == [("t1", -1.0), ("t1", 1.0)]


def test_feedback_waits_for_its_trace_and_reopens_its_day(memory: Lake) -> None:
    assert land(memory, word("span-1", occurred_at="2026-01-09T08:00:00Z")) == 1
    assert held(memory, "trace_id, target_id, day") == [(None, "span-1", date(2026, 1, 9))]
    assert adopt_orphans(memory, "run") == 0
    land(memory, call("t1", aliases=["span-1"]), call("t2"))
    memory.build("traces", date(2026, 1, 5))
    memory.build("feedback", date(2026, 1, 5))
    assert adopt_orphans(memory, "run-2") == 1
    assert held(memory, "trace_id, target_id, day, run_id") == [("t1", "span-1", date(2026, 1, 5), "run-2")]
    assert unmined_days(memory) == [date(2026, 1, 5)]
    assert memory.build("feedback", date(2026, 1, 5)) == 1


def test_a_reader_may_look_only_at_what_just_landed(memory: Lake) -> None:
    land(memory, word("t1"), word("t2"))
    land(memory, call("t1"), call("t2"))
    assert adopt_orphans(memory, "run", parsed(memory, call("t2")).with_columns(day=pl.date(2026, 1, 5))) == 1
    assert held(memory) == [("t2", "t2", -1.0), (None, "t1", -1.0)]
    assert adopt_orphans(memory, "run") == 1


def test_the_same_word_twice_is_one_also_when_it_found_its_trace_in_between(lake: Lake) -> None:
    said = [word("span-1", text="no"), word("span-1", text="no"), word("span-1", text="no!")]
    assert land(lake, *said) == 2
    assert land(lake, *said) == 0
    land(lake, call("t1", aliases=["span-1"]))
    adopt_orphans(lake, "run")
    assert land(lake, *said) == 0
    assert held(lake, "trace_id, text") == [("t1", "no"), ("t1", "no!")]


def test_feedback_in_its_record_is_about_its_record_and_does_not_count(memory: Lake) -> None:
    inside = [{"kind": "thumb", "value": 1}, {"kind": "thumb", "value": -1, "target": "t1"}]
    assert land(memory, call("t1"), call("t2", feedback=inside)) == 0
    assert land(memory, call("t2", feedback=inside)) == 0
    assert held(memory) == [("t1", None, -1.0), ("t2", None, 1.0)]


def test_a_record_of_several_words_counts_once(memory: Lake) -> None:
    both = {
        "feedback": [{"target": "a", "kind": "thumb", "value": 1}, {"target": "b", "kind": "comment", "text": "x"}]
    }
    assert land(memory, both) == 1
    assert len(held(memory)) == 2


def test_what_a_context_row_says_is_about_what_it_names(memory: Lake) -> None:
    score = [{"target": "t1", "kind": "evaluation", "name": "safe", "value": 0.2}]
    land(memory, call("t1"), call("root", problem="not_a_call", feedback=score))
    land(memory, call("broken", problem="missing_content", feedback=score))
    assert held(memory) == [("t1", None, 0.2)]


def test_no_name_of_a_person_is_written_and_it_still_finds_its_trace(memory: Lake) -> None:
    land(memory, call("t1", aliases=["ticket of ann@x.org"]))
    land(memory, word("ticket of ann@x.org", user="ann@x.org", text="mail ann@x.org", name="by ann@x.org"))
    land(memory, word("case of bob@x.org", user="bob@x.org"))
    land(memory, call("t2", conversation_id="case of bob@x.org"))
    assert adopt_orphans(memory, "run") == 1
    assert held(memory, "trace_id, text, name") == [("t1", "mail <EMAIL>", "by <EMAIL>"), ("t2", None, None)]
    assert "x.org" not in str(memory.frame("from lake.raw_feedback").rows())
    assert memory.scalar("select count(distinct actor_hash) from lake.raw_feedback") == 2


# as it is said -> (kind, name, value, text) as it is kept
WORDS: dict[str, tuple[Row, tuple[Any, ...]]] = {
    "true is up": ({"kind": "thumb", "value": True}, ("thumb", None, 1.0, None)),
    "0 is down": ({"kind": "thumb", "value": 0}, ("thumb", None, -1.0, None)),
    "a word for a thumb": ({"kind": "thumbs_down"}, ("thumb", None, -1.0, None)),
    "a rating of 0-1": ({"kind": "rating", "value": 0.25}, ("rating", None, 0.25, None)),
    "a rating on an unknown scale": ({"kind": "rating", "value": 4}, ("rating", None, None, "4")),
    "a failed outcome": ({"kind": "outcome", "value": "failed"}, ("outcome", None, 0.0, None)),
    "a correction": ({"kind": "CORRECTION", "text": "Rome"}, ("demonstration", None, None, "Rome")),
    "a correction as a value": ({"kind": "correction", "value": "Rome"}, ("demonstration", None, None, "Rome")),
    "an unknown number": ({"kind": "fluency", "value": 0.5}, ("evaluation", "fluency", 0.5, None)),
    "an unknown word": ({"kind": "tone", "value": "rude"}, ("comment", "tone", None, "rude")),
    "an unknown event": ({"kind": "copied"}, ("evaluation", "copied", None, None)),
    "a name alone": ({"name": "safe", "value": False}, ("evaluation", "safe", 0.0, None)),
    "an edit to an object": ({"kind": "edit", "text": {"a": 1}}, ("edit", None, None, '{"a":1}')),
    "no number at all": ({"kind": "evaluation", "name": "n", "value": "NaN"}, ("evaluation", "n", None, "NaN")),
}


@pytest.mark.parametrize(("said", "kept"), WORDS.values(), ids=WORDS)
def test_a_word_is_kept_as_what_it_means(memory: Lake, said: Row, kept: tuple[Any, ...]) -> None:
    land(memory, call("t1", feedback=[said]))
    assert held(memory, "kind, name, value, text") == [kept]


@pytest.mark.parametrize("told", ["29000-01-01", "4000000000", "2026-01-11", "1970-01-01", "2000-01-01 (BC)"])
def test_a_time_that_cannot_be_is_that_of_the_call(memory: Lake, told: str) -> None:
    land(memory, call("t1", feedback=[{"kind": "thumb", "value": 1, "occurred_at": told}]))
    land(memory, word("t1", occurred_at=told))
    assert held(memory, "trace_id, occurred_at") == [("t1", MONDAY), ("t1", None)]


class Ann:
    """Finds one name."""

    def find(self, text: str) -> list[PiiSpan]:
        at = text.find("Ann")
        return [PiiSpan(PiiKind.NAME, at, at + 3)] if at >= 0 else []


def test_names_in_what_was_said_are_replaced(memory: Lake) -> None:
    inside = [{"kind": "edit", "text": "Dear Ann"}, {"kind": "edit", "text": {"to": "Dear Ann"}}]
    land(memory, call("t1", feedback=inside), word("t1", kind="comment", text="ask Ann"), names=Ann())
    assert held(memory, "text") == [("Dear <NAME>",), ("ask <NAME>",), ('{"to":"Dear <NAME>"}',)]


def test_nothing_said_changes_nothing(lake: Lake) -> None:
    land(lake, call("t1"))
    before = lake.version()
    assert land_feedback(lake, parsed(lake, call("t1", feedback=None), call("t2")), NOW, "run") == 0
    assert adopt_orphans(lake, "run") == 0
    assert lake.version() == before
