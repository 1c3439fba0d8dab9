"""A Prefect server as operators start it, once for the session, and somebody who receives its alerts."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.core.settings import Settings, load_settings

_BRING_UP = "import sys; from flows.up import bring_up; bring_up(*map(int, sys.argv[1:]))"
_PATIENCE_SECONDS = 150.0  # seconds on a busy machine; a server on SQLite was once seen to wait 60 s for its own lock


def wait_for(found: Callable[[], Any], seconds: float = _PATIENCE_SECONDS) -> Any:
    """Return the first truthy answer, or the last one when the time is over."""
    deadline = time.monotonic() + seconds
    while not (answer := found()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


@dataclass
class Receiver:
    """A webhook's other end on loopback: keeps what is posted to it."""

    url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)

    def texts(self, part: str) -> list[str]:
        return [post["text"] for post in self.posts if part in post["text"]]

    def settled(self, part: str) -> list[str]:
        """Return the posts with this part once the first has come and a second one had its time."""
        wait_for(lambda: self.texts(part))
        time.sleep(1)
        return self.texts(part)


@dataclass(frozen=True)
class Engine:
    """Everything that `flywheel up` started."""

    api_url: str
    receive_url: str
    settings: Settings
    receiver: Receiver
    process: subprocess.Popen[bytes]
    prefect_home: Path

    def wait_for(self, found: Callable[[], Any], seconds: float = _PATIENCE_SECONDS) -> Any:
        return wait_for(found, seconds)


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}/alerts"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield kept
        server.shutdown()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("engine")
    lake = folder / "lake"
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as another:
        port, receive_port = (str(probe.getsockname()[1]) for probe in (one, another))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FLYWHEEL_", "PREFECT_"))}
    told = {
        "FLYWHEEL_LAKE": str(lake),
        "FLYWHEEL_ALERT_WEBHOOK": receiver.url,
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT1S",
    }
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _BRING_UP, port, receive_port],
            env=clean | told,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: process.poll() or "is up" in (folder / "up.log").read_text(), _PATIENCE_SECONDS)
        assert "is up" in (folder / "up.log").read_text()
        urls = f"http://127.0.0.1:{port}/api", f"http://127.0.0.1:{receive_port}"
        yield Engine(*urls, Settings(lake=str(lake)), receiver, process, lake / "prefect")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.fixture
def connected(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Let flows that a test calls report to the server and use its lake."""
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

    monkeypatch.setenv("FLYWHEEL_LAKE", engine.settings.lake)
    monkeypatch.setenv("FLYWHEEL_ALERT_WEBHOOK", engine.receiver.url)
    load_settings.cache_clear()
    with temporary_settings({PREFECT_API_URL: engine.api_url, PREFECT_HOME: engine.prefect_home}):
        yield engine
    load_settings.cache_clear()


@pytest.fixture
def embedded(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Let flows that a test calls run as they do without any server: on a temporary one, with a lake of their own."""
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_HOME,
        PREFECT_SERVER_ANALYTICS_ENABLED,
        PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
        temporary_settings,
    )

    monkeypatch.setenv("FLYWHEEL_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("FLYWHEEL_ALERT_WEBHOOK", receiver.url)
    load_settings.cache_clear()
    told = {
        PREFECT_HOME: tmp_path_factory.getbasetemp() / "embedded",  # one for all: the server is started once
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
        PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: 120,
    }
    with temporary_settings(told, restore_defaults={PREFECT_API_URL}):
        yield Settings()
    load_settings.cache_clear()


@pytest.fixture
def land_demonstrations() -> Callable[..., None]:
    """Put a dozen corrections that an expert brought along into a lake, as answers of one day."""

    def land(settings: Settings, day: date, chosen: str) -> None:
        rows = [
            {
                "day": day,
                "answer_id": f"{day}-{number}",
                "corrector": "expert-1",
                "author_kind": "human",
                "input": json.dumps([{"role": "user", "content": f"question {number} of {day}"}]),
                "rejected": f"wrong {number}",
                "output": f"{chosen} {number}",
                "generation_depth": 0,
                "answered_at": datetime(day.year, day.month, day.day, tzinfo=UTC),
            }
            for number in range(12)
        ]
        with Lake.open(settings) as lake:
            lake.land("answers", lake.typed("answers", rows))

    return land


@pytest.fixture
def land_slow_day() -> Callable[..., None]:
    """Put two days of 600 traces into a lake: a usual one, mined, and the day after it, ten times as slow."""

    def land(settings: Settings, slow_day: date) -> None:
        usual_day = slow_day - timedelta(days=1)
        with Lake.open(settings) as lake:
            for day, latency_ms in ((usual_day, 100.0), (slow_day, 1000.0)):
                rows = [_trace(day, number, latency_ms) for number in range(600)]
                lake.land("raw_traces", lake.typed("raw_traces", rows))
            lake.build("traces", usual_day)

    return land


def _trace(day: date, number: int, latency_ms: float) -> dict[str, object]:
    return {
        "day": day,
        "trace_id": f"{day}-{number}",
        "conversation_id": f"{day}-{number}",
        "started_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        "model": "wheel-small",
        "input": json.dumps([{"role": "user", "content": f"where is parcel {number % 7}"}]),
        "output": ("late", "lost")[number % 2],
        "latency_ms": latency_ms + number % 50,
    }
