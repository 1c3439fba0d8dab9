"""Compare a day's traffic with the days before."""

from datetime import date

from prefect import flow

from flywheel.core.errors import DriftFound
from tasks.alerts import DRIFT_FOUND, raise_alert
from tasks.days import day_or_latest
from tasks.tables import build_table
from tasks.watch import measure_drift


@flow(name="watch", flow_run_name="watch-{day}")
def watch_traffic(day: date | None = None) -> None:
    """Measure drift; drift alerts and fails the run."""
    day = day_or_latest(day)
    build_table("traces", day)
    columns = measure_drift(day)
    if columns:
        found = DriftFound(str(day), columns)
        # its state: a webhook that is away must not hide why
        raise_alert(DRIFT_FOUND, f"traffic.{day}", str(found), return_state=True)
        raise found
