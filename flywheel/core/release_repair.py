"""Finish what publishers began, put back a manifest that its claim still has, clear up what was staged."""

from collections.abc import Iterator
from datetime import datetime

from flywheel.core.checksums import sha256_of_object
from flywheel.core.release_check import Claim, Published, check_releases, published
from flywheel.core.releases import MANIFEST, finish_claimed, manifest_body
from flywheel.core.repair_steps import RepairPolicy, Step, left
from flywheel.core.storage import Store
from flywheel.core.tags import advance_latest


def repair_releases(store: Store, now: datetime, policy: RepairPolicy) -> list[Step]:
    """Repair what can be repaired about releases without losing anything; say what is left.

    Raises:
        StoreBusy: the store is away.

    """
    seen = published(store)
    steps = [
        *_finished(store, seen, now, policy),
        *_restored(store, seen, policy),
        *_cleared(store, seen, now, policy),
    ]
    done = {step.object for step in steps}
    return steps + [
        left(finding) for finding in check_releases(store, is_deep=policy.is_deep) if finding.object not in done
    ]


def _finished(store: Store, seen: Published, now: datetime, policy: RepairPolicy) -> Iterator[Step]:
    """Finish the newest claim of each dataset: an older one was finished by whoever claimed after it."""
    newest = {claim.name.rsplit("/", 1)[0]: claim for claim in sorted(seen.claims.values(), key=lambda one: one.name)}
    for claim in newest.values():
        if seen.is_unfinished(claim):
            if not policy.is_dry_run:
                version = finish_claimed(store, claim.dataset)
                advance_latest(store, claim.dataset, version, now)
            yield policy.finished(claim.name, f"finished {claim.folder}")


def _restored(store: Store, seen: Published, policy: RepairPolicy) -> Iterator[Step]:
    """Write the manifest that is gone of a release whose files all are what their claim says."""
    for claim in seen.claims.values():
        if claim.folder not in seen.folders or seen.is_complete(claim.folder) or seen.is_begun(claim):
            continue
        if _is_whole(store, seen, claim):
            name = f"{claim.folder}/{MANIFEST}"
            if not policy.is_dry_run:
                store.put_new(name, manifest_body(claim.manifest))
            yield policy.finished(name, f"written again as {claim.name} has it; all files hash to what it says")


def _is_whole(store: Store, seen: Published, claim: Claim) -> bool:
    return all(
        f"{claim.folder}/{file}" in seen.files
        and sha256_of_object(store, f"{claim.folder}/{file}") == facts["sha256"]
        for file, facts in claim.manifest["files"].items()
    )


def _cleared(store: Store, seen: Published, now: datetime, policy: RepairPolicy) -> Iterator[Step]:
    """Delete staged files of complete releases, and those that nobody claimed in a day."""
    for name, is_over in seen.leftovers().items():
        written_at = seen.staged[name].written_at
        if is_over or (written_at is not None and now - written_at > policy.strays_older_than):
            if not policy.is_dry_run:
                store.delete(name)
            yield policy.finished(name, "removed: staged, and no claim still needs it")
