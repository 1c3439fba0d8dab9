"""Build tables from their SQL files."""

from datetime import date

from prefect import task

from flywheel.core.connections import open_lake
from tasks.running import RETRY_DELAY_SECONDS, is_transient, run_id


@task(
    retries=3,
    retry_delay_seconds=RETRY_DELAY_SECONDS,
    retry_condition_fn=is_transient,
    task_run_name="build-{table}-{day}",
)
def build_table(table: str, day: date, **parameters: float) -> int:
    """Build one day of one table; return its rows."""
    with open_lake() as lake:
        return lake.build(table, day, run_id(), **parameters)
