"""Immutable releases: staged, claimed, copied into place, and last of all the manifest; then the tag.

A release exists when its manifest does. Files are staged under a name nobody else uses; the claim, which is created
once per version, says whose files the version consists of. From then on whoever copies them into place copies the
same bytes: a slow publisher cannot write over another's release, and the next one finishes what a killed one claimed.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson

from flywheel.core.errors import CorruptObject, UnknownVersion, VersionTaken
from flywheel.core.ids import sha256_of
from flywheel.core.names import check_dataset
from flywheel.core.small_objects import read_json
from flywheel.core.storage import Store
from flywheel.core.tags import advance_latest, tags

_NUMBER = re.compile(r"[1-9][0-9]*")
MANIFEST = "manifest.json"


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
        return folder_of(self.dataset, self.version)


def list_releases(store: Store, dataset: str | None = None) -> list[Release]:
    """Return all complete releases, by dataset and version.

    Raises:
        BadSetting: the dataset's name cannot be one.

    """
    prefix = "releases" if dataset is None else f"releases/{check_dataset(dataset)}"
    releases = [_read(store, name) for name in _manifests(store, prefix)]
    return sorted(releases, key=lambda release: (release.dataset, release.version))


def find_release(store: Store, dataset: str, wanted: str) -> Release:
    """Return a release by version number or tag.

    Raises:
        BadSetting: the dataset's name cannot be one.
        UnknownVersion: there is none.

    """
    check_dataset(dataset)
    number = wanted if wanted.isdigit() else str(tags(store, dataset).get(wanted, ""))
    if _NUMBER.fullmatch(number):  # one manifest is read, however many there are
        try:
            return _read(store, f"{folder_of(dataset, int(number))}/{MANIFEST}")
        except FileNotFoundError:
            pass  # said below, with what there is
    raise UnknownVersion(dataset, wanted, [*map(str, _versions(store, dataset)), *tags(store, dataset)])


def newest_release(store: Store, dataset: str, claimed: int = 0) -> Release | None:
    """Return the release with the highest number, or None; no manifest but its own is read.

    A listing may be late: the version known to be claimed is asked for by name where it is not listed.

    Raises:
        BadSetting: the dataset's name cannot be one.

    """
    versions = _versions(store, check_dataset(dataset))
    listed = versions[-1] if versions else 0
    found = _read_version(store, dataset, claimed) if claimed > listed else None
    return found or (_read_version(store, dataset, listed) if listed else None)


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
        facts: what else the manifest says; must hold `content_hash`, and `parent` and `version` where the
            content builds on one or names it.
        now: when.

    Raises:
        BadSetting: the dataset's name cannot be one.
        VersionTaken: another publisher claimed this version for other content, or it is not the next any more.

    """
    claimed = finish_claimed(store, dataset)
    existing = newest_release(store, dataset, claimed)
    newest = existing.version if existing else 0
    # only the newest counts: going back to older content, e.g. after a withdrawal, is a version of its own
    if existing and existing.content_hash == facts["content_hash"]:
        advance_latest(store, dataset, newest, now)
        return existing
    parent, version = newest or None, max(newest, claimed) + 1
    if facts.get("parent", parent) != parent or facts.get("version", version) != version:
        raise VersionTaken(dataset, newest)
    manifest = {
        **facts,
        "dataset": dataset,
        "version": version,
        "parent": parent,
        "created_at": now.isoformat(),
        "files": {name: {"bytes": len(data), "sha256": sha256_of(data)} for name, data in sorted(files.items())},
    }
    release = _claim(store, files, manifest)
    advance_latest(store, dataset, release.version, now)
    return release


def finish_claimed(store: Store, dataset: str) -> int:
    """Complete the version that a killed publisher claimed last; return the newest version claimed, or 0."""
    claims = store.names(f"claims/{check_dataset(dataset)}")
    if not claims:
        return 0
    claim = read_json(store, claims[-1], "manifest", "staged")
    version = int(claim["manifest"]["version"])
    is_left = not set(claim["staged"].values()).isdisjoint(store.names(f"staged/{dataset}"))
    if is_left or _read_version(store, dataset, version) is None:  # a listing may be late, a read is not
        with suppress(FileNotFoundError):  # its manifest got lost when it was complete: `lake repair` finds that
            _finish(store, claim)
    return version


def manifest_body(manifest: Mapping[str, Any]) -> bytes:
    """Return a manifest as the bytes that are published."""
    return orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def folder_of(dataset: str, version: int) -> str:
    """Return where the files of a release are in the store."""
    return f"releases/{dataset}/{version}"


def _manifests(store: Store, prefix: str) -> list[str]:
    return [name for name in store.names(prefix) if name.endswith(f"/{MANIFEST}") and name.count("/") == 3]


def _versions(store: Store, dataset: str) -> list[int]:
    folders = (name.split("/")[2] for name in _manifests(store, f"releases/{dataset}"))
    return sorted(int(folder) for folder in folders if _NUMBER.fullmatch(folder))


def _read(store: Store, name: str) -> Release:
    manifest = read_json(store, name, "dataset", "version", "content_hash", "created_at", "files")
    return Release(
        manifest["dataset"], manifest["version"], manifest["content_hash"], manifest["created_at"], manifest
    )


def _read_version(store: Store, dataset: str, version: int) -> Release | None:
    try:
        return _read(store, f"{folder_of(dataset, version)}/{MANIFEST}")
    except FileNotFoundError:
        return None


def _claim(store: Store, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Release:
    """Stage the files, claim the version for them and finish it."""
    dataset, version = manifest["dataset"], manifest["version"]
    staged = {name: f"staged/{dataset}/{uuid4().hex}" for name in files}
    try:
        for name, data in files.items():
            store.put(staged[name], data)
    except OSError:  # a full disk should not stay full of what was not published
        _delete(store, staged)
        raise
    ours = orjson.dumps({"manifest": manifest, "staged": staged})
    place = f"claims/{dataset}/{version:08d}.json"
    # where the answer to our own claim got lost, the one that is there is ours
    claim = orjson.loads(ours) if store.put_new(place, ours) else read_json(store, place, "manifest", "staged")
    if claim["manifest"]["content_hash"] != manifest["content_hash"]:
        _delete(store, staged)
        raise VersionTaken(dataset, version)
    if claim["staged"] != staged:
        _delete(store, staged)
    return _finish(store, claim)


def _finish(store: Store, claim: Mapping[str, Any]) -> Release:
    """Copy what was claimed into place, then say that it is complete; several may do so at the same time."""
    folder = folder_of(claim["manifest"]["dataset"], claim["manifest"]["version"])
    body = manifest_body(claim["manifest"])
    try:
        for name, staged in claim["staged"].items():
            store.put(f"{folder}/{name}", store.read(staged))
        store.put_new(f"{folder}/{MANIFEST}", body)
    except FileNotFoundError:  # another one finished and cleared up, or `_read` raises it again
        pass
    release = _read(store, f"{folder}/{MANIFEST}")
    _delete(store, claim["staged"])
    return release


def _delete(store: Store, staged: Mapping[str, str]) -> None:
    for name in staged.values():
        store.delete(name)
