"""Where a lake may be moved to: an empty place, or one where its move began and nobody has written since.

A move leaves two objects under moves/ in its target: one when it begins, by which the next try knows its own, and one
when everything has been compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from flywheel.core.errors import UsageError
from flywheel.core.move_catalog import Identity, committed_at, is_same_catalog, read_identity
from flywheel.core.move_objects import objects_of
from flywheel.core.settings import Settings, without_password
from flywheel.core.storage import Store

_FOLDER = "moves"
_STARTED, _DONE = "started.json", "done.json"


@dataclass(frozen=True, slots=True)
class Place:
    """A lake's place: the settings that name it, and its objects."""

    settings: Settings
    store: Store

    @property
    def words(self) -> str:
        """Say where objects and catalog are, without a password."""
        settings = self.settings
        catalog = without_password(settings.catalog) or str(settings.catalog_file)
        return f"{settings.lake_root} with its catalog in {catalog}"


def check_places(source: Settings, target: Settings) -> None:
    """Look whether a lake can be moved between two places at all, before anything is opened.

    Raises:
        UsageError: they are the same, or one lies in the other.

    """
    if source.lake_root == target.lake_root and is_same_catalog(source, target):
        raise UsageError(
            f"The lake is at {source.lake_root!r} already. Name another place with --to, or another catalog with "
            "--catalog."
        )
    one, other = f"{source.lake_root}/", f"{target.lake_root}/"
    if one != other and (one.startswith(other) or other.startswith(one)):
        raise UsageError(
            f"One of {source.lake_root!r} and {target.lake_root!r} lies in the other: its objects would be taken for "
            "the other's. Name a place beside it."
        )


def check_target(source: Place, target: Place, moving: Identity) -> bool:
    """Return whether an earlier move of this lake to this place began; False is an empty place.

    Raises:
        UsageError: something else is there, or the lake that was moved there has been written since.

    """
    left = read_notes(target.store, moving.lake_id)
    held = None if is_same_catalog(source.settings, target.settings) else read_identity(target.settings)
    place = target.words
    if held is not None and (held.lake_id != moving.lake_id or not left):
        raise UsageError(f"There is a lake at {place}. Move to an empty place, or remove that one first.")
    if held is not None and committed_at(source.settings, held.version) != held.committed_at:
        raise UsageError(
            f"The lake at {place} has gone on to version {held.version} since it was moved there, and this one is at "
            f"{moving.version}: moving again would undo that. Change the settings to it, or remove it."
        )
    if not left and source.settings.lake_root != target.settings.lake_root and objects_of(target.store):
        raise UsageError(f"{target.settings.lake_root!r} is not empty. Move to an empty folder, bucket or prefix.")
    return bool(left)


def note_start(source: Place, target: Place, moving: Identity, now: datetime) -> None:
    """Say in the target whose objects are on their way."""
    body = {"lake_id": moving.lake_id, "from": source.words, "started_at": now.isoformat()}
    target.store.put(f"{_FOLDER}/{moving.lake_id}/{_STARTED}", orjson.dumps(body))


def note_end(target: Store, lake_id: str, facts: Mapping[str, Any]) -> None:
    """Say in the target that all of it is there and was compared."""
    target.put(f"{_FOLDER}/{lake_id}/{_DONE}", orjson.dumps(facts, option=orjson.OPT_INDENT_2))


def forget_end(target: Store, lake_id: str) -> None:
    """Take back that all of it is there, for the source has gone on."""
    if f"{_FOLDER}/{lake_id}/{_DONE}" in read_notes(target, lake_id):
        target.delete(f"{_FOLDER}/{lake_id}/{_DONE}")


def read_notes(target: Store, lake_id: str) -> list[str]:
    """Return the names of what moves of a lake left in a target."""
    return target.names(f"{_FOLDER}/{lake_id}")
