"""Keep the lake sound: fewer files, and an alarm when one is lost or damaged."""

from prefect import flow

from flywheel.core.errors import LakeFaulty
from tasks.keep import find_faults, gather_files


@flow(name="keep", flow_run_name="keep-lake")
def keep_lake(keep_days: int | None = None, is_deep: bool = False) -> int:
    """Hold the lake's files against its catalog, then gather small ones; a fault fails the run before that."""
    faults = find_faults(is_deep)
    if faults:
        raise LakeFaulty(faults)
    return gather_files(keep_days)
