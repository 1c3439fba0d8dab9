"""Nobody publishes to a store that lets a key be created twice: a careless server, a bucket that keeps versions."""

import http.client
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest

from flows.cli.checks import State
from flows.cli.checks_lake import check_lake
from flywheel.core.errors import MissingPart, NothingToPublish
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.core.storage import open_store
from flywheel.core.store_probe import creates_once, require_one_winner
from flywheel.publish.day import publish_day

pytestmark = [pytest.mark.team, pytest.mark.xdist_group("team")]
NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Careless(BaseHTTPRequestHandler):
    """Moto, but for writing over what is there whatever the request says."""

    protocol_version = "HTTP/1.1"  # who waits for 100 Continue gets it
    inner = ""
    written: ClassVar[dict[str, bytes]] = {}

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, headers, answer = self.forwarded(body)
        if status == 412:
            self.written[self.path] = body
            status, answer = 200, b""
        self.answer(status, headers, answer)

    def do_GET(self) -> None:
        status, headers, answer = self.forwarded(b"")
        self.answer(status, headers, self.written.get(self.path, answer))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def forwarded(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.inner, timeout=30)
        kept = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        connection.request(self.command, self.path, body, kept)
        told = connection.getresponse()
        return told.status, told.getheaders(), told.read()

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        others = ("content-length", "connection", "x-amz-checksum")  # a checksum would be that of what was there
        kept = [(name, value) for name, value in headers if not name.lower().startswith(others)]
        for name, value in [*kept, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def careless(moto: Any) -> Iterator[str]:
    """Return the endpoint of a server that takes conditions and ignores them."""
    Careless.inner = moto.endpoint
    with ThreadingHTTPServer(("127.0.0.1", 0), Careless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(params=["careless", "versioned"])
def unsafe(request: pytest.FixtureRequest, use_keys: Callable[[str, str], None], tmp_path: Path) -> Settings:
    """Name a lake on a store that would let two publishers win."""
    told: dict[str, Any] = {"control": tmp_path / "control", "s3_use_ssl": False}
    if request.param == "careless":
        moto = request.getfixturevalue("moto")
        use_keys(moto.key_id, moto.secret)
        return Settings(lake=f"s3://{moto.bucket}/careless", s3_endpoint=request.getfixturevalue("careless"), **told)
    ceph = request.getfixturevalue("ceph")
    use_keys(ceph.key_id, ceph.secret)
    client = boto3.client("s3", endpoint_url=ceph.url, region_name="us-east-1")
    client.create_bucket(Bucket="versioned")
    client.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    return Settings(lake="s3://versioned/lake", s3_endpoint=ceph.endpoint, **told)


def test_nobody_publishes_where_two_could_win(unsafe: Settings) -> None:
    store = open_store(unsafe)
    with Lake.open(unsafe) as lake:
        with pytest.raises(MissingPart) as refused:
            publish_day(lake, store, unsafe, date(2026, 1, 1), NOW)
        alone = unsafe.model_copy(update={"single_publisher": True})
        with pytest.raises(NothingToPublish):
            publish_day(lake, store, alone, date(2026, 1, 1), NOW)
    for said in (unsafe.lake, unsafe.s3_endpoint, "If-None-Match", "versioning", "`single_publisher = true`"):
        assert said in str(refused.value)
    assert store.names("probes") == []
    for settings, state in ((unsafe, State.BROKEN), (alone, State.MISSING)):
        (found,) = [check for check in check_lake(settings) if check.what == "object store"]
        assert (found.state, "lets a key be created twice" in found.found) == (state, True)


def test_a_store_that_creates_once_is_asked_once(s3_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(s3_settings)
    assert creates_once(store)
    require_one_winner(store, s3_settings)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    require_one_winner(store, s3_settings.model_copy(update={"s3_endpoint": "127.0.0.1:1"}))
    assert store.names("probes") == []
