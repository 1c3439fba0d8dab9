"""The frame of a chart: scales, grid, labels and step markers."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from flows.demo.svg import path, tag

Number = Callable[[float], str]

CHARACTER_PX = 8.3  # a digit at 13 px in DejaVu Sans, the widest of the fonts a page without fonts is shown in
HEIGHT_PX = 300
_TOP_PX = 48  # two lines: what the axis measures, and the step markers
_BOTTOM_PX = 30
_RIGHT_PX = 14


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that starts at a category: a vertical line before it, with a text."""

    category: str
    text: str


@dataclass(frozen=True, slots=True)
class Axes:
    """What a chart's axes say. `measure` is the quantity up the side, `tick` writes one of its values."""

    measure: str
    categories: tuple[str, ...]
    tick: Number
    marks: tuple[Mark, ...] = ()
    bound: float | None = None  # a dashed horizontal line


@dataclass(frozen=True, slots=True)
class Frame:
    """Axes laid out in a drawing `width` px wide."""

    axes: Axes
    width: int
    ticks: tuple[float, ...]

    @property
    def left(self) -> float:
        """Return where the plot starts: right of its longest tick label."""
        return max(len(self.axes.tick(tick)) for tick in self.ticks) * CHARACTER_PX + 10

    @property
    def step(self) -> float:
        """Return the width of one category."""
        return (self.width - self.left - _RIGHT_PX) / max(len(self.axes.categories), 1)

    @property
    def bottom(self) -> float:
        """Return where the plot ends."""
        return HEIGHT_PX - _BOTTOM_PX

    def x(self, position: int) -> float:
        """Return the middle of a category."""
        return self.left + (position + 0.5) * self.step

    def y(self, value: float) -> float:
        """Return the height of a value; the plot cuts off what is outside it."""
        low, high = self.ticks[0], self.ticks[-1]
        share = (min(max(value, low), high) - low) / (high - low)
        return self.bottom - share * (self.bottom - _TOP_PX)

    def draw(self) -> Markup:
        """Return grid, tick and category labels, the bound and the step markers."""
        title = tag("text", self.axes.measure, x=0, y=14, class_="measure")
        return Markup("").join([title, *self._rows(), *self._columns(), *self._bound(), *self._marks()])

    def _rows(self) -> list[Markup]:
        drawn = []
        for tick in self.ticks:
            y = self.y(tick)
            drawn.append(tag("line", x1=self.left, x2=self.width - _RIGHT_PX, y1=y, y2=y, class_="grid"))
            label = self.axes.tick(tick)
            drawn.append(tag("text", label, x=self.left - 8, y=y + 4.5, class_="tick", text_anchor="end"))
        return drawn

    def _columns(self) -> list[Markup]:
        longest = max((len(category) for category in self.axes.categories), default=0)
        every = max(1, math.ceil((longest * CHARACTER_PX + 10) / self.step))
        return [
            tag("text", category, x=self.x(place), y=HEIGHT_PX - 8, class_="tick", text_anchor="middle")
            for place, category in enumerate(self.axes.categories)
            if place % every == 0
        ]

    def _bound(self) -> list[Markup]:
        if self.axes.bound is None:
            return []
        y = self.y(self.axes.bound)
        return [tag("line", x1=self.left, x2=self.width - _RIGHT_PX, y1=y, y2=y, class_="bound")]

    def _marks(self) -> list[Markup]:
        drawn = []
        for mark in self.axes.marks:
            if mark.category not in self.axes.categories:
                continue
            x = self.x(self.axes.categories.index(mark.category)) - self.step / 2
            side = "start" if x + len(mark.text) * CHARACTER_PX < self.width else "end"
            drawn.append(tag("path", d=path([(x, _TOP_PX - 14), (x, self.bottom)]), class_="mark"))
            drawn.append(
                tag("text", mark.text, x=x + (4 if side == "start" else -4), y=34, class_="note", text_anchor=side)
            )
        return drawn


def nice_ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """Return about `count` round numbers that span low to high; at least two, rising."""
    spread = high - low if high > low else abs(high) or 1.0
    raw = spread / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(place * step, 12) for place in range(first, max(last, first + 1) + 1))
