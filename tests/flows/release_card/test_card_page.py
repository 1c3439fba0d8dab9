"""The card as a page: it says what the facts say, and nothing in it is markup but ours."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from flows.release_card.figures import drift_figure
from flows.release_card.page import render_page, write_page
from flywheel.core.releases import Release
from flywheel.publish.card_facts import Card, card_of

EVIL = '"><img src=x onerror=document.title="owned"><script>document.title="owned"</script>\u202e'
CHECK = {"suite": EVIL, "expectation": EVIL, "severity": "warning", "is_success": False, "bound": EVIL}
DRIFT = {"suite": "release_profiles", "expectation": "expect_x", "severity": "critical", "is_success": True}


def row(number: int, **facts: Any) -> dict[str, Any]:
    known = {"author_kind": "human", "author_id": "ann", "route": "human", "task": "desk", "depth": 0}
    texts = {"query": "where is it?", "rejected": "gone", "chosen": "here", "mode_name": "lost cards"}
    return {"correction_id": f"{number:04x}", "split": "train", **known, **texts, **facts}


def card(rows: list[dict[str, Any]], **facts: Any) -> Card:
    profile = {"human_share": 0.6, "max_depth": 1, "new_count": 40, "label_drift": 0.4, "reference": EVIL}
    checks = [CHECK | {"subject": EVIL, "observed": EVIL}]
    checks.append(DRIFT | {"subject": "label_drift", "observed": "0.4", "bound": "at most 0.8"})
    manifest = {
        "dataset": EVIL, "version": 2, "parent": 1, "licence": EVIL, "consent": EVIL, "content_hash": EVIL,
        "rows": {"train": 1_234, "heldout": 2, "retired": 0, "preferences": 0}, "rows_by_app": {EVIL: 3},
        "files": [f"exports/{EVIL}.jsonl", "train.parquet"],
        "costs": [{"route": EVIL, "author_kind": EVIL, "answers": 4, "rows": 2, "cost_usd": 3.0}],
        "judged_models": [
            {"corrector": EVIL, "judged": 9, "agreement": 0.5, "agreement_low": 0.2, "judged_on": "2026-01-01"}
        ],
        **facts,
    }  # fmt: skip
    parent = pl.DataFrame({"correction_id": ["0001"], "split": ["train"]})
    return card_of(manifest, orjson.dumps({"profile": profile, "results": checks}), pl.DataFrame(rows), parent)


def history(count: int) -> list[Release]:
    rows = {"train": 10, "heldout": 2}
    return [Release("corrections", number, "h", "2026", {"rows": rows}) for number in range(1, count + 1)]


def hostile_page() -> str:
    named = {"mode_name": EVIL, "author_id": EVIL, "author_kind": EVIL, "route": EVIL, "task": EVIL}
    return render_page(card([row(1, **named), row(2, **named, split="heldout")]), history(2), EVIL)


@pytest.fixture
def browser_page() -> Iterator[Any]:
    """Yield a page of the real browser."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium: make browser")
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=arguments)
        yield browser.new_page(viewport={"width": 390, "height": 800})
        browser.close()


def test_text_of_others_is_never_markup() -> None:
    page = hostile_page()
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert page.count("&lt;script&gt;") > 15
    assert "default-src 'none'" in page


def test_a_hostile_card_does_nothing_in_a_browser_and_fits_a_phone(tmp_path: Path, browser_page: Any) -> None:
    (tmp_path / "card.html").write_text(hostile_page())
    asked, said = [], []
    browser_page.on("request", lambda request: asked.append(request.url))
    browser_page.on("console", lambda message: said.append(message.text))
    browser_page.goto((tmp_path / "card.html").as_uri())
    assert browser_page.title() != "owned"
    assert (asked, said) == ([(tmp_path / "card.html").as_uri()], [])
    assert browser_page.evaluate("document.images.length + document.scripts.length") == 0
    assert browser_page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    plots = browser_page.evaluate(
        "[...document.querySelectorAll('.narrow svg')].filter(one => one.clientHeight).length"
    )
    assert plots == 5


def test_what_changed_drifted_and_cost_is_told() -> None:
    page = render_page(card([row(1), row(2, split="heldout"), row(3)]), history(2), "/lake/releases/corrections/2")
    assert "Since version 1: 2 rows came, 0 are gone, 0 are on another side, 1 are as before." in page
    assert "<strong>1,234</strong>" in page
    assert "<strong>1 of 2</strong> <span>promises kept</span>" in page
    assert "0.4 of 0.8" in page
    assert "$1.50 · 2 rows" in page
    assert "/lake/releases/corrections/2" in page
    assert "2 + 1" in page  # to train on and held out, of the one mode


def test_smaller_modes_and_older_versions_are_gathered() -> None:
    rows = [row(number, mode_name=f"mode {number:02}") for number in range(1, 24)]
    page = render_page(card(rows), history(31), "")
    assert "3 smaller modes" in page
    assert "Rows of the newest 30 versions up to this one." in page


def test_rows_to_be_gone_are_a_limit() -> None:
    assert "7 rows tell of somebody who was forgotten since" in render_page(card([row(1)]), history(2), "", 7)


def test_page_is_written_whole(tmp_path: Path) -> None:
    write_page(tmp_path / "deep" / "card.html", card([row(1)], costs=[]), history(1), "")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["card.html"]
    assert "The release does not record it." in (tmp_path / "deep" / "card.html").read_text()


@pytest.mark.parametrize(("is_kept", "ink"), [(True, "ink2"), (False, "ink5")])
def test_what_is_beyond_its_threshold_has_another_colour(is_kept: bool, ink: str) -> None:
    facts = card([row(1)])
    facts = replace(facts, checks=({**facts.checks[1], "is_success": is_kept},))
    figure = drift_figure(facts)
    assert figure is not None
    assert f'class="bar {ink}"' in figure.wide
    assert 'class="bound"' in figure.wide
