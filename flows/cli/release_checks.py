"""Commands that read whole releases: the card of one, what changed between two, and whether one is what it claims."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import json_option, open_lake, open_store, read_settings
from flywheel.core.errors import BrokenRelease, CorruptObject
from flywheel.core.marks import forgotten_rows
from flywheel.core.releases import find_release, list_releases, read_file
from flywheel.core.tags import LATEST

if TYPE_CHECKING:
    from flywheel.publish.compare import Difference
    from flywheel.publish.verify import FileCheck, Proof

dataset_option = click.option("--dataset", help="The dataset; default: the one that settings name.")

_DIFF_COLUMNS = ("change", "correction_id", "why", "detail", "split_before", "split_after", "query", "chosen")


@click.command(cls=Command)
@click.argument("version", default=LATEST)
@dataset_option
@click.option(
    "--report", type=click.Path(dir_okay=False), metavar="FILE", help="Write it as a page with plots instead."
)
def card(version: str, dataset: str | None, report: str | None) -> None:
    """Print the card of a release, in Markdown: what is in it, where it came from, its limits, how to load it.

    What is printed was published with the release. The page is made now, and also knows what was forgotten since.

    Example:
      flywheel releases card
      flywheel releases card 2 > card.md
      flywheel releases card latest --report card.html
    """
    store = open_store()
    release = find_release(store, dataset or read_settings().dataset, version)
    if not report:
        click.echo(show.harmless(read_file(store, release, "card.md").decode()), nl=False)
        return
    from flows.release_card.page import write_page
    from flywheel.publish.card_facts import read_card

    with show.working(f"reading version {release.version} of {release.dataset}"):
        history = [one for one in list_releases(store, release.dataset) if one.version <= release.version]
        forgotten = forgotten_rows(store, release.dataset).get(release.version, 0)
        write_page(Path(report), read_card(store, release), history, store.url(release.folder), forgotten)
    click.echo(f"Wrote {report}.", err=True)


@click.command(cls=Command)
@click.argument("before")
@click.argument("after")
@dataset_option
@json_option
@click.option("--report", type=click.Path(dir_okay=False), metavar="FILE", help="Write it as a page, too.")
def diff(before: str, after: str, dataset: str | None, is_json: bool, report: str | None) -> None:
    """Show which rows of release AFTER are new, gone or different since release BEFORE, and why.

    Example:
      flywheel releases diff 1 2
      flywheel releases diff 2 latest --json
      flywheel releases diff 1 2 --report diff.html
    """
    from flywheel.publish.compare import compare

    store, dataset = open_store(), dataset or read_settings().dataset
    first, second = find_release(store, dataset, before), find_release(store, dataset, after)
    with show.working(f"reading versions {first.version} and {second.version} of {dataset}"), open_lake() as lake:
        found = compare(lake, store, first, second)
    if report:
        from flows.release_diff.page import write_page

        write_page(Path(report), found)
        click.echo(f"Wrote {report}.", err=True)
    if is_json:
        show.print_json(_as_json(found))
    else:
        _print_diff(found)


def _as_json(found: "Difference") -> dict[str, Any]:
    return {
        "dataset": found.dataset,
        "before": found.before,
        "after": found.after,
        "counts": found.counts,
        "reasons": found.reasons,
        "new_columns": found.new_columns,
        "lost_columns": found.lost_columns,
        "rows": found.rows.to_dicts(),
    }


def _print_diff(found: "Difference") -> None:
    counts = found.counts
    click.echo(f"{found.dataset}, version {found.before} to {found.after}: {show.readable(counts)}.")
    for kind, columns in (("new", found.new_columns), ("gone", found.lost_columns)):
        if columns:
            click.echo(f"Columns that are {kind}: {', '.join(columns)}.")
    if not found.rows.is_empty():
        click.echo()
        show.print_table(found.reasons, ("change", "why", "rows"), empty="")
        click.echo()
        shown = [row | {"correction_id": row["correction_id"][:12]} for row in found.rows.to_dicts()]
        show.print_table(shown, _DIFF_COLUMNS, empty="")


@click.command(cls=Command)
@click.argument("version", required=False)
@dataset_option
@click.option(
    "--pin", type=click.Path(dir_okay=False), metavar="FILE", help="Take the release that was pinned there."
)
@json_option
def verify(version: str | None, dataset: str | None, pin: str | None, is_json: bool) -> None:
    """Prove a release from its objects alone; exit code 1 when something is not as it should be.

    Every file has the hash that the manifest recorded; the content hash is that of the rows; counts, preferences and
    exports fit the rows; the gate judged this content and was kept; nothing held out, in this or an earlier version,
    has itself or a near-duplicate in what is trained on. With `trusted_keys` set, one of them must have signed it.

    Example:
      flywheel releases verify latest
      flywheel releases verify --pin dataset.pin.json
    """
    from flywheel.publish.trust import proofs_of_origin, read_pin
    from flywheel.publish.verify import check_files, prove

    if (version is None) == (pin is None):
        raise click.UsageError("Name one of VERSION and --pin FILE.")
    store, settings = open_store(), read_settings()
    pinned = read_pin(Path(pin)) if pin else None
    name = pinned.dataset if pinned else dataset or settings.dataset
    release = find_release(store, name, str(pinned.version) if pinned else str(version))
    with show.working(f"reading the files of version {release.version}") as tell:
        files = check_files(store, release)
        broken_file = next((file for file in files if not file.is_intact), None)
        tell("comparing rows, splits and earlier versions")
        proofs = [] if broken_file else prove(store, release)
        proofs += proofs_of_origin(store, release, pinned, settings.trusted_keys)
    _print_verified(release.dataset, release.version, files, proofs, is_json=is_json)
    if broken_file:
        raise CorruptObject(f"{release.folder}/{broken_file.file}", broken_file.found, broken_file.sha256)
    for proof in proofs:
        if not proof.is_kept:
            raise BrokenRelease(release.dataset, release.version, proof.check, proof.found)


def _print_verified(
    dataset: str, version: int, files: "list[FileCheck]", proofs: "list[Proof]", *, is_json: bool
) -> None:
    rows = [asdict(file) | {"is_intact": file.is_intact} for file in files]
    kept = [asdict(proof) for proof in proofs]
    if is_json:
        show.print_json({"dataset": dataset, "version": version, "files": rows, "checks": kept})
        return
    show.print_table(rows, ("file", "bytes", "is_intact", "found"), empty="It has no files.")
    click.echo()
    show.print_table(kept, ("check", "is_kept", "found"), empty="Not checked further: a file is not what it was.")


@click.command(cls=Command)
@click.argument("version")
@dataset_option
def reproduce(version: str, dataset: str | None) -> None:
    """Gather a release once more from the version of the lake it was made of; exit code 1 when its content differs.

    It needs that version of the lake: `flywheel forget` lets go of it, compaction never does.

    Example:
      flywheel releases reproduce 3
    """
    from flywheel.core.moments import AtVersion
    from flywheel.publish.gathered import reproduce as reproduce_it

    store = open_store()
    release = find_release(store, dataset or read_settings().dataset, version)
    made_of = AtVersion(f"release:{release.version}", release.manifest["lake_version"])
    with show.working(f"gathering version {release.version} again"), open_lake(made_of) as then:
        found = reproduce_it(store, then, release)
    if found != release.content_hash:
        raise BrokenRelease(release.dataset, release.version, "what its recorded inputs give", found)
    click.echo(f"Version {release.version} of {release.dataset} is what its recorded inputs give: {found}.")
