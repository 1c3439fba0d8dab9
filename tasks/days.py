"""Which day a run without one is about."""

from datetime import date

from prefect import task

from flywheel.core.days import latest_day
from flywheel.core.lake import open_lake


@task
def day_or_latest(day: date | None) -> date:
    """Return the day that was asked for, else the newest one the lake knows."""
    if day is not None:
        return day
    with open_lake() as lake:
        return latest_day(lake)
