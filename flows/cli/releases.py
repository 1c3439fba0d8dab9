"""Commands about releases: list, show, tag and verify."""

import re
from datetime import UTC, datetime
from typing import Any

import click

from flows.cli import show
from flows.cli.attachments import describe as describe_with
from flows.cli.attachments import described_releases
from flows.cli.commands import Group
from flows.cli.opened import json_option, open_store, read_settings
from flywheel.core.errors import CorruptObject, UsageError
from flywheel.core.ids import sha256_of
from flywheel.core.releases import Release, find_release, move_tag, tags
from flywheel.core.storage import Store

_TAG = re.compile(r"[a-z][a-z0-9._-]{0,63}")
_COLUMNS = ("dataset", "version", "rows", "tags", "created_at", "content_hash")
_dataset_option = click.option("--dataset", help="The dataset; default: the one that settings name.")
_GONE = "no such file"


def describe(release: Release, store: Store) -> dict[str, Any]:
    """Return what lists say about a release, with the tags that point at it now."""
    pointed = tags(store, release.dataset)
    return describe_with(release, [tag for tag, version in pointed.items() if version == release.version])


@click.group(cls=Group)
def releases() -> None:
    """List, show, tag and verify releases; VERSION is a number or a tag.

    Example:
      flywheel releases list
      flywheel releases show latest
    """


@releases.command("list")
@json_option
def list_all(is_json: bool) -> None:
    """List all releases of all datasets.

    Example:
      flywheel releases list --json
    """
    rows = described_releases(open_store())
    if is_json:
        show.print_json(rows)
        return
    shown = [row | {"content_hash": row["content_hash"][:12]} for row in rows]
    show.print_table(shown, _COLUMNS, empty="Nothing was published yet: flywheel publish.")


@releases.command("show")
@click.argument("version")
@_dataset_option
@json_option
def show_one(version: str, dataset: str | None, is_json: bool) -> None:
    """Show what a release's manifest says.

    Example:
      flywheel releases show latest --json
      flywheel releases show 3
    """
    store = open_store()
    release = find_release(store, dataset or read_settings().dataset, version)
    facts = {**release.manifest, "tags": describe(release, store)["tags"], "url": store.url(release.folder)}
    if is_json:
        show.print_json(facts)
        return
    rows = [{"fact": name, "value": value} for name, value in facts.items() if name != "files"]
    show.print_table(rows, ("fact", "value"), empty="")
    click.echo()
    show.print_table(_files(release), ("file", "bytes", "sha256"), empty="It has no files.")


def _files(release: Release) -> list[dict[str, Any]]:
    return [{"file": name, **facts} for name, facts in release.manifest["files"].items()]


@releases.command("tag")
@click.argument("version")
@click.argument("name")
@_dataset_option
def tag(version: str, name: str, dataset: str | None) -> None:
    """Let tag NAME point at a release; where it pointed before stays on record.

    Example:
      flywheel releases tag 3 prod-2026-11
    """
    if not _TAG.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a tag: start with a letter, go on with a-z, 0-9, '.', '_' or '-'; e.g. prod-2026-11."
        )
    store = open_store()
    release = find_release(store, dataset or read_settings().dataset, version)
    move_tag(store, release.dataset, name, release.version, datetime.now(UTC))
    click.echo(f"{name} is version {release.version} of {release.dataset}.")


@releases.command("verify")
@click.argument("version")
@_dataset_option
@json_option
def verify(version: str, dataset: str | None, is_json: bool) -> None:
    """Read every file of a release and compare its hash with the manifest; exit code 1 when one differs.

    Example:
      flywheel releases verify latest
    """
    store = open_store()
    release = find_release(store, dataset or read_settings().dataset, version)
    with show.working(f"reading the files of version {release.version}"):
        files = [_verified(store, release, file) for file in _files(release)]
    if is_json:
        show.print_json({"dataset": release.dataset, "version": release.version, "files": files})
    else:
        show.print_table(files, ("file", "bytes", "is_intact", "found"), empty="It has no files.")
    broken = next((file for file in files if not file["is_intact"]), None)
    if broken:
        raise CorruptObject(f"{release.folder}/{broken['file']}", broken["found"], broken["sha256"])


def _verified(store: Store, release: Release, file: dict[str, Any]) -> dict[str, Any]:
    try:
        found = sha256_of(store.read(f"{release.folder}/{file['file']}"))
    except FileNotFoundError:
        found = _GONE
    return {**file, "found": found, "is_intact": found == file["sha256"]}
