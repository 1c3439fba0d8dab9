"""Tell the rest of the wheel that something is done; what starts on it is written in prefect.yaml."""

from datetime import date

from prefect import task
from prefect.events import emit_event

CORRECTIONS_COMPLETED = "flywheel.corrections.completed"


@task(task_run_name="announce-corrections-{day}")
def announce_corrections(day: date, count: int) -> None:
    """Say that a day's corrections are complete and how many were accepted, so that publishing starts at once."""
    emit_event(
        CORRECTIONS_COMPLETED,
        resource={"prefect.resource.id": f"flywheel.corrections.{day}"},
        payload={"day": day.isoformat(), "count": count},
    )
