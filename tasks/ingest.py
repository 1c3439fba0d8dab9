"""Find and read log files; small ones are read together by one task."""

from collections.abc import Sequence
from datetime import UTC, datetime

from prefect import task

from flywheel.core.connections import open_lake
from flywheel.ingest.feedback import adopt_orphans
from flywheel.ingest.files import IngestReport, ingest_files
from flywheel.ingest.sources import new_logs
from tasks.running import RETRY_DELAY_SECONDS, is_transient, run_id


@task(
    retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient, task_run_name="find-{source}"
)
def find_new_logs(source: str, log_format: str = "") -> list[list[str]]:
    """Return the files of a source that have to be read, in batches.

    Where there are none, feedback that a run which died left waiting finds its call here: reading does it otherwise.
    """
    with open_lake() as lake:
        batches = new_logs(lake, source, log_format)
        if not batches:
            adopt_orphans(lake, run_id())
        return batches


@task(
    retries=3,
    retry_delay_seconds=RETRY_DELAY_SECONDS,
    retry_condition_fn=is_transient,
    task_run_name="read-{sources[0]}",
)
def read_logs(sources: Sequence[str], log_format: str = "") -> list[IngestReport]:
    """Read some log files into the lake; reading them again adds nothing."""
    with open_lake() as lake:
        return ingest_files(lake, sources, log_format, datetime.now(UTC), run_id())
