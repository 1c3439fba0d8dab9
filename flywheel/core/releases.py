"""Immutable releases: files first, the manifest last and only if the version is free, then the tag.

A release exists when its manifest does. Whatever a killed publisher left behind has no manifest, so no reader sees
it and the next publisher writes over it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from flywheel.core.errors import CorruptObject, UnknownVersion, VersionTaken
from flywheel.core.ids import sha256_of
from flywheel.core.storage import Store

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Release:
    """One published version, as its manifest tells it."""

    dataset: str
    version: int
    content_hash: str
    created_at: str
    manifest: Mapping[str, Any]

    @property
    def folder(self) -> str:
        """Where its files are in the store."""
        return f"releases/{self.dataset}/{self.version}"


def list_releases(store: Store, dataset: str | None = None) -> list[Release]:
    """Return all complete releases, by dataset and version."""
    names = store.names(f"releases/{dataset}" if dataset else "releases")
    manifests = [name for name in names if name.endswith("/manifest.json") and name.count("/") == 3]
    releases = [_read(store, name) for name in manifests]
    return sorted(releases, key=lambda release: (release.dataset, release.version))


def _read(store: Store, name: str) -> Release:
    manifest = orjson.loads(store.read(name))
    return Release(
        manifest["dataset"], manifest["version"], manifest["content_hash"], manifest["created_at"], manifest
    )


def find_release(store: Store, dataset: str, wanted: str) -> Release:
    """Return a release by version number or tag.

    Raises:
        UnknownVersion: there is none.

    """
    releases = {str(release.version): release for release in list_releases(store, dataset)}
    version = wanted if wanted.isdigit() else str(tags(store, dataset).get(wanted, wanted))
    if version not in releases:
        raise UnknownVersion(dataset, wanted, [*releases, *tags(store, dataset)])
    return releases[version]


def read_file(store: Store, release: Release, name: str) -> bytes:
    """Return a file of a release, checked against its manifest.

    Raises:
        CorruptObject: the bytes are not those that were published.

    """
    data = store.read(f"{release.folder}/{name}")
    expected = release.manifest["files"][name]["sha256"]
    if sha256_of(data) != expected:
        raise CorruptObject(f"{release.folder}/{name}", sha256_of(data), expected)
    return data


def publish_files(
    store: Store, dataset: str, files: Mapping[str, bytes], facts: Mapping[str, Any], now: datetime
) -> Release:
    """Write a release as the next version and return it; the same content again returns the version it has.

    Args:
        store: where releases live.
        dataset: name of the dataset.
        files: file name to bytes; the manifest is made here.
        facts: what else the manifest says; must hold `content_hash`.
        now: when.

    Raises:
        VersionTaken: another publisher finished this version first.

    """
    existing = list_releases(store, dataset)
    for release in existing:
        if release.content_hash == facts["content_hash"]:
            move_tag(store, dataset, LATEST, existing[-1].version, now)
            return release
    version = existing[-1].version + 1 if existing else 1
    folder = f"releases/{dataset}/{version}"
    for name, data in files.items():
        store.put(f"{folder}/{name}", data)
    manifest = {
        **facts,
        "dataset": dataset,
        "version": version,
        "parent": existing[-1].version if existing else None,
        "created_at": now.isoformat(),
        "files": {name: {"bytes": len(data), "sha256": sha256_of(data)} for name, data in sorted(files.items())},
    }
    body = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    if not store.put_new(f"{folder}/manifest.json", body) and store.read(f"{folder}/manifest.json") != body:
        raise VersionTaken(dataset, version)
    move_tag(store, dataset, LATEST, version, now)
    return _read(store, f"{folder}/manifest.json")


def tags(store: Store, dataset: str) -> dict[str, int]:
    """Return where each tag points: at the newest entry of its log."""
    pointed: dict[str, int] = {}
    for name in store.names(f"tags/{dataset}"):
        entry = orjson.loads(store.read(name))
        pointed[entry["tag"]] = entry["version"]
    return pointed


def move_tag(store: Store, dataset: str, tag: str, version: int, now: datetime) -> None:
    """Append to a tag's log; a tag that points there already stays as it is."""
    if tags(store, dataset).get(tag) == version:
        return
    entry = orjson.dumps({"tag": tag, "version": version, "moved_at": now.isoformat()})
    place = len(store.names(f"tags/{dataset}/{tag}"))
    while not store.put_new(f"tags/{dataset}/{tag}/{place:08d}.json", entry):
        place += 1
