"""The card is Markdown that says what it should, whatever modes and authors are called."""

from collections.abc import Callable
from typing import Any

import pytest
from markdown_it import MarkdownIt

from flywheel.core.promises import PromiseResult, Severity
from flywheel.publish.candidate import Candidate
from flywheel.publish.card import write_card

Row = dict[str, Any]
Corrections = Callable[..., list[Row]]
Candidates = Callable[..., Candidate]

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


def result(is_success: bool = True, observed: str = "0") -> PromiseResult:
    return PromiseResult(
        "corrections", "expect_x", "depth", Severity.WARNING, is_success, observed, "at most 3", "select 1"
    )


def card(candidate: Candidate, *results: PromiseResult) -> str:
    return write_card(candidate, {"human_share": 0.754, "max_depth": 2}, results)


def tables(text: str) -> list[list[list[str]]]:
    """Return the rows of each table as a reader sees them: cells as plain text."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
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
    return found


def test_what_is_in_it(candidate_of: Candidates, corrections: Corrections) -> None:
    rows = [
        *corrections(range(3), mode_name="lost cards"),
        *corrections([3], author_kind="ai", author_id="wheel-large"),
        *corrections([4, 5], split="heldout"),
    ]
    text = card(candidate_of(rows), result(), result())
    assert text.startswith("# corrections\n\n4 corrections to train on, 2 held-out failures to measure with,\n")
    assert "2 of 2 promises kept.\n" in text
    assert "Written by people: 75 % of training rows.\nDeepest generation: 2.\n" in text
    assert tables(text) == [
        [["where from", "training rows"], ["ann", "3"], ["wheel-large", "1"]],
        [["failure mode", "training rows"], ["lost cards", "3"], ["none", "1"]],
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_in_their_cell_and_stay_text(
    candidate_of: Candidates, corrections: Corrections, name: str
) -> None:
    text = card(candidate_of(corrections([1, 2], mode_name=name, author_id=name)), result())
    seen = " ".join(name.split())
    assert tables(text) == [
        [["where from", "training rows"], [seen, "2"]],
        [["failure mode", "training rows"], [seen, "2"]],
    ]


@pytest.mark.parametrize("observed", HOSTILE)
def test_warnings_show_what_was_observed_as_text(
    candidate_of: Candidates, corrections: Corrections, observed: str
) -> None:
    text = card(candidate_of(corrections([1])), result(), result(is_success=False, observed=observed))
    assert "1 of 2 promises kept; warnings:" in text
    tokens = MarkdownIt("commonmark").parse(text)
    (place,) = [number for number, token in enumerate(tokens) if token.type == "list_item_open"]
    inline = tokens[place + 2]
    assert {child.type for child in inline.children or []} <= {"text", "text_special", "softbreak"}
    shown = "".join(child.content or " " for child in inline.children or [])
    seen = " ".join(observed.split())
    assert shown == f"corrections: expect_x on depth: observed {seen}, promised at most 3"
    assert [token.content for token in tokens if token.type == "html_block"] == []


def test_the_way_to_load_it_is_code(candidate_of: Candidates, corrections: Corrections) -> None:
    (code,) = [
        token.content
        for token in MarkdownIt("commonmark").parse(card(candidate_of(corrections([1])), result()))
        if token.type == "fence"
    ]
    compile(code, "card", "exec")
    assert 'pl.read_parquet("train.parquet")' in code
