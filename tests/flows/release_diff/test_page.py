"""The page on two releases: it says what changed, and nothing in it is markup but ours."""

from pathlib import Path

import polars as pl

from flows.release_diff.page import render_page, write_page
from flywheel.publish.compare import Difference

EVIL = "<script>alert(1)</script>\u202e"


def difference(row_count: int = 1) -> Difference:
    row = {
        "correction_id": "0123456789abcdef", "change": "removed", "split_before": "train", "split_after": None,
        "columns": None, "mode_name": EVIL, "author_kind": "human", "author_id": "ann", "trace_id": "t1",
        "query": EVIL, "rejected": EVIL, "chosen": EVIL, "why": "unexplained", "detail": EVIL,
    }  # fmt: skip
    return Difference("corrections", 1, 2, pl.DataFrame([row] * row_count), 1_234, (EVIL,), ())


def test_text_of_others_is_never_markup() -> None:
    page = render_page(difference())
    assert "<script" not in page
    assert "\u202e" not in page
    assert page.count("&lt;script&gt;") == 6
    assert "default-src 'none'" in page


def test_counts_and_what_is_left_out_are_told() -> None:
    page = render_page(difference(201))
    assert "1,234" in page
    assert "<h2>201 removed</h2>" in page
    assert "and 1 more" in page
    assert page.count("<article>") == 200


def test_page_is_written_whole(tmp_path: Path) -> None:
    write_page(tmp_path / "deep" / "diff.html", difference())
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["diff.html"]
