"""Collect corrections from models and people."""

from datetime import date

from prefect import flow

from tasks.correct import accept, ask_teacher, collect_from_people
from tasks.days import day_or_latest


@flow(name="correct", flow_run_name="correct-{day}")
def correct_examples(day: date | None = None) -> dict[str, int]:
    """Ask the teacher, collect what people answered, and accept what is fit to learn from."""
    day = day_or_latest(day)
    ask_teacher(day)
    collect_from_people(day)
    return accept(day)
