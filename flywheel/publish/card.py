"""The card of a release in Markdown: what it is, where it came from, what speaks against it, how to load it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flywheel.publish.card_facts import Card
from flywheel.publish.card_limits import known_limits
from flywheel.publish.card_loading import ways_to_load

IDENTITY = {
    "version": "version", "parent": "parent", "created": "created_at", "corrections up to": "day",
    "content hash": "content_hash", "lake version": "lake_version", "settings": "settings_sha256",
    "code": "code_version", "licence": "licence", "consent": "consent",
}  # fmt: skip
_NOTHING = "-"


def write_card(card: Card) -> str:
    """Return the card as Markdown; text of others stays text, in its place."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown; cells are escaped below
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": _cell, "dollars": _dollars, "number": _number}
    return environment.get_template("card.md.j2").render(
        card=card,
        identity=identity_of(card.manifest),
        limits=known_limits(card),
        loadings=ways_to_load(card.manifest["files"]),
    )


def identity_of(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a release is, by the name of the fact; facts that it does not record are '-'."""
    found = ((name, manifest.get(key)) for name, key in IDENTITY.items())
    return [(name, _NOTHING if value in (None, "") else str(value)) for name, value in found]


def _cell(text: object) -> str:
    """Return text that stays text and in its place: names and observed values come from people and logs."""
    plain = re.sub(r"\s+", " ", str(text)).strip().replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\|`*\[\]])", r"\\\1", plain)


def _dollars(amount: float) -> str:
    return f"${amount:,.4f}"


def _number(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.3g}"
