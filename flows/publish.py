"""Publish what was corrected, if it keeps its promises."""

from datetime import date

from prefect import flow

from flywheel.core.errors import GateRefused
from flywheel.core.releases import Release
from tasks.alerts import GATE_REFUSED, raise_alert
from tasks.days import day_or_latest
from tasks.publish import gate_and_release


@flow(name="publish", flow_run_name="publish-{day}")
def publish_release(day: date | None = None) -> Release:
    """Publish the next release; a refused candidate alerts and fails the run."""
    outcome = gate_and_release(day_or_latest(day))
    if isinstance(outcome, Release):
        return outcome
    refused = GateRefused(outcome.dataset, outcome.failed_names, outcome.quarantined_count)
    # its state: a webhook that is away must not hide why
    raise_alert(GATE_REFUSED, outcome.candidate, str(refused), return_state=True)
    raise refused
