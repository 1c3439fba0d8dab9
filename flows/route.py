"""Decide who corrects each hard example."""

from datetime import date

from prefect import flow

from tasks.correct import queue_for_people
from tasks.days import day_or_latest
from tasks.route import choose_routes


@flow(name="route", flow_run_name="route-{day}")
def route_examples(day: date | None = None) -> dict[str, int]:
    """Route one day's hard examples and put people's share into the review queue."""
    day = day_or_latest(day)
    routed = choose_routes(day)
    queue_for_people(day)
    return routed
