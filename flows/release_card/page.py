"""Write the card of a release as one HTML file with its style and its plots inside."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.demo.figures import Figure
from flows.demo.report import Tile
from flows.demo.rows import Table
from flows.demo.wording import dollars, percent
from flows.pages import page_templates, write_whole
from flows.release_card import figures, tables
from flywheel.core.releases import Release
from flywheel.publish.card import identity_of
from flywheel.publish.card_facts import Card
from flywheel.publish.card_limits import known_limits
from flywheel.publish.card_loading import ways_to_load

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the card: a sentence, a plot, tables, and larger tables to unfold."""

    anchor: str
    title: str
    text: str
    figure: Figure | None = None
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()


def write_page(path: Path, card: Card, history: Sequence[Release], folder: str, forgotten_count: int = 0) -> None:
    """Write the card to `path`; a reader sees the whole of it or the one before."""
    write_whole(path, render_page(card, history, folder, forgotten_count))


def render_page(card: Card, history: Sequence[Release], folder: str, forgotten_count: int = 0) -> str:
    """Return the card as a page. Everything that people, models and logs wrote is escaped, controls and all.

    Args:
        card: what there is to say.
        history: the releases up to this one, oldest first.
        folder: where its files are, for a reader.
        forgotten_count: rows that tell of somebody who was forgotten since.

    """
    environment = page_templates(_HERE, _HERE.parent / "demo")
    return environment.get_template("card.html.j2").render(
        card=card,
        folder=folder,
        tiles=_tiles(card),
        parts=[*_contents(card), _changes(card, history), _drift(card), _diligence(card), _costs(card)],
        limits=known_limits(card, forgotten_count),
        loadings=ways_to_load(card.manifest["files"]),
    )


def _tiles(card: Card) -> list[Tile]:
    spent = sum(cost["cost_usd"] for cost in card.costs)
    rows = sum(cost["rows"] for cost in card.costs)
    tiles = [
        Tile(f"{card.rows['train']:,}", "corrections to train on"),
        Tile(f"{card.rows['heldout']:,}", "held-out failures to measure with"),
        Tile(percent(card.profile["human_share"]), "of training rows written by people"),
        Tile(f"{len(card.checks) - len(card.broken):,} of {len(card.checks):,}", "promises kept"),
    ]
    return [*tiles, Tile(dollars(spent / rows), "spent per row")] if rows else tiles


def _contents(card: Card) -> list[Part]:
    deepest = card.profile["max_depth"]
    return [
        Part("what", "What it is", "", tables=(tables.identity_table(identity_of(card.manifest)),)),
        Part(
            "origin",
            "Where it comes from",
            f"Models between a training row and a person: at most {deepest}.",
            figures.origins_figure(card),
            folded=(tables.origins_table(card),),
        ),
        Part(
            "contents",
            "What is in it",
            "Rows by failure mode. They come from traffic that failed, so their mix is not the traffic's.",
            figures.modes_figure(card),
            (tables.lengths_table(card),),
            (tables.modes_table(card),),
        ),
    ]


def _changes(card: Card, history: Sequence[Release]) -> Part:
    changes = card.changes
    told = "It has no parent: every row is new."
    if changes:
        told = (
            f"Since version {card.manifest['parent']}: {changes.added:,} rows came, {changes.removed:,} are gone, "
            f"{changes.moved:,} are on another side, {changes.same:,} are as before."
        )
    return Part("changes", "What changed", told, figures.versions_figure(history))


def _drift(card: Card) -> Part:
    told = f"The new rows against: {card.profile.get('reference') or 'nothing'}."
    return Part("drift", "Drift", told, figures.drift_figure(card), (tables.drift_table(card),))


def _diligence(card: Card) -> Part:
    kept = len(card.checks) - len(card.broken)
    told = f"{kept:,} of {len(card.checks):,} promises kept; a broken critical one would have refused the release."
    broken = (tables.checks_table("Broken, warnings only", card.broken),) if card.broken else ()
    every = tables.checks_table(f"All {len(card.checks):,} promises", card.checks)
    return Part("diligence", "Due diligence", told, None, broken, (every,))


def _costs(card: Card) -> Part:
    told = "Answers up to the day of the release, those that were not accepted and audits included."
    if not card.costs:
        told = "The release does not record it."
    return Part("costs", "What it cost", told, figures.costs_figure(card), (tables.costs_table(card),))
