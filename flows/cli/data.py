"""Commands about the public data sets that demos and benchmarks run on."""

import click

from flows.cli import show
from flows.cli.commands import Group
from flows.cli.opened import json_option, read_settings


@click.group(cls=Group)
def data() -> None:
    """List and fetch the public data sets that demos use; nothing is copied into this project.

    Example:
      flywheel data list
      flywheel data fetch banking77
    """


@data.command("list")
@json_option
def list_sets(is_json: bool) -> None:
    """List the public data sets, and where each was found.

    Example:
      flywheel data list --json
    """
    from flywheel.scenario.datasets import SETS, find

    settings = read_settings()
    rows: list[dict[str, str | None]] = []
    for name, public in SETS.items():
        found = find(name, settings.data, settings.cache.expanduser())
        place = str(found.path) if found else None
        rows.append(
            {"name": name, "about": public.about, "licence": public.licence, "source": public.repo, "found": place}
        )
    if is_json:
        show.print_json(rows)
        return
    show.print_table(rows, ("name", "about", "licence", "source", "found"), empty="There are no data sets.")


@data.command("fetch")
@click.argument("name", metavar="SET")
def fetch_set(name: str) -> None:
    """Download a data set from its pinned commit and check its sha256; what is there and right stays.

    Example:
      flywheel data fetch gsm8k
    """
    from flywheel.scenario.datasets import fetch

    with show.working(f"fetching {name}"):
        found = fetch(name, read_settings().cache.expanduser())
    click.echo(f"{name} is in {found.path}")
