"""Collect corrections from models and people."""

from datetime import date

from prefect import flow

from tasks.correct import accept, collect_from_log, collect_from_people
from tasks.days import day_or_latest
from tasks.events import announce_corrections


@flow(name="correct", flow_run_name="correct-{day}")
def correct_examples(day: date | None = None) -> dict[str, int]:
    """Collect what people answered, accept what is fit to learn from, and say so."""
    day = day_or_latest(day)
    collect_from_people(day)
    collect_from_log(day)
    verdicts = accept(day)
    if verdicts.get("accepted"):
        announce_corrections(day, verdicts["accepted"])
    return verdicts
