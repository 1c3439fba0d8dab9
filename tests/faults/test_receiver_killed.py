"""Kill -9 of the receiver under load, three times: each span that was answered with 200 is in the lake, once."""

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings

RECEIVE = """
import sys
from flywheel.core.settings import Settings
from flywheel.ingest.receiver import run

run(Settings(lake=sys.argv[1]), "127.0.0.1", int(sys.argv[2]))
"""
SENDERS, KILLS, SPANS_EACH = 4, 3, 20
ANSWERS_BETWEEN_KILLS = 4
PATIENCE_SECONDS = 240.0  # it takes 15 CPU seconds: only a receiver that hangs, or a machine very busy, needs more


def spans_of(batch: str) -> list[dict[str, object]]:
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.prompt": "q"}
    said["gen_ai.completion"] = "a"
    return [
        {
            "traceId": content_id(batch, number),
            "spanId": content_id("span", batch, number)[:16],
            "startTimeUnixNano": "1767261600000000000",
            "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in said.items()],
        }
        for number in range(SPANS_EACH)
    ]


class Sender(threading.Thread):
    """Send batch after batch, each again until it is answered, as exporters do."""

    def __init__(self, name: str, port: int, stopped: threading.Event) -> None:
        super().__init__(name=name)
        self.url = f"http://127.0.0.1:{port}/v1/traces"
        self.stopped = stopped
        self.answered: list[str] = []

    def run(self) -> None:
        number = 0
        while not self.stopped.is_set():
            spans = spans_of(f"{self.name}/{number}")
            if self._send(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()):
                self.answered += [f"{span['traceId']}:{span['spanId']}" for span in spans]
                number += 1
            else:
                time.sleep(0.05)

    def _send(self, body: bytes) -> bool:
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
                return bool(reply.status == 200 and reply.read() == b"{}")
        except (OSError, HTTPException):
            return False


@contextmanager
def receiving(lake: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a receiver; it ends by SIGKILL."""
    child = subprocess.Popen([sys.executable, "-c", RECEIVE, lake, str(port)])
    try:
        yield child
    finally:
        child.kill()
        child.wait(10)


def test_what_was_answered_is_there_once(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Lake.open(settings):
        pass  # its tables are made, so that the receivers' time goes into receiving
    stopped = threading.Event()
    senders = [Sender(f"sender{number}", port, stopped) for number in range(SENDERS)]
    deadline = time.monotonic() + PATIENCE_SECONDS
    for sender in senders:
        sender.start()
    try:
        for _ in range(KILLS + 1):
            before = sum(len(sender.answered) for sender in senders)
            with receiving(settings.lake, port):
                while sum(len(each.answered) for each in senders) < before + ANSWERS_BETWEEN_KILLS * SPANS_EACH:
                    assert time.monotonic() < deadline, "the receiver was too slow to be killed under load"
                    time.sleep(0.01)
    finally:
        stopped.set()
        for sender in senders:
            sender.join(40)
    answered = {name for sender in senders for name in sender.answered}
    assert len(answered) >= (KILLS + 1) * ANSWERS_BETWEEN_KILLS * SPANS_EACH
    with Lake.open(settings) as lake:
        there = lake.frame("select aliases[1] as name from raw_traces")["name"].to_list()
    assert len(there) == len(set(there))
    assert answered <= set(there)
