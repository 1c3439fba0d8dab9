"""Decide who corrects each hard example."""

from datetime import date

from prefect import flow

from tasks.correct import ask_teacher, queue_for_people
from tasks.days import day_or_latest
from tasks.route import choose_routes


@flow(name="route", flow_run_name="route-{day}")
def route_examples(day: date | None = None) -> dict[str, int]:
    """Ask the teacher, route the day's hard examples by what it is sure of, and queue people's share."""
    day = day_or_latest(day)
    ask_teacher(day)
    routed = choose_routes(day)
    queue_for_people(day)
    return routed
