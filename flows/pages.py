"""What the pages we write have in common: templates in which all text is escaped, and files that are whole."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from flows.demo.wording import safe


def page_templates(*folders: Path) -> Environment:
    """Return the templates of some folders; what came from logs and people is escaped, controls and all."""
    return Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_whole(path: Path, text: str) -> None:
    """Write a page; a reader sees the whole of it or the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.staged")
    staged.write_text(text, encoding="utf-8", errors="replace")
    staged.replace(path)


def _shown(value: object) -> object:
    return safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value
