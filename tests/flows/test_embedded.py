from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prefect import flow, task

from flows.correct import correct_examples
from flows.keep import keep_lake
from flows.publish import publish_release
from flows.watch import watch_traffic
from flywheel.core.errors import (
    DriftFound,
    FlywheelError,
    GateRefused,
    LakeBusy,
    LakeFaulty,
    NothingToPublish,
    SchemaMismatch,
)
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings, load_settings
from flywheel.core.storage import open_store
from tasks.running import is_transient

if TYPE_CHECKING:
    from tests.flows.conftest import Receiver

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("embedded"), pytest.mark.timeout(400)]

BUSY = LakeBusy("lake", 120.0)
WRONG = SchemaMismatch("traces", ["a"], ["b"])


@pytest.mark.parametrize(("error", "attempts"), [(BUSY, 3), (WRONG, 1)], ids=["transient", "data"])
def test_only_a_transient_error_is_tried_again(error: FlywheelError, attempts: int, embedded: Settings) -> None:
    tried = []

    @task(retries=2, retry_delay_seconds=0, retry_condition_fn=is_transient)
    def fail() -> None:
        tried.append(1)
        raise error

    @flow
    def failing() -> None:
        fail()

    with pytest.raises(type(error)):
        failing()
    assert len(tried) == attempts


def test_refused_gate_is_posted_once_and_leaves_its_rows_in_quarantine(
    embedded: Settings,
    receiver: "Receiver",
    land_demonstrations: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    land_demonstrations(embedded, date(2026, 3, 7), chosen="call jo at jo.smith@example.org,")
    assert correct_examples(date(2026, 3, 7)) == {"accepted": 12}
    before = len(receiver.posts)
    with pytest.raises(GateRefused):
        publish_release(date(2026, 3, 7))
    with pytest.raises(NothingToPublish):
        publish_release(date(2026, 3, 7))
    assert ["refused the candidate release" in post["text"] for post in receiver.posts[before:]] == [True]
    with Lake.open(embedded) as lake:
        assert lake.scalar("select count(*) from quarantine where reason = 'gate_refused'") == 12


def test_drift_is_posted_once_however_often_it_is_found(
    embedded: Settings, receiver: "Receiver", land_slow_day: Callable[..., None]
) -> None:
    land_slow_day(embedded, date(2026, 3, 3))
    before = len(receiver.posts)
    for _ in range(2):
        with pytest.raises(DriftFound, match="latency_ms"):
            watch_traffic(date(2026, 3, 3))
    assert ["Traffic of 2026-03-03 drifted" in post["text"] for post in receiver.posts[before:]] == [True]


def test_webhook_that_is_away_hides_no_drift_and_is_tried_again_next_time(
    embedded: Settings, receiver: "Receiver", land_slow_day: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    land_slow_day(embedded, date(2026, 3, 5))
    monkeypatch.setenv("FLYWHEEL_ALERT_WEBHOOK", "http://127.0.0.1:1/nobody")
    load_settings.cache_clear()
    with pytest.raises(DriftFound):
        watch_traffic(date(2026, 3, 5))
    assert open_store(embedded).names("alerts") == []
    monkeypatch.setenv("FLYWHEEL_ALERT_WEBHOOK", receiver.url)
    load_settings.cache_clear()
    with pytest.raises(DriftFound):
        watch_traffic(date(2026, 3, 5))
    assert len(receiver.texts("Traffic of 2026-03-05 drifted")) == 1
    assert len(open_store(embedded).names("alerts")) == 1


def test_a_lost_file_fails_the_flow_that_keeps_the_lake(
    embedded: Settings, land_slow_day: Callable[..., None]
) -> None:
    land_slow_day(embedded, date(2026, 3, 8))
    keep_lake()
    (lost, *_) = (Path(embedded.lake_root) / "tables" / "main" / "raw_traces" / "day=2026-03-08").glob("*.parquet")
    kept = lost.read_bytes()
    lost.unlink()
    with pytest.raises(LakeFaulty, match=f"missing tables/main/raw_traces/day=2026-03-08/{lost.name}"):
        keep_lake()
    lost.write_bytes(kept)
    keep_lake(is_deep=True)
