"""Write SVG elements; every attribute and every text is made safe and escaped."""

from markupsafe import Markup

from flows.demo.wording import safe


def tag(name: str, *children: str, **attributes: str | float) -> Markup:
    """Return one element. `class_` is written class, `stroke_width` stroke-width; text children are escaped."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _value(value))
        for key, value in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, Markup("").join(map(_text, children)))


def path(points: list[tuple[float, float]], closed: bool = False) -> str:
    """Return the path data of straight lines through the points."""
    steps = " L".join(f"{_value(x)} {_value(y)}" for x, y in points)
    return f"M{steps}{' Z' if closed else ''}"


def _text(child: str) -> str:
    return child if isinstance(child, Markup) else safe(child)


def _value(value: str | float) -> str:
    return safe(value) if isinstance(value, str) else f"{round(float(value), 1):g}"
