"""Measure drift."""

from datetime import date

from prefect import task

from flywheel.core.connections import open_lake
from flywheel.watch.day import WatchPolicy, watch_day
from tasks.running import RETRY_DELAY_SECONDS, is_transient, run_id


@task(
    retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient, task_run_name="drift-{day}"
)
def measure_drift(day: date) -> list[str]:
    """Compare the day with the days before; return the columns that drifted."""
    with open_lake() as lake:
        return watch_day(lake, day, WatchPolicy(), run_id())
