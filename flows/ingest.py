"""Read new logs into the lake."""

from prefect import flow

from flywheel.core.settings import load_settings
from flywheel.ingest.files import IngestReport
from tasks.ingest import find_new_logs, read_logs


@flow(name="ingest", flow_run_name="ingest-{source}", log_prints=False)
def ingest_logs(source: str = "", log_format: str = "") -> list[IngestReport]:
    """Read what is new in a file, folder, glob or s3:// prefix of logs; by default in the folder of settings."""
    batches = find_new_logs(source or load_settings().logs, log_format)
    return [report for batch in batches for report in read_logs(batch, log_format)]
