"""Read new logs into the lake."""

from prefect import flow

from flywheel.core.settings import load_settings
from flywheel.ingest.files import IngestReport
from flywheel.ingest.sources import find_logs
from tasks.ingest import read_log


@flow(name="ingest", flow_run_name="ingest-{source}", log_prints=False)
def ingest_logs(source: str = "", log_format: str = "") -> list[IngestReport]:
    """Read a file, a folder or an s3:// prefix of logs; without one, the folder that settings name."""
    return [read_log(log, log_format) for log in find_logs(source or load_settings().logs)]
