"""Horizontal bars of counts and amounts as inline SVG: stacked, under headings, against a threshold. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from flows.demo.axes import CHARACTER_PX
from flows.demo.figures import NARROW_PX, WIDE_PX, Figure, Key
from flows.demo.svg import path, tag
from flows.demo.wording import shortened

_BAR_PX = 16
_ROW_PX = 26
_NAME_PX = 20  # above a bar, where the page is narrow
_HEADING_PX = 34
_NAME_CHARACTERS = 44


@dataclass(frozen=True, slots=True)
class Row:
    """A bar of one or more layers, one per legend entry, and what is written beside it; no layers: a heading."""

    name: str
    layers: tuple[float, ...] = ()
    text: str = ""
    ink: int | None = None  # of all layers; None: each layer its own


def bars_figure(
    label: str, rows: Sequence[Row], note: str, legend: Sequence[str] = (), threshold: float | None = None
) -> Figure | None:
    """Return the bars for a wide and a narrow page, None without any; `threshold` is a dashed line at a value."""
    if not any(row.layers for row in rows):
        return None
    return Figure(note, legend_of(legend), *(_chart(label, rows, threshold, width) for width in (WIDE_PX, NARROW_PX)))


def legend_of(names: Sequence[str]) -> tuple[Key, ...]:
    """Return a legend in which each name has the next colour."""
    return tuple(Key(name, _swatch(ink)) for ink, name in enumerate(names))


def _chart(label: str, rows: Sequence[Row], threshold: float | None, width: int) -> Markup:
    is_narrow = width == NARROW_PX
    named = [shortened(row.name, _NAME_CHARACTERS) for row in rows if row.layers]
    left = 0.0 if is_narrow else max(map(len, named)) * CHARACTER_PX + 12
    most = max([sum(row.layers) for row in rows] + [threshold or 0.0]) or 1.0
    beside = max(len(row.text) for row in rows) * CHARACTER_PX + 10
    scale = max(width - left - beside, 40.0) / most
    drawn, y = [], 0.0
    for row in rows:
        if not row.layers:
            y += _HEADING_PX
            drawn.append(tag("text", row.name, x=0, y=y - 10, class_="measure"))
            continue
        y += _NAME_PX if is_narrow else 0
        at = (0.0, y - 5, "start") if is_narrow else (left - 12, y + _BAR_PX - 3.5, "end")
        name = shortened(row.name, _NAME_CHARACTERS)
        drawn.append(tag("text", name, x=at[0], y=at[1], class_="tick name", text_anchor=at[2]))
        drawn += _bar(row, left, y, scale)
        y += _ROW_PX
    if threshold is not None:
        x = left + scale * threshold
        drawn.append(tag("path", d=path([(x, 0), (x, y)]), class_="bound"))
    return tag("svg", *drawn, viewBox=f"0 0 {width} {y:g}", role="img", aria_label=label)


def _bar(row: Row, left: float, y: float, scale: float) -> list[Markup]:
    drawn, x = [], left
    for layer, value in enumerate(row.layers):
        if value <= 0:
            continue
        ink = layer if row.ink is None else row.ink
        long = max(scale * value, 2.0)
        told = tag("title", f"{row.name}: {row.text}")
        drawn.append(tag("rect", told, x=x, y=y, width=long, height=_BAR_PX, class_=f"bar ink{ink}"))
        x += long
    drawn.append(tag("text", row.text, x=x + 7, y=y + _BAR_PX - 3.5, class_="tick"))
    return drawn


def _swatch(ink: int) -> Markup:
    box = tag("rect", x=2, y=2, width=12, height=12, class_=f"bar ink{ink}")
    return tag("svg", box, viewBox="0 0 16 16", class_="swatch", aria_hidden="true")
