"""Train, compare and decide."""

from datetime import UTC, date, datetime

from prefect import task

from flywheel.core.connections import open_lake
from flywheel.core.settings import load_settings
from flywheel.core.storage import open_store
from flywheel.improve.day import Improvement, Workshop, improve_day
from flywheel.llm.connect import connected
from flywheel.llm.spend import record_spend
from tasks.running import RETRY_DELAY_SECONDS, is_transient, run_id


@task(
    retries=3, retry_delay_seconds=RETRY_DELAY_SECONDS, retry_condition_fn=is_transient, task_run_name="train-{day}"
)
def train_and_compare(day: date) -> Improvement:
    """Fine-tune on the newest release and decide whether the candidate takes over."""
    settings = load_settings()
    with open_lake() as lake, connected(settings) as provider:
        improvement = improve_day(Workshop(lake, open_store(settings), provider, settings), day, datetime.now(UTC))
        record_spend(lake, provider.ledger, run_id())
        return improvement
