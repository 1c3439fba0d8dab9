"""The modes command: the ranked table, one mode in detail, and the page, whatever the logs hold."""

import json
import re
from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from flows.modes_report.page import arrow, render_page
from flows.modes_report.rows import ModeView, sparkline

Flywheel = Callable[..., Any]

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</title><svg onload=alert(1)>", "{{ 7 * 7 }}",
    "javascript:alert(1)", "</style><iframe src=//evil.example>", "&lt;b&gt;", "\x1b[31mred\x00\u202e", "]]><!--",
)  # fmt: skip


def test_modes_are_of_the_newest_day(flywheel: Flywheel, turned: Path) -> None:
    rows = json.loads(flywheel("modes", "--json", lake=turned).out)
    assert sum(row["size"] for row in rows) == 19
    assert {row["day"] for row in rows} == {"2026-03-02"}
    assert [row["rank"] for row in rows if row["rank"]] == list(range(1, len([r for r in rows if r["rank"]]) + 1))
    assert json.loads(flywheel("modes", "--day", "2026-03-01", "--json", lake=turned).out) == []


def test_the_table_has_interval_trend_and_example(flywheel: Flywheel, turned: Path) -> None:
    said = flywheel("modes", lake=turned).out
    assert re.search(r"\d% \(\d+\.\d%-\d+\.\d%\)", said)
    assert "new" in said


def test_one_mode_is_shown_with_examples_and_their_log_line(flywheel: Flywheel, turned: Path) -> None:
    rows = json.loads(flywheel("modes", "--json", lake=turned).out)
    mode_id = rows[0]["mode_id"]
    shown = json.loads(flywheel("modes", "show", mode_id[:8], "--json", lake=turned).out)
    assert shown["mode_id"] == mode_id
    assert [day["day"] for day in shown["days"]] == ["2026-03-02"]
    assert [example["trace_id"] for example in shown["examples"]] == rows[0]["examples"]
    assert "example.jsonl:" in flywheel("modes", "show", mode_id[:8], lake=turned).out


def test_a_mode_that_is_none_is_a_wrong_call(flywheel: Flywheel, turned: Path) -> None:
    said = flywheel("modes", "show", "zzzz", lake=turned)
    assert said.code == 2
    assert "0 modes of the day begin with 'zzzz'" in said.err


def test_the_page_is_written_and_loads_nothing(flywheel: Flywheel, turned: Path, tmp_path: Path) -> None:
    assert flywheel("modes", "--report", str(tmp_path / "page.html"), lake=turned).code == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert not re.search(r"<script|\bsrc=|<link|@import|url\(|href=\"http", page)


def test_without_modes_there_is_no_page(flywheel: Flywheel) -> None:
    said = flywheel("modes", "--report")
    assert (said.code, "mine first" in said.err) == (2, True)


class Tags(HTMLParser):
    """Collect what a browser would see as elements and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def hostile_view(text: str) -> ModeView:
    """Return a mode in which everything that can come from a log is this text."""
    shares = ("prevalence", "prevalence_low", "prevalence_high", "severity", "fixability")
    row = {
        "mode_id": "m", "name": text, "description": text, "status": "open", "size": 3, "total_size": 3, "rank": 1,
        "trend": None, "first_seen": date(2026, 1, 1), "last_seen": date(2026, 1, 1), "signals": [text],
        "trace_count": 9, "merged_into": None, **dict.fromkeys(shares, 0.3),
    }  # fmt: skip
    example = {
        "query": text, "output": text, "signals": [text], "p_failure": 0.5, "source_file": text, "source_line": 1,
    }  # fmt: skip
    return ModeView(row, [{"day": date(2026, 1, 1), "size": 3}], [example])


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_logs_stays_text(text: str) -> None:
    harmless, hostile = Tags(), Tags()
    harmless.feed(render_page(date(2026, 1, 1), [hostile_view("harmless")]))
    page = render_page(date(2026, 1, 1), [hostile_view(text)])
    hostile.feed(page)
    assert (hostile.names, hostile.attributes) == (harmless.names, harmless.attributes)
    assert not set("\x00\x1b\u202e") & set(page)
    assert "49" not in page.split("<main>")[1] or "{{" not in text


@pytest.mark.parametrize(
    ("trend", "expected"), [(None, "new"), (1.2, "↑"), (1.19, "→"), (0.81, "→"), (0.8, "↓"), (0.0, "↓")]
)
def test_an_arrow_says_where_a_mode_goes(trend: float | None, expected: str) -> None:
    assert arrow(trend) == expected


def test_a_sparkline_has_its_largest_day_on_top() -> None:
    assert sparkline([8, 4, 0, 1]) == "█▄ ▁"
    assert sparkline([]) == ""
