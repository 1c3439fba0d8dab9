"""Charts as inline SVG: lines with interval bands, stacked bars, paired bars. Pure; nothing is loaded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from markupsafe import Markup

from flows.demo.axes import CHARACTER_PX, HEIGHT_PX, Axes, Frame, nice_ticks
from flows.demo.svg import path, tag

_DODGE_PX = 7  # keeps the intervals of several lines apart
_WIDEST_BAR_PX = 64
_NARROW_PX = 500  # below this a bar's label stands above it, not beside it
_BAR_PX = 13


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a line, with its interval if it has one; `text` is what a pointer over it says."""

    category: str
    value: float
    text: str
    low: float | None = None
    high: float | None = None
    is_hollow: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A named line; `ink` is its place in the palette, which also picks the shape of its points."""

    name: str
    ink: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """One layer of bars: a value per category."""

    name: str
    ink: int
    values: tuple[float, ...]


def line_chart(label: str, axes: Axes, lines: Sequence[Line], width: int) -> Markup:
    """Return lines over categories; 95 % intervals are whiskers, joined to a band. `label` is for who cannot see."""
    values = [value for line in lines for point in line.points for value in _extent(point)]
    values += [axes.bound] if axes.bound is not None else []
    frame = Frame(axes, width, nice_ticks(min(values), max(values)))
    dodges = [
        _DODGE_PX * (place - (len(lines) - 1) / 2) if _has_intervals(lines) else 0.0 for place in range(len(lines))
    ]
    drawn = [_band(frame, line, dodge) for line, dodge in zip(lines, dodges, strict=True)]
    drawn += [_strokes(frame, line, dodge) for line, dodge in zip(lines, dodges, strict=True)]
    return _svg(label, width, HEIGHT_PX, [frame.draw(), *drawn])


def stacked_bars(label: str, axes: Axes, layers: Sequence[Bars], width: int) -> Markup:
    """Return a bar per category, made of one layer on the other."""
    totals = [sum(heights) for heights in zip(*(layer.values for layer in layers), strict=True)]
    frame = Frame(axes, width, nice_ticks(0.0, max(totals)))
    thick = min(_WIDEST_BAR_PX, frame.step * 0.72)
    drawn = [frame.draw()]
    for place, category in enumerate(axes.categories):
        tops = list(accumulate(layer.values[place] for layer in layers))
        for layer, top in zip(layers, tops, strict=True):
            value = layer.values[place]
            if value <= 0:
                continue
            y, foot = frame.y(top), frame.y(top - value)
            text = tag("title", f"{category}: {layer.name} {axes.tick(value)}")
            x = frame.x(place) - thick / 2
            drawn.append(tag("rect", text, x=x, y=y, width=thick, height=foot - y, class_=f"bar ink{layer.ink}"))
    return _svg(label, width, HEIGHT_PX, drawn)


def share_bars(label: str, axes: Axes, layers: Sequence[Bars], width: int) -> Markup:
    """Return horizontal bars of shares from 0 to 1, the layers of a category beside each other."""
    is_narrow = width < _NARROW_PX
    longest = max(len(category) for category in axes.categories)
    left = 0.0 if is_narrow else longest * CHARACTER_PX + 12
    head = 22 if is_narrow else 4
    group = head + len(layers) * (_BAR_PX + 3) + 10
    room = width - left - 60  # for the number after the longest bar
    drawn = []
    for place, category in enumerate(axes.categories):
        top = place * group + head
        at = (0.0, top - 7) if is_narrow else (left - 12, top + len(layers) * (_BAR_PX + 3) / 2 + 3)
        anchor = "start" if is_narrow else "end"
        drawn.append(tag("text", category, x=at[0], y=at[1], class_="tick name", text_anchor=anchor))
        for row, layer in enumerate(layers):
            y, value = top + row * (_BAR_PX + 3), layer.values[place]
            text = tag("title", f"{category}: {layer.name} {axes.tick(value)}")
            long = max(room * value, 2.0)
            drawn.append(tag("rect", text, x=left, y=y, width=long, height=_BAR_PX, class_=f"bar ink{layer.ink}"))
            drawn.append(tag("text", axes.tick(value), x=left + long + 6, y=y + _BAR_PX - 2, class_="tick"))
    return _svg(label, width, len(axes.categories) * group, drawn)


def shape(ink: int, x: float, y: float, text: str = "", is_hollow: bool = False) -> Markup:
    """Return the point of a line: circle, square, triangle or diamond by its ink, so that colour is not needed."""
    size = 5.0
    corners = (
        [(x - size, y - size), (x + size, y - size), (x + size, y + size), (x - size, y + size)],
        [(x, y - size - 1), (x + size + 1, y + size - 1), (x - size - 1, y + size - 1)],
        [(x, y - size - 2), (x + size + 2, y), (x, y + size + 2), (x - size - 2, y)],
    )
    named = f"point ink{ink}{' hollow' if is_hollow else ''}"
    title = [tag("title", text)] if text else []
    if ink % 4 == 0:
        return tag("circle", *title, cx=x, cy=y, r=size, class_=named)
    return tag("path", *title, d=path(corners[ink % 4 - 1], closed=True), class_=named)


def _extent(point: Point) -> Iterable[float]:
    return (value for value in (point.low, point.value, point.high) if value is not None)


def _has_intervals(lines: Iterable[Line]) -> bool:
    return any(point.low is not None for line in lines for point in line.points)


def _band(frame: Frame, line: Line, dodge: float) -> Markup:
    held = [point for point in line.points if point.low is not None and point.high is not None]
    if len(held) < 2:
        return Markup("")
    xs = [_x(frame, point, dodge) for point in held]
    upper = [(x, frame.y(point.high or 0.0)) for x, point in zip(xs, held, strict=True)]
    lower = [(x, frame.y(point.low or 0.0)) for x, point in zip(xs, held, strict=True)]
    return tag("path", d=path(upper + lower[::-1], closed=True), class_=f"band ink{line.ink}")


def _strokes(frame: Frame, line: Line, dodge: float) -> Markup:
    places = [(_x(frame, point, dodge), frame.y(point.value)) for point in line.points]
    drawn = [tag("path", d=path(places), class_=f"line ink{line.ink}")] if len(places) > 1 else []
    for (x, y), point in zip(places, line.points, strict=True):
        if point.low is not None and point.high is not None:
            whisker = path([(x, frame.y(point.low)), (x, frame.y(point.high))])
            drawn.append(tag("path", d=whisker, class_=f"whisker ink{line.ink}"))
        drawn.append(shape(line.ink, x, y, point.text, point.is_hollow))
    return Markup("").join(drawn)


def _x(frame: Frame, point: Point, dodge: float) -> float:
    return frame.x(frame.axes.categories.index(point.category)) + dodge


def _svg(label: str, width: int, height: float, drawn: Iterable[str]) -> Markup:
    return tag("svg", *drawn, viewBox=f"0 0 {width} {height:g}", role="img", aria_label=label)
