"""Which day a run without one is about."""

from datetime import date

from prefect import task

from flywheel.core.connections import open_lake
from flywheel.core.days import latest_day, unmined_days, unrouted_days


@task
def day_or_latest(day: date | None) -> date:
    """Return the day that was asked for, else the newest one the lake knows."""
    if day is not None:
        return day
    with open_lake() as lake:
        return latest_day(lake)


@task
def days_to_mine(day: date | None) -> list[date]:
    """Return the day that was asked for, else every day that holds something nobody mined yet, oldest first."""
    if day is not None:
        return [day]
    with open_lake() as lake:
        return unmined_days(lake)


@task
def days_to_route(day: date | None) -> list[date]:
    """Return the day that was asked for, else every day with unrouted hard examples, oldest first."""
    if day is not None:
        return [day]
    with open_lake() as lake:
        return unrouted_days(lake)
