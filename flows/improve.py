"""Train on the newest release and promote the candidate if it is really better."""

from datetime import date

from prefect import flow

from flywheel.improve.day import Improvement
from tasks.days import day_or_latest
from tasks.improve import train_and_compare


@flow(name="improve", flow_run_name="improve-{day}")
def improve_model(day: date | None = None) -> Improvement:
    """Fine-tune, compare with production on held-out failures and on random traffic, decide."""
    return train_and_compare(day_or_latest(day))
