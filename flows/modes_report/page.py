"""Write the report on failure modes: one HTML file with its style and its charts inside."""

from datetime import date
from pathlib import Path

from flows.modes_report.figures import days_figure, prevalence_figure
from flows.modes_report.rows import ModeView, sparkline
from flows.pages import page_templates, write_whole

_HERE = Path(__file__).parent


def write_page(path: Path, day: date, views: list[ModeView]) -> None:
    """Write the report to `path`; a reader sees the whole of it or the one before."""
    write_whole(path, render_page(day, views))


def render_page(day: date, views: list[ModeView]) -> str:
    """Return the report as HTML. Everything that came from logs is escaped, controls and all."""
    environment = page_templates(_HERE, _HERE.parent / "demo")
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
