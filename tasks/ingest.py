"""Read log files, one task per file."""

from datetime import UTC, datetime

from prefect import task

from flywheel.core.lake import open_lake
from flywheel.ingest.files import IngestReport, ingest_file
from tasks.running import RETRY_DELAY_SECONDS, is_transient, run_id


@task(
    retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient, task_run_name="read-{source}"
)
def read_log(source: str, log_format: str = "") -> IngestReport:
    """Read one log file into the lake; reading it again adds nothing."""
    with open_lake() as lake:
        return ingest_file(lake, source, now=datetime.now(UTC), log_format=log_format, run_id=run_id())
