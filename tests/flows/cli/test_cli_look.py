"""Commands that look at a lake that turned once."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Flywheel = Callable[..., Any]


def test_the_queue_counts_what_the_table_leaves_out(flywheel: Flywheel, turned: Path) -> None:
    assert "17 more wait" in flywheel("queue", "--limit", "3", lake=turned).out
    assert len(json.loads(flywheel("queue", "--json", lake=turned).out)) == 20


def test_the_queue_as_csv_opens_in_a_spreadsheet(flywheel: Flywheel) -> None:
    flywheel(
        "sql",
        "insert into review_queue (day, example_id, query, rejected, priority) "
        "values (date '2026-03-01', 'e1', '=cmd(1)', 'a, b', 1)",
        "--write",
    )
    rows = list(csv.DictReader(io.StringIO(flywheel("queue", "--csv").out)))
    assert [(row["example_id"], row["query"], row["rejected"]) for row in rows] == [("e1", "'=cmd(1)", "a, b")]


def test_signals_tell_counts_overlap_and_weights(flywheel: Flywheel, turned: Path) -> None:
    rows = {row["signal"]: row for row in json.loads(flywheel("signals", "--json", lake=turned).out)}
    down = rows["thumbs_down"]
    assert (down["trace_count"], down["trace_share"], down["alone_count"]) == (10, pytest.approx(10 / 60), 10)
    assert down["failure_share"] == pytest.approx(10 / 19)
    assert [weight["task"] for weight in down["weights"]] == ["support-desk"]
    refusal = rows["refusal"]
    assert (refusal["trace_count"], refusal["likely_share"], refusal["weights"]) == (0, None, [])
    assert (refusal["about"], refusal["fires_with"], refusal["known_count"]) == ("answer", [], 0)
    assert refusal["looked_count"] == 57  # three calls failed


def test_the_table_of_signals_leaves_out_what_never_fired(flywheel: Flywheel, turned: Path) -> None:
    said = flywheel("signals", lake=turned).out
    assert "thumbs_down" in said.split("Silent so far:")[0]
    assert "refusal" in said.split("Silent so far:")[1]


def test_hard_examples_come_with_their_route(flywheel: Flywheel, turned: Path) -> None:
    rows = json.loads(flywheel("hard-examples", "--json", lake=turned).out)
    assert [row["purpose"] for row in rows].count("audit") == 5
    assert {row["route"] for row in rows} == {"human", "drop"}
    assert rows[0]["purpose"] == "hard"


def test_hard_examples_say_why_each_was_chosen(flywheel: Flywheel, turned: Path) -> None:
    first = json.loads(flywheel("hard-examples", "--json", "--limit", "1", lake=turned).out)[0]
    assert first["hardness"] == pytest.approx(0.7 * first["p_failure"] + 0.3 * (1 - (first["confidence"] or 0.5)))
    assert (first["rank"], first["nearest"], first["doubt"]) == (1, 1.0, None)
    assert first["signals"]
    assert first["represents"] >= 1


def test_audits_are_shown_apart(flywheel: Flywheel, turned: Path) -> None:
    out = flywheel("hard-examples", "--limit", "2", lake=turned).out
    assert "To correct (" in out
    assert "Random audits: only measured with (5)" in out
    assert "3 more; --limit shows more, --json all." in out


def test_the_gate_shows_what_was_checked(flywheel: Flywheel, turned: Path) -> None:
    rows = json.loads(flywheel("gate", "--json", lake=turned).out)
    assert {row["suite"] for row in rows} == {"corrections", "release_profiles"}
    assert "of 'corrections' passed." in flywheel("gate", lake=turned).out


def test_quarantine_counts_and_shows(flywheel: Flywheel, turned: Path) -> None:
    counted = json.loads(flywheel("quarantine", "list", "--json", lake=turned).out)
    assert [(row["table_name"], row["reason"], row["row_count"]) for row in counted] == [
        ("raw_traces", "invalid_json", 1)
    ]
    shown = json.loads(flywheel("quarantine", "show", "--reason", "invalid_json", "--json", lake=turned).out)
    assert [(row["raw"], row["source_line"]) for row in shown] == [("not json", 61)]
    assert json.loads(flywheel("quarantine", "show", "--reason", "other", "--json", lake=turned).out) == []
    assert (
        len(json.loads(flywheel("quarantine", "show", shown[0]["quarantine_id"][:8], "--json", lake=turned).out)) == 1
    )


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["queue"], "Nothing waits for people."),
        (["modes"], "No failure modes: mine first (flywheel mine)."),
        (["hard-examples"], "No hard examples: mine first (flywheel mine)."),
        (["gate"], "No candidate was checked yet: flywheel publish."),
        (["quarantine", "list"], "Nothing is in quarantine."),
        (["releases", "list"], "Nothing was published yet: flywheel publish."),
    ],
)
def test_an_empty_lake_says_what_to_do(flywheel: Flywheel, args: list[str], told: str) -> None:
    said = flywheel(*args)
    assert (said.code, said.out.strip()) == (0, told)
