"""Hold the objects under releases/ against their manifests, tags against releases, claims against both."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from flywheel.core.checksums import sha256_of_object
from flywheel.core.findings import Finding, Kind
from flywheel.core.releases import MANIFEST, folder_of
from flywheel.core.storage import FileStat, Store

_FOLDER = re.compile(r"(releases/[^/]+/[^/]+)/.+")
_CLAIM = re.compile(r"claims/([^/]+)/(\d+)\.json")
_RESTORE = "Restore the object from a copy, or withdraw the release: move its tags, then delete its folder."


@dataclass(frozen=True, slots=True)
class Claim:
    """A version that a publisher claimed: the manifest it is to have, and where its files were staged."""

    name: str
    manifest: Mapping[str, Any]
    staged: Mapping[str, str]  # file name to object

    @property
    def dataset(self) -> str:
        """Of what it is a version."""
        return str(self.manifest["dataset"])

    @property
    def folder(self) -> str:
        """Where the release is to be."""
        return folder_of(self.dataset, self.manifest["version"])


@dataclass(frozen=True, slots=True)
class Published:
    """The objects that have to do with releases, as one look at the store found them."""

    files: Mapping[str, FileStat]  # below releases/
    staged: Mapping[str, FileStat]
    claims: Mapping[str, Claim]  # by the release's folder
    unread: tuple[str, ...]  # claims that are not what a publisher writes

    @property
    def folders(self) -> list[str]:
        """Return the folders of releases that have a file at least."""
        return sorted({found[1] for name in self.files if (found := _FOLDER.fullmatch(name))})

    def is_complete(self, folder: str) -> bool:
        """Whether the release's manifest is there."""
        return f"{folder}/{MANIFEST}" in self.files

    def is_unfinished(self, claim: Claim) -> bool:
        """Whether its publisher died before the manifest, and left what it takes to finish."""
        return not self.is_complete(claim.folder) and self.staged.keys() >= set(claim.staged.values())

    def is_begun(self, claim: Claim) -> bool:
        """Whether some of what it staged is still there, as before the manifest and while clearing up after it."""
        return not self.staged.keys().isdisjoint(claim.staged.values())

    def lost(self, claim: Claim) -> list[str]:
        """Return the staged files that finishing it would need and that are gone while others are there."""
        if self.is_complete(claim.folder) or not self.is_begun(claim):
            return []
        return sorted(set(claim.staged.values()) - self.staged.keys())

    def leftovers(self) -> dict[str, bool]:
        """Return staged files that no claim still needs, and whether they belong to a complete release."""
        needed: set[str] = set()
        over: set[str] = set()
        for claim in self.claims.values():
            (over if self.is_complete(claim.folder) else needed).update(claim.staged.values())
        return {name: name in over for name in self.staged if name not in needed}


def published(store: Store) -> Published:
    """Look at everything under claims/, releases/ and staged/; claims first, so that what they name is seen."""
    read = {name: _claim(store, name) for name in store.names("claims") if _CLAIM.fullmatch(name)}
    staged = store.stats("staged")
    claims = {claim.folder: claim for claim in read.values() if claim is not None}
    unread = tuple(name for name, claim in read.items() if claim is None)
    return Published(store.stats("releases"), staged, claims, unread)


def check_releases(store: Store, *, is_deep: bool = False) -> list[Finding]:
    """Return what is wrong with releases, tags and publishes that were begun; `is_deep` reads and hashes every file.

    Raises:
        StoreBusy: the store is away.

    """
    seen = published(store)
    found = [
        finding for folder in seen.folders for finding in _release_findings(store, seen, folder, is_deep=is_deep)
    ]
    found += _tag_findings(store, seen)
    found += _claim_findings(seen)
    return found


def _claim(store: Store, name: str) -> Claim | None:
    """Return a claim, or None where the object is not what a publisher writes."""
    try:
        told = orjson.loads(store.read(name))
        claim = Claim(name, dict(told["manifest"]), dict(told["staged"]))
        return claim if claim.folder and claim.manifest["files"] is not None else None
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def _release_findings(store: Store, seen: Published, folder: str, *, is_deep: bool) -> Iterator[Finding]:
    name = f"{folder}/{MANIFEST}"
    if not seen.is_complete(folder):
        claim = seen.claims.get(folder)
        if claim is None or not seen.is_unfinished(claim):
            yield Finding(Kind.MISSING, name, "the release's manifest", "no such object", _manifest_remedy(claim))
        return
    try:
        files = orjson.loads(store.read(name))["files"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        yield Finding(Kind.UNREADABLE, name, "a manifest in JSON with `files`", "something else", _RESTORE)
        return
    for file, facts in files.items():
        yield from _file_findings(store, seen, f"{folder}/{file}", facts, is_deep=is_deep)


def _file_findings(
    store: Store, seen: Published, name: str, facts: Mapping[str, Any], *, is_deep: bool
) -> Iterator[Finding]:
    stat = seen.files.get(name)
    if stat is None:
        yield Finding(Kind.MISSING, name, f"{facts['bytes']} bytes", "no such object", _RESTORE)
    elif stat.size_bytes != facts["bytes"]:
        yield Finding(Kind.SIZE, name, f"{facts['bytes']} bytes", f"{stat.size_bytes} bytes", _RESTORE)
    elif is_deep and (told := sha256_of_object(store, name)) != facts["sha256"]:
        yield Finding(Kind.CORRUPTED, name, f"sha256 {facts['sha256']}", f"sha256 {told}", _RESTORE)


def _tag_findings(store: Store, seen: Published) -> Iterator[Finding]:
    """Yield the tags whose newest entry, the one that counts, means a release that is not there."""
    newest = {name.rsplit("/", 1)[0]: name for name in store.names("tags")}  # names are sorted: the last one stays
    for folder, name in newest.items():
        _, dataset, tag = folder.split("/")
        try:
            version = int(orjson.loads(store.read(name))["version"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            told = (
                f"Delete it, or let the tag point somewhere: flywheel releases tag VERSION {tag} --dataset {dataset}"
            )
            yield Finding(Kind.UNREADABLE, name, "a version in JSON", "something else", told)
            continue
        if not seen.is_complete(folder_of(dataset, version)):
            told = f"Let it point elsewhere: flywheel releases tag VERSION {tag} --dataset {dataset}"
            yield Finding(Kind.TAG, name, "a release that is there", f"version {version}, which is not", told)


def _claim_findings(seen: Published) -> Iterator[Finding]:
    for claim in seen.claims.values():
        if seen.is_unfinished(claim):
            told = (
                "A publisher died, or is at work; `flywheel lake repair` finishes it, and so does the next publish."
            )
            yield Finding(Kind.UNFINISHED, claim.name, f"{claim.folder}/{MANIFEST}", "no such object", told)
        for name in seen.lost(claim):
            told = f"Restore it from a copy; without it delete {claim.name} and what else it staged."
            yield Finding(Kind.MISSING, name, f"a file that {claim.name} claimed", "no such object", told)
    for name in seen.unread:
        told = "Restore it from a copy; where its version has a manifest, deleting it loses nothing."
        yield Finding(Kind.UNREADABLE, name, "a claim in JSON", "something else", told)
    for name, is_over in seen.leftovers().items():
        found = "staged for a release that is complete" if is_over else "staged, and claimed by nobody"
        told = "`flywheel lake repair` removes it" + ("." if is_over else " when it is a day old.")
        yield Finding(Kind.STAGED, name, "no object", found, told)


def _manifest_remedy(claim: Claim | None) -> str:
    if claim is None:
        return "Delete the folder: no publisher claimed it, so it is no release of ours."
    return f"Run `flywheel lake repair`: {claim.name} says what was in it, and its files show whether that is true."
