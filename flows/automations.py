"""Alerts as code: what is posted to the webhook, and what becomes of runs whose machine died.

`python -m flows.automations` brings the server that PREFECT_API_URL names to this state; doing it twice changes
nothing. Nothing is posted twice: a refused gate and found drift alert by their own event, so the automations about
failed runs leave out exactly those two errors, and still post when publish or watch fail of anything else.
"""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from prefect.automations import Automation
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.events.actions import CallWebhook, ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.states import Crashed
from rich.console import Console

from flywheel.core.settings import load_settings
from tasks.alerts import DRIFT_FOUND, GATE_REFUSED

TAG = "prefect.tag.flywheel"  # every deployment in prefect.yaml has it, and its runs inherit it
WEBHOOK_BLOCK = "flywheel-alerts"
# Three of Prefect's default heartbeats (PREFECT_FLOWS_HEARTBEAT_FREQUENCY, 180 s), as its documentation advises
SILENCE = timedelta(seconds=540)

# 3000 characters is Slack's limit for a text block
_SAID_BY_EVENT = "{{ {'text': event.payload.text[:3000]} | tojson }}"
_SAID_BY_RUN = (
    "{{ {'text': ('Run ' ~ flow_run.name ~ ' ended ' ~ flow_run.state.name ~ ': ' ~ flow_run.state.message)[:2800]"
    " ~ ' ' ~ (flow_run | ui_url)} | tojson }}"
)
_ENDINGS = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Crashed", "Cancelled", "TimedOut")}
_BAD_ENDINGS = {f"prefect.flow-run.{state}" for state in ("Failed", "Crashed", "TimedOut")}
_HEARTBEAT = "prefect.flow-run.heartbeat"
_RAISED = "Flow run encountered an exception: "  # how Prefect begins the message of a run that raised
# the error of a flow that has its own alert, and the flows it concerns
_FAILURES = {
    "flywheel: publish failed": ("GateRefused", ("publish",)),
    "flywheel: watch failed": ("DriftFound", ("watch",)),
    "flywheel: run failed": ("", ("ingest", "mine", "route", "correct", "improve")),
}
# A server on SQLite delivers an event again when its database was locked; per run or candidate only the first counts.
_ONCE: dict[str, Any] = {"for_each": {"prefect.resource.id"}, "within": timedelta(seconds=60)}
_ALERTS = {"flywheel: gate refused": GATE_REFUSED, "flywheel: drift found": DRIFT_FOUND}
_ALL_POSTS = {*_ALERTS, *_FAILURES}


def apply_automations(webhook: str, silence: timedelta = SILENCE) -> list[str]:
    """Create or update the automations by name, take away those without a webhook; return the names in force."""
    wanted = [_crash_the_silent(silence), *(_posts(_saved_webhook(webhook)) if webhook else [])]
    for automation in wanted:
        _apply(automation)
    names = [automation.name for automation in wanted]
    for name in _ALL_POSTS.difference(names):
        _remove(name)
    return names


def crash_runs_left_behind() -> int:
    """Mark deployed runs as crashed that claim to run although no worker does; return how many there were.

    Only right before the first worker of a server starts: afterwards `flywheel: crash silent runs` finds them.
    """
    alive = FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])
    left = FlowRunFilter(
        state=FlowRunFilterState(type=alive), deployment_id=FlowRunFilterDeploymentId(is_null_=False)
    )
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_run_filter=left)
        for run in runs:
            client.set_flow_run_state(run.id, Crashed(message="The engine it ran on was stopped."), force=True)
    return len(runs)


def _posts(webhook_id: UUID) -> list[Automation]:
    alerts = [
        Automation(
            name=name,
            description="Posts the alert of a stage to the webhook.",
            trigger=EventTrigger(expect={event}, **_ONCE),
            actions=[CallWebhook(block_document_id=webhook_id, payload=_SAID_BY_EVENT)],
        )
        for name, event in _ALERTS.items()
    ]
    failures = [
        Automation(
            name=name,
            description="Posts a run that ended badly, unless its error has an alert of its own.",
            trigger=_ended_badly(error, flows),
            actions=[CallWebhook(block_document_id=webhook_id, payload=_SAID_BY_RUN)],
        )
        for name, (error, flows) in _FAILURES.items()
    ]
    return alerts + failures


def _ended_badly(alerting_error: str, flows: tuple[str, ...]) -> EventTrigger:
    match: dict[str, str | list[str]] = {"prefect.resource.id": "prefect.flow-run.*"}
    if alerting_error:
        match["prefect.state-message"] = f"!{_RAISED}{alerting_error}*"
    return EventTrigger(
        **_ONCE,
        expect=_BAD_ENDINGS,
        match=match,
        match_related=[
            {"prefect.resource.role": "tag", "prefect.resource.id": TAG},
            {"prefect.resource.role": "flow", "prefect.resource.name": list(flows)},
        ],
    )


def _crash_the_silent(silence: timedelta) -> Automation:
    """Return what marks a run as crashed when its heartbeats stop; otherwise it would stay Running for ever."""
    return Automation(
        name="flywheel: crash silent runs",
        description="Marks a run as crashed when its process has stopped without a word.",
        trigger=EventTrigger(
            after={_HEARTBEAT},
            expect={_HEARTBEAT, *_ENDINGS},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={"prefect.resource.role": "tag", "prefect.resource.id": TAG},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=silence,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message="Its heartbeats stopped: the process is gone.")],
    )


def _saved_webhook(url: str) -> UUID:
    block = Webhook(
        url=url,
        headers={"Content-Type": "application/json"},
        allow_private_urls=True,  # a receiver inside the company's network is the usual case
    )
    return cast("UUID", block.save(WEBHOOK_BLOCK, overwrite=True))  # no coroutine outside of an event loop


def _apply(automation: Automation) -> None:
    with get_client(sync_client=True) as client:
        known = client.read_automations_by_name(automation.name)
    if known:
        automation.id = known[0].id
        automation.update()
    else:
        automation.create()


def _remove(name: str) -> None:
    with get_client(sync_client=True) as client:
        for automation in client.read_automations_by_name(name):
            client.delete_automation(automation.id)


def main() -> None:
    """Apply the automations of this checkout's settings to the server in PREFECT_API_URL."""
    for name in apply_automations(load_settings().alert_webhook):
        Console().print(name)


if __name__ == "__main__":
    main()
