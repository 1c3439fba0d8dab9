"""Check the lake's files, and make fewer of them."""

from datetime import UTC, datetime

from prefect import task

from flywheel.core.connections import open_lake
from flywheel.core.lake_check import check_tables
from flywheel.core.lake_compact import compact_lake
from flywheel.core.release_check import check_releases
from flywheel.core.storage import open_store
from tasks.running import RETRY_DELAY_SECONDS, is_transient


@task(retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient)
def find_faults(is_deep: bool) -> list[str]:
    """Compare files with the catalog, and releases with their manifests; return what is lost or wrong."""
    store = open_store()
    with open_lake() as lake:
        found = check_tables(lake, store, datetime.now(UTC), is_deep=is_deep).findings
    found += check_releases(store, is_deep=is_deep)
    return [f"{finding.kind.value} {finding.object}" for finding in found if finding.kind.is_fault]


@task(retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient)
def gather_files(keep_days: int | None) -> int:
    """Make one file of each table's day that is in small pieces; return how many days that were."""
    with open_lake() as lake:
        return compact_lake(lake, open_store(), datetime.now(UTC), keep_days).gathered_days
