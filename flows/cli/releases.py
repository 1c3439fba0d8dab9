"""Commands about releases: list, show, tag, roll back and print; what compares and proves them is beside this."""

import re
from datetime import UTC, datetime
from typing import Any

import click

from flows.cli import show
from flows.cli.attachments import describe as describe_with
from flows.cli.attachments import described_releases
from flows.cli.commands import Group
from flows.cli.export import export
from flows.cli.opened import json_option, open_store, read_settings
from flows.cli.release_checks import card, dataset_option, diff, reproduce, verify
from flows.cli.release_trust import pin, sign
from flywheel.core.errors import UsageError
from flywheel.core.marks import forgotten_rows
from flywheel.core.releases import Release, find_release
from flywheel.core.storage import Store
from flywheel.core.tags import LATEST, move_tag, roll_back, tags

_TAG = re.compile(r"[a-z][a-z0-9._-]{0,63}")
_COLUMNS = ("dataset", "version", "rows", "tags", "created_at", "content_hash", "forgotten_rows")


def describe(release: Release, store: Store) -> dict[str, Any]:
    """Return what lists say about a release, with the tags that point at it now."""
    return describe_with(release, tags(store, release.dataset), forgotten_rows(store, release.dataset))


@click.group(cls=Group)
def releases() -> None:
    """List, show, compare, tag and verify releases; VERSION is a number or a tag.

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
@dataset_option
@json_option
def show_one(version: str, dataset: str | None, is_json: bool) -> None:
    """Show what a release's manifest says.

    Example:
      flywheel releases show latest --json
      flywheel releases show 3
    """
    store = open_store()
    release = find_release(store, dataset or read_settings().dataset, version)
    described = describe(release, store)
    beside = {name: described[name] for name in ("tags", "forgotten_rows")}
    facts = {**release.manifest, **beside, "url": store.url(release.folder)}
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
@dataset_option
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


@releases.command("rollback")
@click.option("--tag", "name", default=LATEST, show_default=True, help="The tag to move.")
@click.option("--to", "version", help="The version to point at; default: the one before, of those it pointed at.")
@dataset_option
def rollback(name: str, version: str | None, dataset: str | None) -> None:
    """Let a tag point at an older version; what reads by the tag reads that one from now on.

    The newer version stays. A later publish moves latest forward again, to a version newer than all before.

    Example:
      flywheel releases rollback
      flywheel releases rollback --tag prod-2026-11 --to 2
    """
    store, now = open_store(), datetime.now(UTC)
    dataset = dataset or read_settings().dataset
    if version is None:
        before, after = roll_back(store, dataset, name, now)
    else:
        before, after = find_release(store, dataset, name).version, find_release(store, dataset, version).version
        move_tag(store, dataset, name, after, now)
    click.echo(f"{name} was version {before} and is version {after} of {dataset} now.")


releases.add_command(card)
releases.add_command(diff)
releases.add_command(export)
releases.add_command(pin)
releases.add_command(reproduce)
releases.add_command(sign)
releases.add_command(verify)
