"""Names that can move: each an append-only log of small objects, whose newest says at which version it points."""

from datetime import datetime
from typing import Any

import orjson

from flywheel.core.errors import UnknownVersion, UsageError
from flywheel.core.names import NAME_IN_WORDS, check_dataset, is_name
from flywheel.core.small_objects import read_json
from flywheel.core.storage import Store

LATEST = "latest"


def tags(store: Store, dataset: str) -> dict[str, int]:
    """Return where each tag points: at the newest entry of its log."""
    newest = {name.rsplit("/", 1)[0]: name for name in store.names(f"tags/{check_dataset(dataset)}")}
    entries = [read_json(store, name, "tag", "version") for name in newest.values()]
    return {entry["tag"]: entry["version"] for entry in entries}


def move_tag(store: Store, dataset: str, tag: str, version: int, now: datetime) -> None:
    """Append to a tag's log; a tag that points there already stays as it is.

    Raises:
        BadSetting: the dataset's name cannot be one.
        UsageError: the tag's name cannot be one.

    """
    if not is_name(tag):
        raise UsageError(f"{tag!r} cannot be a tag: expected {NAME_IN_WORDS}; try prod-2026-11.")
    if tags(store, dataset).get(tag) == version:
        return
    place = len(store.names(f"tags/{dataset}/{tag}"))
    while not _append(store, f"tags/{dataset}/{tag}/{place:08d}.json", version, now):
        place += 1


def advance_latest(store: Store, dataset: str, version: int, now: datetime) -> None:
    """Let `latest` point at a version newer than all it ever pointed at; a rollback is not undone."""
    folder = f"tags/{dataset}/{LATEST}"
    log = [entry["version"] for entry in _entries(store, folder)]
    while version > max(log, default=0):
        place = f"{folder}/{len(log):08d}.json"
        if _append(store, place, version, now):
            return
        log.append(read_json(store, place, "version")["version"])


def roll_back(store: Store, dataset: str, tag: str, now: datetime) -> tuple[int, int]:
    """Let a tag point at the newest version, older than where it points, that it pointed at before; return both.

    Raises:
        BadSetting: the dataset's name cannot be one.
        UnknownVersion: there is no such tag.
        UsageError: it never pointed at an older version.

    """
    pointed = tags(store, dataset)
    if tag not in pointed:
        raise UnknownVersion(dataset, tag, pointed)
    log = [entry["version"] for entry in _entries(store, f"tags/{dataset}/{tag}")]
    version = max((one for one in log if one < pointed[tag]), default=0)
    if not version:
        raise UsageError(
            f"Tag {tag!r} of {dataset!r} never pointed at a version below {pointed[tag]}. Name one: --to VERSION."
        )
    move_tag(store, dataset, tag, version, now)
    return pointed[tag], version


def _entries(store: Store, folder: str) -> list[dict[str, Any]]:
    return [read_json(store, name, "tag", "version") for name in store.names(folder)]


def _append(store: Store, name: str, version: int, now: datetime) -> bool:
    tag = name.split("/")[-2]
    return store.put_new(name, orjson.dumps({"tag": tag, "version": version, "moved_at": now.isoformat()}))
