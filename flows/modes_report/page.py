"""Write the report on failure modes: one HTML file with its style and its charts inside."""

from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from flows.demo.wording import safe
from flows.modes_report.figures import days_figure, prevalence_figure
from flows.modes_report.rows import ModeView, sparkline

_HERE = Path(__file__).parent


def write_page(path: Path, day: date, views: list[ModeView]) -> None:
    """Write the report to `path`; a reader sees the whole of it or the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.staged")
    staged.write_text(render_page(day, views), encoding="utf-8", errors="replace")
    staged.replace(path)


def render_page(day: date, views: list[ModeView]) -> str:
    """Return the report as HTML. Everything that came from logs is escaped, controls and all."""
    environment = Environment(
        loader=FileSystemLoader([_HERE, _HERE.parent / "demo"]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    named = [view for view in views if view.row["rank"] is not None]
    return environment.get_template("modes.html.j2").render(
        day=day,
        views=[view for view in views if view.row["size"] > 0],
        gone=[view for view in views if view.row["size"] == 0],
        failure_count=sum(view.row["size"] for view in views),
        trace_count=views[0].row["trace_count"] if views else 0,
        in_modes=sum(view.row["size"] for view in named),
        named=named,
        figures=[
            ("Failures per day", days_figure(views)),
            ("How common each mode is", prevalence_figure(views)),
        ],
        sizes=lambda view: sparkline([row["size"] for row in view.days][-14:]),
        arrow=arrow,
        share=lambda value: "-" if value is None else f"{value:.1%}",
        number=lambda value: "-" if value is None else f"{value:.2f}",
    )


def arrow(trend: float | None) -> str:
    """Return which way a mode goes: new, up or down by a fifth or more, or as before."""
    if trend is None:
        return "new"
    return "↑" if trend >= 1.2 else "↓" if trend <= 0.8 else "→"


def _shown(value: object) -> object:
    return safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value
