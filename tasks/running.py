"""What all tasks share: which errors are worth another try, and which run this is."""

from datetime import UTC, datetime
from typing import Any

from prefect.client.schemas.objects import State, TaskRun
from prefect.runtime import flow_run
from prefect.tasks import Task

from flywheel.core.errors import TransientError

RETRY_DELAY_SECONDS = [5.0, 30.0, 120.0]  # a restart, a deploy, an outage of minutes


async def is_transient(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether the task failed with an error that trying again may cure; decided by the error's type."""
    del task, run
    failure = await state.aresult(raise_on_failure=False)
    return isinstance(failure, TransientError)


def run_id() -> str:
    """Return the id of the flow run that rows are stamped with, or nothing outside of one."""
    return str(flow_run.id or "")


def run_started() -> datetime:
    """Return when the flow run was to start, or now outside of one."""
    return flow_run.scheduled_start_time or datetime.now(UTC)
