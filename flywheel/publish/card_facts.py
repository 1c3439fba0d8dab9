"""What a release's card says, as values: gathered when it is published, and again from its objects."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

from flywheel.core.records import Split
from flywheel.core.releases import Release, find_release, read_file
from flywheel.core.storage import Store
from flywheel.publish.gathered import parent_rows
from flywheel.publish.release_rows import read_rows

NONE = "none"  # what rows are counted under that have no mode, route ...
# measures of the release's profile that compare its new rows with what was there before
DRIFT = {
    "label_drift": "Jensen-Shannon distance of the new rows' labels from the reference's, 0 to 1",
    "length_drift": "Wasserstein distance of answer lengths, in the reference's standard deviations",
    "top_label_share": "share of the commonest answer among the new rows",
}
_COUNTED_BY = {"author": "author_kind", "route": "route", "task": "task", "written by": "author_id", "depth": "depth"}
_TEXTS = {"question": "query", "error": "rejected", "correction": "chosen"}
_AT_MOST = re.compile(r"(?:at most|below) (-?[0-9.]+(?:e-?[0-9]+)?)$")  # how promise_queries words an upper bound
_COLUMNS = ("correction_id", "split", "mode_name", *_COUNTED_BY.values(), *_TEXTS.values())


@dataclass(frozen=True, slots=True)
class Mode:
    """A failure mode in a release: rows on each side, and how many of them its parent does not have."""

    name: str
    train: int
    heldout: int
    retired: int
    added: int


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long a text is over the rows of a release, in characters: 10 %, half and 90 % are at most that long."""

    text: str
    rows: int
    low: int
    middle: int
    high: int
    most: int


@dataclass(frozen=True, slots=True)
class Changes:
    """How a release differs from its parent, by id."""

    added: int
    removed: int
    moved: int  # on another side now
    same: int


@dataclass(frozen=True, slots=True)
class Drift:
    """A distribution of the new rows against the reference; value is None where it was not measured."""

    measure: str
    meaning: str
    value: float | None
    bound: float | None
    severity: str
    is_kept: bool


@dataclass(frozen=True, slots=True)
class Card:
    """What there is to say about a release; names in it come from people and logs, so whoever shows it escapes."""

    manifest: Mapping[str, Any]
    profile: Mapping[str, Any]
    checks: tuple[Mapping[str, Any], ...]
    counts: Mapping[str, tuple[tuple[str, int], ...]]  # rows of all sides by author, route, app ...; most first
    modes: tuple[Mode, ...]  # most training rows first
    lengths: tuple[Lengths, ...]
    changes: Changes | None  # None for a release without a parent

    @property
    def rows(self) -> Mapping[str, int]:
        """Rows by side, and preferences."""
        return dict(self.manifest["rows"])

    @property
    def costs(self) -> Sequence[Mapping[str, Any]]:
        """Answers by route and kind of author, what they cost and the rows they became; none if not recorded."""
        return tuple(self.manifest.get("costs", ()))

    @property
    def broken(self) -> tuple[Mapping[str, Any], ...]:
        """The checks that did not hold: a release has broken warnings only."""
        return tuple(check for check in self.checks if not check["is_success"])

    @property
    def drift(self) -> tuple[Drift, ...]:
        """What the gate measured of the new rows' distributions, with its threshold and verdict."""
        return tuple(found for check in self.checks if (found := _drift(check, self.profile)) is not None)


def card_of(manifest: Mapping[str, Any], gate: bytes, rows: pl.DataFrame, parent: pl.DataFrame) -> Card:
    """Return the card of a release.

    Args:
        manifest: what it says of itself; of its files only the names matter.
        gate: its gate.json.
        rows: all its corrections with their `split`; columns that it lacks count as unknown.
        parent: (correction_id, split) of the release before it; no rows where there is none.

    """
    judged = orjson.loads(gate)
    rows = _filled(rows).join(parent.select("correction_id", split_before="split"), on="correction_id", how="left")
    counts = {name: _counted(rows, column) for name, column in _COUNTED_BY.items()}
    if "rows_by_app" in manifest:
        apps = manifest["rows_by_app"]
        counts["app"] = tuple(sorted(apps.items(), key=lambda app: (-app[1], app[0])))
    return Card(
        manifest=manifest,
        profile=judged["profile"],
        checks=tuple(judged["results"]),
        counts=counts,
        modes=_modes(rows),
        lengths=tuple(_lengths(rows, text, column) for text, column in _TEXTS.items()),
        changes=_changes(rows, parent) if manifest["parent"] else None,
    )


def read_card(store: Store, release: Release) -> Card:
    """Return the card of a published release, read from its objects and its parent's.

    Raises:
        CorruptObject: a file of one of them is not what was published.
        UnknownVersion: its parent is not there.

    """
    number = release.manifest["parent"]
    parent = find_release(store, release.dataset, str(number)) if number else None
    rows, gate = read_rows(store, release), read_file(store, release, "gate.json")
    return card_of(release.manifest, gate, rows, parent_rows(store, parent))


def upper_bound(promised: str) -> float | None:
    """Return the number that a promise in words puts above a value, if it does."""
    found = _AT_MOST.search(promised)
    return float(found[1]) if found else None


def _filled(rows: pl.DataFrame) -> pl.DataFrame:
    missing = [pl.lit(None, pl.String).alias(name) for name in _COLUMNS if name not in rows.columns]
    return rows.with_columns(missing).select(_COLUMNS).with_columns(pl.col("mode_name").fill_null(NONE))


def _counted(rows: pl.DataFrame, column: str) -> tuple[tuple[str, int], ...]:
    named = rows.group_by(pl.col(column).cast(pl.String).fill_null(NONE).alias("name")).len("count")
    return tuple(named.sort("count", "name", descending=[True, False]).iter_rows())


def _modes(rows: pl.DataFrame) -> tuple[Mode, ...]:
    sides = ((pl.col("split") == side).sum().alias(side) for side in Split)
    counted = rows.group_by("mode_name").agg(*sides, pl.col("split_before").is_null().sum().alias("added"))
    ordered = counted.sort("train", "heldout", "mode_name", descending=[True, True, False])
    return tuple(Mode(*row) for row in ordered.select("mode_name", *Split, "added").iter_rows())


def _lengths(rows: pl.DataFrame, text: str, column: str) -> Lengths:
    found = rows[column].cast(pl.String).drop_nulls().str.len_chars()
    at = [int(found.quantile(share, "nearest") or 0) for share in (0.1, 0.5, 0.9, 1.0)]
    return Lengths(text, len(found), *at)


def _changes(rows: pl.DataFrame, parent: pl.DataFrame) -> Changes:
    held = rows.filter(pl.col("split_before").is_not_null())
    moved = held.filter(pl.col("split") != pl.col("split_before")).height
    return Changes(rows.height - held.height, parent.height - held.height, moved, held.height - moved)


def _drift(check: Mapping[str, Any], profile: Mapping[str, Any]) -> Drift | None:
    bound = upper_bound(check["bound"])
    if check["suite"] != "release_profiles" or check["subject"] not in DRIFT or bound is None:
        return None
    measure = check["subject"]
    value = profile.get(measure)
    return Drift(measure, DRIFT[measure], value, bound, check["severity"], check["is_success"])
