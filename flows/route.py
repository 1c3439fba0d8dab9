"""Decide who corrects each hard example."""

from collections import Counter
from datetime import date

from prefect import flow

from flywheel.core.connections import kept_open
from tasks.correct import ask_teacher, queue_for_people
from tasks.days import days_to_route
from tasks.route import choose_routes


@flow(name="route", flow_run_name="route-{day}")
def route_examples(day: date | None = None) -> dict[str, int]:
    """Ask the teacher, then route a day (or all that are due) by what it is sure of; queue people's share."""
    routed: Counter[str] = Counter()
    with kept_open():
        for due in days_to_route(day):
            with kept_open(due):
                ask_teacher(due)
                routed.update(choose_routes(due))
                queue_for_people(due)
    return dict(routed)
