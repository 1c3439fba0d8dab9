"""Write what changed between two releases as one HTML file with its style inside."""

from pathlib import Path
from typing import TYPE_CHECKING

from flows.pages import page_templates, write_whole

if TYPE_CHECKING:
    from flywheel.publish.compare import Difference

_HERE = Path(__file__).parent
_SHOWN = 200  # rows of each kind; the command's --json has all of them


def write_page(path: Path, found: "Difference") -> None:
    """Write the page to `path`; a reader sees the whole of it or the one before."""
    write_whole(path, render_page(found))


def render_page(found: "Difference") -> str:
    """Return the page. Everything that people and models wrote is escaped, controls and all."""
    environment = page_templates(_HERE, _HERE.parent / "modes_report", _HERE.parent / "demo")
    rows = found.rows.to_dicts()
    kinds = [(change, [row for row in rows if row["change"] == change]) for change in ("removed", "changed", "added")]
    return environment.get_template("diff.html.j2").render(
        found=found,
        counts=found.counts,
        kinds=[(change, members, members[:_SHOWN]) for change, members in kinds if members],
    )
