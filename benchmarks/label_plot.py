"""Draw learning curves as SVG."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flows.demo.svg import path, tag

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM, _RIGHT = 760.0, 400.0, 50.0, 36.0, 44.0, 150.0
_COLOURS = ("#8a8a8a", "#c78f00", "#2a7fb8", "#5b51a8", "#3d9970", "#b05c9c", "#d1603d", "#111111")


Curves = Mapping[str, NDArray[np.float64]]
Place = Callable[[float, float], tuple[float, float]]


def draw(target: Path, title: str, curves: Curves, budget: int) -> None:
    """Write the mean learning curve of each arm; each is named at its end."""
    means = {name: own.mean(axis=0) for name, own in curves.items()}
    low, high = min(mean.min() for mean in means.values()), max(mean.max() for mean in means.values())
    rounds = len(next(iter(means.values()))) - 1
    right, floor = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def at(number: float, accuracy: float) -> tuple[float, float]:
        height = (floor - _TOP) * (accuracy - low) / (high - low)
        return _LEFT + (right - _LEFT) * number / rounds, floor - height

    parts = [tag("rect", width=_WIDTH, height=_HEIGHT, fill="#ffffff")]
    parts.append(tag("text", f"{title}: accuracy on held-out texts by corrections", x=_LEFT, y=20, font_size=14))
    for share in np.linspace(low, high, 5):
        y = at(0, share)[1]
        parts.append(tag("line", x1=_LEFT, x2=right, y1=y, y2=y, stroke="#dddddd"))
        parts.append(tag("text", f"{share:.2f}", x=_LEFT - 6, y=y + 4, text_anchor="end", font_size=11))
    for number in range(0, rounds + 1, max(1, rounds // 6)):
        x = at(number, low)[0]
        parts.append(tag("text", str(number * budget), x=x, y=floor + 18, text_anchor="middle", font_size=11))
    size = {"viewBox": f"0 0 {_WIDTH:g} {_HEIGHT:g}", "font_family": "sans-serif"}
    svg = tag("svg", *parts, *_lines(means, at), xmlns="http://www.w3.org/2000/svg", **size)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f"{svg}\n", encoding="utf-8")


def _lines(means: Curves, at: Place) -> Iterator[str]:
    """Yield each curve and its name, the names moved apart where they would overlap."""
    colours = dict(zip(means, _COLOURS, strict=False))
    last = 0.0
    for name in sorted(means, key=lambda name: -means[name][-1]):
        points = [at(number, accuracy) for number, accuracy in enumerate(means[name])]
        colour, wide = colours.get(name, "#111111"), 2.5 if name == "flywheel" else 1.5
        yield tag("path", d=path(points), fill="none", stroke=colour, stroke_width=wide)
        last = max(points[-1][1], last + 15)
        yield tag("text", name, x=points[-1][0] + 8, y=last + 4, fill=colour, font_size=12)
