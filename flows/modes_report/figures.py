"""Draw modes: failures per day, and prevalence with its interval."""

from collections.abc import Sequence

from markupsafe import Markup

from flows.demo.axes import CHARACTER_PX, Axes
from flows.demo.charts import Bars, stacked_bars
from flows.demo.figures import NARROW_PX, WIDE_PX, Figure, Key
from flows.demo.svg import path, tag
from flows.demo.wording import shortened
from flows.modes_report.rows import ModeView

_COLOURS = 6  # that people with any colour vision tell apart; further modes are one grey layer
_GREY = 6
_ROW_PX = 26
_NAME_CHARACTERS = 44


def days_figure(views: Sequence[ModeView]) -> Figure | None:
    """Return failures per day, the largest modes in colours of their own, the others together in grey."""
    days = sorted({row["day"] for view in views for row in view.days})
    if not days:
        return None
    totals = [(sum(row["size"] for row in view.days), place) for place, view in enumerate(views)]
    largest = [place for _, place in sorted(totals, key=lambda one: (-one[0], one[1]))[:_COLOURS]]
    layers = [Bars(views[place].row["name"], ink, _sizes(views[place], days)) for ink, place in enumerate(largest)]
    rest = [_sizes(view, days) for place, view in enumerate(views) if place not in largest]
    if rest:
        together = tuple(float(sum(sizes)) for sizes in zip(*rest, strict=True))
        layers.append(Bars(f"{len(rest)} others", _GREY, together))
    axes = Axes("failures", tuple(day.strftime("%d %b") for day in days), lambda size: f"{size:,.0f}")
    legend = tuple(Key(shortened(layer.name, 60), _swatch(layer.ink)) for layer in layers)
    label = "Failures per day, by mode"
    note = "Modes that were met on the day of the report; a failure in none of them is not drawn."
    return Figure(note, legend, *(stacked_bars(label, axes, layers, width) for width in (WIDE_PX, NARROW_PX)))


def prevalence_chart(views: Sequence[ModeView], width: int) -> Markup:
    """Return a dot and a whisker per mode: the expected share of all traces, and its 95 % interval."""
    is_narrow = width == NARROW_PX
    left = 8.0 if is_narrow else _NAME_CHARACTERS * CHARACTER_PX * 0.92
    step = _ROW_PX * (2 if is_narrow else 1)
    most = max((view.row["prevalence_high"] or 0 for view in views), default=0) or 1.0
    room = width - left - 62
    drawn = []
    for place, view in enumerate(views):
        row = view.row
        low, share, high = (row[key] or 0.0 for key in ("prevalence_low", "prevalence", "prevalence_high"))
        y = step * place + step - 10
        xs = [left + room * value / most for value in (low, share, high)]
        name = shortened(row["name"], _NAME_CHARACTERS)
        at = (0.0, y - 18, "start") if is_narrow else (left - 12, y + 4, "end")
        drawn.append(tag("text", name, x=at[0], y=at[1], class_="tick name", text_anchor=at[2]))
        drawn.append(tag("path", d=path([(xs[0], y), (xs[2], y)]), class_="whisker ink0"))
        told = tag("title", f"{row['name']}: {share:.2%} of traces, {low:.2%} to {high:.2%}")
        drawn.append(tag("circle", told, cx=xs[1], cy=y, r=4.5, class_="point ink0"))
        drawn.append(tag("text", f"{share:.1%}", x=xs[2] + 8, y=y + 4, class_="tick"))
    label = "Share of all traces that fail in each mode, with 95 % intervals"
    return tag("svg", *drawn, viewBox=f"0 0 {width} {step * len(views) + 6:g}", role="img", aria_label=label)


def prevalence_figure(views: Sequence[ModeView]) -> Figure | None:
    """Return the prevalence of the day's modes."""
    shown = [view for view in views if view.row["size"] > 0]
    if not shown:
        return None
    note = (
        "Expected share of all traces of the day, each failure counted by its probability; lines are 95 % intervals."
    )
    return Figure(note, (), prevalence_chart(shown, WIDE_PX), prevalence_chart(shown, NARROW_PX))


def _sizes(view: ModeView, days: Sequence[object]) -> tuple[float, ...]:
    sizes = {row["day"]: row["size"] for row in view.days}
    return tuple(float(sizes.get(day, 0)) for day in days)


def _swatch(ink: int) -> Markup:
    box = tag("rect", width=16, height=16, class_=f"bar ink{ink}")
    return tag("svg", box, viewBox="0 0 16 16", class_="swatch", aria_hidden="true")
