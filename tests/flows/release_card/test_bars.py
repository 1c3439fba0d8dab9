"""Bars stay inside of their drawing with what is written beside them."""

import re

import pytest

from flows.demo.axes import CHARACTER_PX
from flows.demo.figures import NARROW_PX, WIDE_PX
from flows.release_card.bars import Row, bars_figure

LONG = Row("a failure mode with a name that is far too long to be shown whole", (700.0, 13.0), "713 · 100.0 % of all")


@pytest.mark.parametrize("is_wide", [True, False])
def test_bars_and_their_texts_fit(is_wide: bool) -> None:
    figure = bars_figure("rows", [Row("heading"), LONG, Row("b", (1.0, 0.0), "1")], "", ("train", "held out"))
    assert figure is not None
    drawing, width = (figure.wide, WIDE_PX) if is_wide else (figure.narrow, NARROW_PX)
    ends = [
        float(x) + float(long) for x, long in re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawing)
    ]
    assert len(ends) == 3  # a layer of nothing is not drawn
    assert max(ends) + 7 + len(LONG.text) * CHARACTER_PX <= width
    assert [key.name for key in figure.legend] == ["train", "held out"]


def test_headings_alone_are_no_figure() -> None:
    assert bars_figure("rows", [Row("heading")], "") is None
