"""Publish a release, or refuse it."""

from datetime import UTC, date, datetime

from prefect import task

from flywheel.core.connections import open_lake
from flywheel.core.releases import Release
from flywheel.core.settings import load_settings
from flywheel.core.storage import open_store
from flywheel.publish.day import Refusal, publish_day
from tasks.running import RETRY_DELAY_SECONDS, is_transient


@task(retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient, task_run_name="gate-{day}")
def gate_and_release(day: date) -> Release | Refusal:
    """Hold the candidate against its promises; return the release, or the refusal with what it broke."""
    settings = load_settings()
    with open_lake() as lake:
        return publish_day(lake, open_store(settings), settings, day, datetime.now(UTC))
