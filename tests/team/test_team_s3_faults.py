"""S3 as it is on a bad day: answers that get lost, conflicts, SlowDown, errors after success, late listings.

Requests go through a proxy that does to them what a test wants, and to moto behind it.
"""

import http.client
import random
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

from flywheel.core.errors import StoreBusy, VersionTaken
from flywheel.core.lake import Lake
from flywheel.core.releases import Release, find_release, list_releases, publish_files, read_file
from flywheel.core.settings import Settings
from flywheel.core.storage import Store, open_store
from flywheel.core.tags import move_tag, tags

pytestmark = [pytest.mark.team, pytest.mark.xdist_group("team")]

NOW = datetime(2026, 1, 9, tzinfo=UTC)
ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
# what may be done to a request: before it is passed on, or after, when only the answer is changed
CONFLICT, SLOW_DOWN, EXPIRED = (409, "ConditionalRequestConflict"), (503, "SlowDown"), (400, "ExpiredToken")
LOST, FAILED_LATE = "its answer is lost", "its answer is an error"
Fault = str | tuple[int, str] | None


class Proxy(ThreadingHTTPServer):
    """Pass requests on to an S3 server, doing to each what `fault` says of its method and key."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind, self.endpoint = behind, f"127.0.0.1:{self.server_port}"
        self.fault: Callable[[str, str], Fault] = lambda *_request: None
        self.late: set[str] = set()  # keys that no listing shows yet

    def often(self, fault: Fault, method: str, part: str, times: int = 1) -> None:
        """Do this to the first requests of a method whose key has a part."""
        left = [times]

        def decide(asked: str, key: str) -> Fault:
            if (asked, left[0] > 0, part in key) != (method, True, True):
                return None
            left[0] -= 1
            return fault

        self.fault = decide

    def heal(self) -> None:
        self.fault = lambda *_request: None
        self.late = set()


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        fault = self.server.fault(self.command, path)
        if isinstance(fault, tuple):
            self._refuse(*fault)
            return
        connection = http.client.HTTPConnection(self.server.behind, timeout=30)
        connection.request(self.command, self.path, body, dict(self.headers.items()))
        answer = connection.getresponse()
        told, headers = answer.read(), dict(answer.getheaders())
        connection.close()
        if fault == LOST:
            self.close_connection = True
        elif fault == FAILED_LATE:
            self._refuse(500, "InternalError")
        else:
            if "list-type=2" in query:
                told = re.sub(rb"<Contents>.*?</Contents>", self._shown, told, flags=re.DOTALL)
                count = b"<KeyCount>%d</KeyCount>" % told.count(b"<Contents>")
                told = re.sub(rb"<KeyCount>\d+</KeyCount>", count, told)
            self._answer(answer.status, told, headers)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass_on  # noqa: N815 - the names it is called by

    def _shown(self, entry: re.Match[bytes]) -> bytes:
        key = re.search(rb"<Key>(.*?)</Key>", entry[0])
        return b"" if key and any(late in key[1].decode() for late in self.server.late) else entry[0]

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, ERROR.format(code=code).encode(), {"Content-Type": "application/xml"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        pass


@pytest.fixture
def proxy(moto: Any) -> Iterator[Proxy]:
    server = Proxy(moto.endpoint)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield server
    server.shutdown()
    server.server_close()
    serving.join(timeout=10)


@pytest.fixture
def settings(proxy: Proxy, moto: Any, use_keys: Callable[[str, str], None], tmp_path: Path) -> Settings:
    use_keys(moto.key_id, moto.secret)
    return Settings(
        lake=f"s3://{moto.bucket}/{tmp_path.name}",
        control=tmp_path / "control",
        s3_endpoint=proxy.endpoint,
        s3_use_ssl=False,
    )


@pytest.fixture
def store(settings: Settings) -> Store:
    return open_store(settings)


def publish(store: Store, text: str) -> Release:
    files = {f"{name}.txt": f"{name} of {text}".encode() for name in "abc"}
    return publish_files(store, "corrections", files, {"content_hash": text}, NOW)


def assert_published(store: Store, *texts: str) -> None:
    """Versions in sequence, whole, each with the one before as its parent; `latest` moved once for each."""
    found = list_releases(store, "corrections")
    assert [(release.version, release.content_hash) for release in found] == list(enumerate(texts, start=1))
    assert [release.manifest["parent"] for release in found] == [None, *range(1, len(texts))]
    for release in found:
        assert read_file(store, release, "b.txt") == f"b of {release.content_hash}".encode()
    log = [orjson.loads(store.read(name))["version"] for name in store.names("tags/corrections/latest")]
    assert log == list(range(1, len(texts) + 1))
    assert store.names("staged") == []


@pytest.mark.parametrize("fault", [LOST, FAILED_LATE])
@pytest.mark.parametrize("part", ["/staged/", "/claims/", "/a.txt", "/manifest.json", "/tags/"])
def test_an_answer_that_says_nothing_of_what_was_done(store: Store, proxy: Proxy, fault: Fault, part: str) -> None:
    proxy.often(fault, "PUT", part)
    assert [publish(store, text).version for text in ("one", "two")] == [1, 2]
    assert_published(store, "one", "two")


def test_a_tag_whose_answer_got_lost_moves_once(store: Store, proxy: Proxy) -> None:
    publish(store, "one")
    proxy.often(LOST, "PUT", "/tags/corrections/prod/")
    move_tag(store, "corrections", "prod", 1, NOW)
    assert len(store.names("tags/corrections/prod")) == 1


def test_a_name_that_a_rival_took_is_taken_whatever_the_answer(store: Store, proxy: Proxy) -> None:
    store.put("x", b"theirs")
    for fault in (LOST, FAILED_LATE, None):
        proxy.often(fault, "PUT", "/x")
        assert not store.put_new("x", b"ours")
    assert store.read("x") == b"theirs"


def test_a_conflict_is_tried_again(store: Store, proxy: Proxy) -> None:
    proxy.often(CONFLICT, "PUT", "/claims/", times=3)
    assert publish(store, "one").version == 1
    assert_published(store, "one")


@pytest.mark.slow
def test_a_conflict_without_end_is_an_error_and_the_next_run_heals(store: Store, proxy: Proxy) -> None:
    proxy.often(CONFLICT, "PUT", "/claims/", times=100)
    with pytest.raises(StoreBusy, match=r"claims/corrections/00000001\.json.*Try again"):
        publish(store, "one")
    proxy.heal()
    assert len(store.names("staged")) == 3  # whether the claim landed was not known: nothing of it was deleted
    assert publish(store, "one").version == 1
    assert find_release(store, "corrections", "latest").version == 1


@pytest.mark.slow
@pytest.mark.parametrize("part", ["/claims/", "/manifest.json", "/tags/"])
def test_an_error_every_time_though_it_landed(
    store: Store, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    proxy.fault = lambda method, key: (
        FAILED_LATE if part in key and method == "PUT" else SLOW_DOWN if part in key else None
    )
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    with pytest.raises(StoreBusy):
        publish(store, "one")
    proxy.heal()
    assert publish(store, "one").version == 1
    assert_published(store, "one")


@pytest.mark.slow
def test_slow_down_for_every_fifth_request(store: Store, proxy: Proxy) -> None:
    chance = random.Random(7)
    refused = []

    def sometimes(method: str, key: str) -> Fault:
        if chance.random() < 0.2:
            refused.append(key)
            return SLOW_DOWN
        return None

    proxy.fault = sometimes
    for text in ("one", "two", "three"):
        for _ in range(10):
            try:
                publish(store, text)
                break
            except StoreBusy:  # what a task does with it
                continue
    proxy.heal()
    assert len(refused) > 10
    assert_published(store, "one", "two", "three")


@pytest.mark.parametrize("late", ["/claims/", "/staged/", "/releases/", "/tags/"])
def test_listings_that_come_late(store: Store, proxy: Proxy, late: str) -> None:
    publish(store, "one")
    proxy.late = {late}
    for text in ("two", "three"):
        try:
            publish(store, text)
        except VersionTaken:  # what is not listed cannot be built upon: said, and tried again
            proxy.heal()
            publish(store, text)
            proxy.late = {late}
    proxy.heal()
    publish(store, "three")
    assert_published(store, "one", "two", "three")


def test_a_killed_publisher_is_finished_though_what_it_staged_is_not_listed(store: Store, proxy: Proxy) -> None:
    proxy.often(EXPIRED, "PUT", "/releases/")
    with pytest.raises(StoreBusy, match="ExpiredToken"):
        publish(store, "one")
    proxy.heal()
    proxy.late = {"/staged/"}
    assert publish(store, "two").version == 2
    proxy.heal()
    assert [release.content_hash for release in list_releases(store, "corrections")] == ["one", "two"]
    assert (tags(store, "corrections"), store.names("staged")) == ({"latest": 2}, [])


@pytest.mark.slow
def test_keys_that_expire_between_two_files(store: Store, proxy: Proxy) -> None:
    publish(store, "one")
    for part in ("/staged/", "/claims/", "/a.txt", "/manifest.json", "/tags/"):
        proxy.often(EXPIRED, "PUT", part, times=10)
        with pytest.raises(StoreBusy, match="ExpiredToken"):
            publish(store, f"until {part}")
        proxy.heal()
        publish(store, f"until {part}")
    assert [release.version for release in list_releases(store, "corrections")] == [1, 2, 3, 4, 5, 6]
    assert tags(store, "corrections") == {"latest": 6}


def test_rows_land_once_on_a_store_that_slows_down(settings: Settings, proxy: Proxy) -> None:
    calls = [{"day": date(2026, 1, 5), "call_id": str(number), "cost_usd": 0.5} for number in range(2_000)]
    chance = random.Random(11)
    faults: list[Fault] = [SLOW_DOWN, FAILED_LATE, LOST]

    def sometimes(method: str, key: str) -> Fault:
        return chance.choice(faults) if chance.random() < 0.2 else None

    with Lake.open(settings) as lake:
        proxy.fault = sometimes
        for _ in range(20):
            try:
                lake.land("spend", lake.typed("spend", calls))
                break
            except StoreBusy:
                continue
        proxy.heal()
        assert lake.frame("select count(*), count(distinct call_id) from spend").row(0) == (2_000, 2_000)
        assert lake.land("spend", lake.typed("spend", calls)) == 0
