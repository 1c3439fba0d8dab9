import signal
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from filelock import FileLock
from prefect import tags
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.deployments import run_deployment
from prefect.events import emit_event
from prefect.states import Completed, Running

from flows.automations import apply_automations, crash_runs_left_behind
from flows.correct import correct_examples
from flows.ingest import ingest_logs
from flows.mine import mine_failures
from flows.processes import offspring, parents
from flows.publish import publish_release
from flows.watch import watch_traffic
from flywheel.core.errors import DriftFound, NothingToPublish, UsageError
from flywheel.core.lake import Lake
from tasks.alerts import GATE_REFUSED

if TYPE_CHECKING:
    from tests.flows.conftest import Engine

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine"), pytest.mark.timeout(400)]

LOG_LINE = (
    '{"timestamp": "2026-01-05T10:00:00Z", "request": {"messages": [{"role": "user", "content": "hello"}]}, '
    '"response": {"id": "r-1", "model": "m", "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}}\n'
)


def state_of(run_id: UUID) -> str:
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(run_id).state
    return state.name if state else ""


def runs_named(name: str) -> list[Any]:
    with get_client(sync_client=True) as client:
        return client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate({"name": {"any_": [name]}}))


def test_deployments_and_automations_are_there(connected: "Engine") -> None:
    with get_client(sync_client=True) as client:
        deployments = client.read_deployments()
        automations = client.read_automations()
    assert sorted(deployment.name for deployment in deployments) == [
        "correct",
        "improve",
        "ingest",
        "keep",
        "mine",
        "publish",
        "route",
        "watch",
    ]
    assert all(deployment.schedules[0].active for deployment in deployments)
    assert sorted(automation.name for automation in automations) == [
        "flywheel: corrected, so publish",
        "flywheel: crash silent runs",
        "flywheel: drift found",
        "flywheel: gate refused",
        "flywheel: mined, so route",
        "flywheel: publish failed",
        "flywheel: run failed",
        "flywheel: watch failed",
    ]


def test_applying_automations_again_changes_nothing(connected: "Engine") -> None:
    def held() -> list[Any]:
        with get_client(sync_client=True) as client:
            return sorted((automation.name, automation.id) for automation in client.read_automations())

    before = held()
    apply_automations(connected.receiver.url)
    assert held() == before


def test_without_a_webhook_nothing_is_posted_any_more(connected: "Engine") -> None:
    assert apply_automations("") == ["flywheel: crash silent runs"]
    with get_client(sync_client=True) as client:
        assert client.read_automations_by_name("flywheel: gate refused") == []
    apply_automations(connected.receiver.url)


def test_worker_runs_a_deployment_and_its_heartbeat_carries_our_tag(connected: "Engine", tmp_path: Path) -> None:
    log = tmp_path / "one.jsonl"
    log.write_text(LOG_LINE)
    run = run_deployment("ingest/ingest", parameters={"source": str(log)}, timeout=90, poll_interval=0.5)
    assert run.state.name == "Completed"
    with Lake.open(connected.settings) as lake:
        assert lake.scalar("select output from raw_traces where source_file = $log", log=str(log)) == "hi"
    assert connected.wait_for(lambda: heartbeat_tags(run.id)) == ["prefect.tag.flywheel", "prefect.tag.ingest"]


def heartbeat_tags(run_id: UUID) -> list[str]:
    wanted = {"event": {"name": ["prefect.flow-run.heartbeat"]}, "resource": {"id": [f"prefect.flow-run.{run_id}"]}}
    with get_client(sync_client=True) as client:
        found = client._client.post("/events/filter", json={"filter": wanted}).json()["events"]
    related = found[0]["related"] if found else []
    return sorted(r["prefect.resource.id"] for r in related if r["prefect.resource.role"] == "tag")


def test_what_the_receiver_answered_is_in_the_lake(connected: "Engine") -> None:
    said = {"target": "r-live", "kind": "thumb", "value": -1, "occurred_at": "2026-01-07T10:00:00Z"}
    assert httpx.post(f"{connected.receive_url}/v1/feedback", json=said, timeout=60).status_code == 200
    with Lake.open(connected.settings) as lake:
        assert lake.scalar("select value from raw_feedback where day = '2026-01-07'") == -1


def test_finished_mining_starts_routing_of_the_same_day(connected: "Engine") -> None:
    with get_client(sync_client=True) as client:
        mine = client.read_deployment_by_name("mine/mine")
        run = client.create_flow_run_from_deployment(mine.id, parameters={"day": "2026-01-06"}, state=Running())
        client.set_flow_run_state(run.id, Completed(), force=True)
    assert connected.wait_for(lambda: runs_named("route-2026-01-06"))


def test_corrections_start_a_publish_run_whose_refused_gate_alerts_once(
    connected: "Engine", land_demonstrations: Callable[..., None]
) -> None:
    land_demonstrations(connected.settings, date(2026, 1, 7), chosen="write to jo.smith@example.com,")
    assert correct_examples(date(2026, 1, 7)) == {"accepted": 12}
    started = connected.wait_for(lambda: runs_named("publish-2026-01-07"))
    assert connected.wait_for(lambda: state_of(started[0].id) == "Failed")
    assert (started[0].parameters, set(started[0].tags)) == ({"day": "2026-01-07"}, {"flywheel", "publish"})
    assert len(connected.receiver.settled("refused the candidate release")) == 1
    assert connected.receiver.texts("publish-2026-01-07") == []


def test_drift_alerts_once_however_often_it_is_found(connected: "Engine", land_slow_day: Callable[..., None]) -> None:
    land_slow_day(connected.settings, date(2026, 2, 3))
    for _ in range(2):
        with tags("flywheel"), pytest.raises(DriftFound, match="latency_ms"):
            watch_traffic(date(2026, 2, 3))
    assert len(connected.receiver.settled("drifted from its reference in: latency_ms")) == 1
    assert connected.receiver.texts("watch-2026-02-03") == []


def test_event_delivered_twice_is_posted_once(connected: "Engine") -> None:
    for _ in range(2):
        emit_event(
            GATE_REFUSED, resource={"prefect.resource.id": "flywheel.twice"}, payload={"text": "delivered twice"}
        )
    assert len(connected.receiver.settled("delivered twice")) == 1


def test_failure_of_a_deployed_run_alerts_once_and_one_started_by_hand_not_at_all(
    connected: "Engine", tmp_path: Path
) -> None:
    with pytest.raises(UsageError):
        ingest_logs(str(tmp_path / "by-hand"))
    with tags("flywheel"), pytest.raises(UsageError):
        ingest_logs(str(tmp_path / "deployed"))
    assert len(connected.receiver.settled(f"No log files at '{tmp_path / 'deployed'}'")) == 1
    assert connected.receiver.texts(str(tmp_path / "by-hand")) == []


def test_publish_that_fails_otherwise_alerts_too(connected: "Engine") -> None:
    with tags("flywheel"), pytest.raises(NothingToPublish):
        publish_release(date(2020, 1, 1))
    assert len(connected.receiver.settled("Run publish-2020-01-01 ended Failed")) == 1


def test_run_whose_heartbeats_stop_is_crashed_and_alerts(connected: "Engine") -> None:
    apply_automations(connected.receiver.url, silence=timedelta(seconds=10))
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(mine_failures, name="silent-run", tags=["flywheel"], state=Running())
    emit_event(
        "prefect.flow-run.heartbeat",
        resource={"prefect.resource.id": f"prefect.flow-run.{run.id}"},
        related=[{"prefect.resource.id": "prefect.tag.flywheel", "prefect.resource.role": "tag"}],
    )
    assert connected.wait_for(lambda: state_of(run.id) == "Crashed")
    assert len(connected.receiver.settled("Run silent-run ended Crashed: Its heartbeats stopped")) == 1
    apply_automations(connected.receiver.url)


def test_run_that_an_earlier_engine_left_is_crashed_before_a_worker_starts(connected: "Engine") -> None:
    with get_client(sync_client=True) as client:
        ingest = client.read_deployment_by_name("ingest/ingest")
        deployed = client.create_flow_run_from_deployment(ingest.id, state=Running())
        by_hand = client.create_flow_run(mine_failures, state=Running())
    assert crash_runs_left_behind() == 1
    assert (state_of(deployed.id), state_of(by_hand.id)) == ("Crashed", "Running")


# The last test of this module: it stops what the others need.
def test_sigterm_ends_the_run_in_flight_and_leaves_no_process(connected: "Engine", tmp_path: Path) -> None:
    (tmp_path / "waits.jsonl").write_text("{}")
    with FileLock(connected.settings.control_folder / "catalog.lock"):  # the run waits for the lake as long as this
        run = run_deployment("ingest/ingest", parameters={"source": str(tmp_path)}, timeout=0)
        assert connected.wait_for(lambda: state_of(run.id) == "Running")
        started = offspring(connected.process.pid)
        assert len(started) >= 4  # server, models, worker, run
        connected.process.send_signal(signal.SIGTERM)
        assert connected.process.wait(60) == 0
    assert parents().keys().isdisjoint(started)
    assert state_in_database(connected.prefect_home / "prefect.db", run.id) in {"CRASHED", "FAILED"}


def state_in_database(path: Path, run_id: UUID) -> str:
    import sqlite3

    with sqlite3.connect(path) as database:
        return str(database.execute("select state_type from flow_run where id = ?", (str(run_id),)).fetchone()[0])
