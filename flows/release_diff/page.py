"""Write what changed between two releases as one HTML file with its style inside."""

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from flows.demo.wording import safe

if TYPE_CHECKING:
    from flywheel.publish.compare import Difference

_HERE = Path(__file__).parent
_SHOWN = 200  # rows of each kind; the command's --json has all of them


def write_page(path: Path, found: "Difference") -> None:
    """Write the page to `path`; a reader sees the whole of it or the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.staged")
    staged.write_text(render_page(found), encoding="utf-8", errors="replace")
    staged.replace(path)


def render_page(found: "Difference") -> str:
    """Return the page. Everything that people and models wrote is escaped, controls and all."""
    environment = Environment(
        loader=FileSystemLoader([_HERE, _HERE.parent / "modes_report", _HERE.parent / "demo"]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = found.rows.to_dicts()
    kinds = [(change, [row for row in rows if row["change"] == change]) for change in ("removed", "changed", "added")]
    return environment.get_template("diff.html.j2").render(
        found=found,
        counts=found.counts,
        kinds=[(change, members, members[:_SHOWN]) for change, members in kinds if members],
    )


def _shown(value: object) -> object:
    return safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value
