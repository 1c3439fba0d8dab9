"""The card is Markdown that says what it should, whatever modes and authors are called."""

from collections.abc import Callable
from typing import Any

import pytest
from markdown_it import MarkdownIt

from flywheel.publish.card import identity_of, write_card
from flywheel.publish.card_facts import Card

Row = dict[str, Any]
Corrections = Callable[..., list[Row]]
Cards = Callable[..., Card]
Checks = Callable[..., Row]

HOSTILE = [
    "a | b",
    "a \\| b",
    "two\n\n# lines",
    "<script>alert(1)</script>",
    "<!-- hidden",
    "[click](http://evil.example)",
    "![pixel](http://evil.example/p.png)",
    "`code | code`",
    "**loud**",
    "&lt;b&gt;",
    "a\r| 1 |\r",
    "end\\",
]
SECTIONS = [
    "What it is", "Where it comes from", "What is in it", "What changed", "Drift", "Due diligence", "Known limits",
    "What it cost", "How to load it",
]  # fmt: skip


def parsed(text: str) -> list[Any]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def tables(text: str) -> dict[str, list[list[str]]]:
    """Return the rows of each table by its first heading, as a reader sees them: cells as plain text."""
    tokens = parsed(text)
    found: list[list[list[str]]] = []
    for place, token in enumerate(tokens):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in {"td_open", "th_open"}:
            kinds = {child.type for child in tokens[place + 1].children or []}
            assert kinds <= {"text", "text_special"}, kinds
            found[-1][-1].append("".join(child.content for child in tokens[place + 1].children or []))
    return {table[0][0]: table[1:] for table in found}


def headings(text: str) -> list[str]:
    tokens = parsed(text)
    return [tokens[n + 1].content for n, token in enumerate(tokens) if token.type == "heading_open"]


def test_it_has_every_section_and_the_rows(card_facts_of: Cards, corrections: Corrections) -> None:
    rows = [
        *corrections(range(3), mode_name="lost cards", route="human"),
        *corrections([3], author_kind="ai", author_id="wheel-large", depth=1, route="ai"),
        *corrections([4, 5], split="heldout"),
    ]
    text = write_card(card_facts_of(rows, profile={"human_share": 0.754, "max_depth": 1}))
    assert headings(text) == ["corrections 1", *SECTIONS]
    assert "4 corrections to train on, 2 held-out failures to measure with,\n" in text
    assert "Written by people: 75 % of training rows.\nDeepest generation: 1.\n" in text
    found = tables(text)
    assert found["author"] == [["human", "5"], ["ai", "1"]]
    assert found["route"] == [["human", "3"], ["none", "2"], ["ai", "1"]]
    assert found["written by"] == [["ann", "5"], ["wheel-large", "1"]]
    assert found["failure mode"] == [["lost cards", "3", "0", "0", "3"], ["none", "1", "2", "0", "3"]]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_in_their_cell_and_stay_text(card_facts_of: Cards, corrections: Corrections, name: str) -> None:
    costs = [{"route": name, "author_kind": name, "answers": 2, "rows": 2, "cost_usd": 1.0}]
    card = card_facts_of(
        corrections([1, 2], mode_name=name, author_id=name, task=name, route=name),
        rows_by_app={name: 2}, licence=name, consent=name, costs=costs,
    )  # fmt: skip
    text, seen = write_card(card), " ".join(name.split())
    found = tables(text)
    assert {kind: found[kind] for kind in ("written by", "task", "route", "app", "failure mode")} == {
        "written by": [[seen, "2"]],
        "task": [[seen, "2"]],
        "route": [[seen, seen, "2", "2", "$1.0000", "$0.5000"]],  # the last table of that name: costs
        "app": [[seen, "2"]],
        "failure mode": [[seen, "2", "0", "0", "2"]],
    }
    assert found["fact"][-2:] == [["licence", seen], ["consent", seen]]
    assert headings(text) == ["corrections 1", *SECTIONS]
    assert [token.content for token in parsed(text) if token.type == "html_block"] == []


@pytest.mark.parametrize("observed", HOSTILE)
def test_checks_and_limits_show_what_was_observed_as_text(
    card_facts_of: Cards, corrections: Corrections, check_of: Checks, observed: str
) -> None:
    checks = [check_of(), check_of(is_success=False, observed=observed)]
    text = write_card(card_facts_of(corrections([1]), checks=checks))
    assert "1 of 2 promises kept" in text
    seen = " ".join(observed.split())
    assert tables(text)["promise"] == [
        ["corrections: expect_x", "depth", "warning", "0", "at most 3", "kept"],
        ["corrections: expect_x", "depth", "warning", seen, "at most 3", "broken"],
    ]
    tokens = parsed(text)
    limits = [tokens[n + 2] for n, token in enumerate(tokens) if token.type == "list_item_open"]
    told = ["".join(child.content or " " for child in inline.children or []).replace(" ,", ",") for inline in limits]
    assert any(f"observed {seen}, promised at most 3" in limit for limit in told)
    assert {child.type for inline in limits for child in inline.children or []} <= {"text", "text_special"}


def test_drift_is_shown_with_threshold_and_verdict(
    card_facts_of: Cards, corrections: Corrections, check_of: Checks
) -> None:
    drift = {"suite": "release_profiles", "severity": "critical"}
    checks = [
        check_of(**drift, subject="label_drift", bound="at most 0.8"),
        check_of(**drift, subject="top_label_share", bound="at most 0.5"),
        check_of(**drift, subject="length_drift", bound="at most 2.0", is_success=False),
    ]
    profile = {"label_drift": 0.4113, "length_drift": 2.5, "top_label_share": None, "reference": "parent release"}
    text = write_card(card_facts_of(corrections([1]), checks=checks, profile=profile))
    assert "Against: parent release.\n" in text
    assert [[row[0].split(":")[0], *row[1:]] for row in tables(text)["measure"]] == [
        ["label_drift", "0.411", "0.8", "critical", "kept"],
        ["top_label_share", "-", "0.5", "critical", "not measured"],
        ["length_drift", "2.5", "2", "critical", "broken"],
    ]


def test_what_changed_is_told_against_the_parent(card_facts_of: Cards, corrections: Corrections) -> None:
    parent = [("0001", "train"), ("0002", "train"), ("0009", "heldout")]
    rows = [*corrections([1, 3]), *corrections([2], split="retired")]
    assert "Since version 1: 1 rows came, 1 are gone, 1 are on another side, 1 are as before." in write_card(
        card_facts_of(rows, parent_rows=parent)
    )
    assert "It has no parent" in write_card(card_facts_of(rows))


def test_costs_that_were_not_recorded_are_said_to_be(card_facts_of: Cards, corrections: Corrections) -> None:
    assert "## What it cost\n\nNot recorded.\n" in write_card(card_facts_of(corrections([1])))


def test_code_is_fenced_by_its_language(card_facts_of: Cards, corrections: Corrections) -> None:
    text = write_card(card_facts_of(corrections([1]), files=["train.parquet", "exports/trl-sft.jsonl"]))
    fences = [token for token in parsed(text) if token.type == "fence"]
    assert [token.info for token in fences] == ["python", "sql", "python", "python"]
    assert 'pl.read_parquet("train.parquet")' in fences[0].content


def test_facts_that_a_manifest_lacks_are_left_open() -> None:
    found = dict(identity_of({"version": 3, "consent": ""}))
    assert (found["version"], found["consent"], found["settings"]) == ("3", "-", "-")
