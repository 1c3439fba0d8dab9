"""What follows when something in a release was forgotten: a version without it, and models that learned it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flows.cli.opened import fetch, open_lake, open_store, read_settings
from flywheel.core.errors import FlywheelError

if TYPE_CHECKING:  # heavy, and only named here
    from flywheel.ingest.forget_places import ReleaseHit

_TRAINED = """
select model_id, dataset, version, arg_max(status, happened_at) as status
from models
where list_contains($releases, concat(version, ' of ', dataset))
group by model_id, dataset, version order by version desc, model_id
"""


def trained_on(hits: "Iterable[ReleaseHit]") -> list[dict[str, Any]]:
    """Return the models that were trained on these releases, with what became of them."""
    releases = [f"{hit.version} of {hit.dataset}" for hit in hits]
    if not releases:
        return []
    with open_lake() as lake:
        return fetch(lake, _TRAINED, releases=releases)


def publish_successors(hits: "Iterable[ReleaseHit]") -> list[dict[str, Any]]:
    """Publish the next version of each dataset whose newest release has such rows; return what came of each.

    Only the dataset that settings name can be published from here; of others it is said.
    """
    from flywheel.core.releases import list_releases

    store, found = open_store(), []
    for dataset in sorted({hit.dataset for hit in hits}):
        newest = list_releases(store, dataset)[-1].version
        if not any((hit.dataset, hit.version) == (dataset, newest) for hit in hits):
            continue  # what is newest is without them already
        found.append({"dataset": dataset} | _published(dataset))
    return found


def _published(dataset: str) -> dict[str, Any]:
    """Publish what is left of a dataset; what was forgotten is forgotten even where the gate refuses the rest."""
    if dataset != read_settings().dataset:
        return {
            "version": None,
            "reason": f"settings name another dataset; FLYWHEEL_DATASET={dataset} flywheel publish",
        }
    from flows.cli.stages import chosen_day, running

    try:
        day = chosen_day(None)
        with running(f"publishing {dataset} without what was forgotten"):
            from flows.publish import publish_release

            return {"version": publish_release(day).version, "reason": None}
    except FlywheelError as refused:
        return {"version": None, "reason": str(refused)}
