"""The receiver over real HTTP, with OpenTelemetry's own exporter as one of its clients."""

import gzip
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Status, StatusCode
from pydantic import SecretStr

from flywheel.core.errors import BadSetting
from flywheel.core.lake import Lake
from flywheel.core.settings import Settings
from flywheel.ingest.receiver import check_entry, create_app, server_of

ASKED = '[{"role":"user","parts":[{"type":"text","content":"q"}]}]'
PROTOBUF = "application/x-protobuf"
BODY_SECONDS, MOST_CONNECTIONS = 2.0, 8
FIXTURES = Path(__file__).parents[2] / "data" / "otlp"
Reply = tuple[int, dict[str, str], bytes]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(lake=str(tmp_path / "lake"), receive_token=SecretStr("s3cret"), receive_limit_mb=1)


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    """Serve until the test ends; then everything taken is landed."""
    server = server_of(create_app(settings, body_seconds=BODY_SECONDS), most_connections=MOST_CONNECTIONS)
    serving = threading.Thread(target=server.run)
    serving.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    serving.join(60)


@pytest.fixture
def post(address: str) -> Callable[..., Reply]:
    """Return what sends a body with the token, other headers given."""

    def send(path: str, body: Any, **headers: str) -> Reply:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"content-type": "application/json", "authorization": "Bearer s3cret"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{address}/v1/{path}", data, given)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
                return reply.status, dict(reply.headers), reply.read()
        except urllib.error.HTTPError as refused:
            return refused.code, dict(refused.headers), refused.read()

    return send


def span(number: int, **attributes: str) -> dict[str, Any]:
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.prompt": f"q {number}"}
    said |= {"gen_ai.completion": "a", "gen_ai.response.id": f"r-{number}"} | attributes
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "startTimeUnixNano": "1767261600000000000",
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in said.items() if value],
    }


def request_of(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


@pytest.mark.parametrize("compression", [Compression.Gzip, Compression.NoCompression])
def test_the_sdks_exporter_is_understood(address: str, settings: Settings, compression: Compression) -> None:
    exporter = OTLPSpanExporter(
        endpoint=f"{address}/v1/traces",
        headers={"authorization": "Bearer s3cret"},
        compression=compression,
        timeout=60,
    )
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    for number in range(50):
        with tracer.start_as_current_span("answer"), tracer.start_as_current_span("chat m") as current:
            current.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
            current.set_attribute(
                "gen_ai.input.messages", '[{"role":"user","parts":[{"type":"text","content":"q"}]}]'
            )
            current.set_attribute("gen_ai.usage.input_tokens", number)
            current.set_attribute("gen_ai.response.finish_reasons", ("stop",))
            current.set_status(Status(StatusCode.ERROR, "no answer"))
            current.set_attribute("error.type", "Timeout")
    with tracer.start_as_current_span("judge", links=[Link(current.get_span_context())]) as judge:
        judge.set_attributes({"annotations.0.annotation.name": "tone", "annotations.0.annotation.score": 0.5})
    assert provider.force_flush(120_000)
    provider.shutdown()
    with Lake.open(settings) as lake:
        counts = lake.frame("select count(*), count(distinct trace_id), sum(input_tokens), min(app) from raw_traces")
        assert counts.row(0) == (50, 50, 1225, "shop")
        called = lake.frame("select input, error, finish_reason, latency_ms > 0 from raw_traces limit 1").row(0)
        assert called == ('[{"role":"user","content":"q"}]', "Timeout", "stop", True)
        said = lake.frame("select kind, name, value, aliases[1] from raw_feedback join raw_traces using (trace_id)")
        context = current.get_span_context()
        assert said.rows() == [("evaluation", "tone", 0.5, f"{context.trace_id:032x}:{context.span_id:016x}")]


def test_what_is_sent_again_is_there_once(post: Callable[..., Reply], settings: Settings) -> None:
    for _ in range(3):
        status, _, body = post("traces", request_of(span(1), span(2)))
        assert (status, body) == (200, b"{}")
    with Lake.open(settings) as lake:
        assert lake.scalar("select count(*) from raw_traces") == 2


def test_what_cannot_be_a_trace_is_rejected_with_its_reason(post: Callable[..., Reply], settings: Settings) -> None:
    bare = span(2, **{"gen_ai.prompt": "", "gen_ai.completion": ""})
    for _ in range(2):
        status, _, body = post("traces", request_of(span(1), bare))
    partial = json.loads(body)["partialSuccess"]
    assert (status, partial["rejectedSpans"]) == (200, "1")
    assert "missing_content" in partial["errorMessage"]
    assert "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" in partial["errorMessage"]
    with Lake.open(settings) as lake:
        assert lake.frame("select reason, detail like '%CAPTURE%' from quarantine").rows() == [
            ("missing_content", True)
        ]
        assert lake.scalar("select count(*) from raw_traces") == 1


def test_a_refused_span_that_is_sent_again_is_in_quarantine_once(
    post: Callable[..., Reply], settings: Settings
) -> None:
    bare = span(2, **{"gen_ai.prompt": "", "gen_ai.completion": ""})
    for request in (request_of(bare), request_of(span(1), span(3), bare)):  # at another place of another request
        assert json.loads(post("traces", request)[2])["partialSuccess"]["rejectedSpans"] == "1"
    with Lake.open(settings) as lake:
        assert lake.scalar("select count(*) from quarantine") == 1


def test_all_commits_of_a_receiver_are_one_reading(post: Callable[..., Reply], settings: Settings) -> None:
    for number in range(3):
        assert post("traces", request_of(span(number)))[0] == 200
    with Lake.open(settings) as lake:
        told = "select count(*), count(distinct began_at), sum(read_count) from sources"
        assert lake.frame(told).rows() == [(3, 1, 3)]


def connected(address: str) -> socket.socket:
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def test_a_body_that_does_not_come_is_not_waited_for(address: str) -> None:
    with connected(address) as slow:
        head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\nauthorization: Bearer s3cret\r\ncontent-length: 9\r\n\r\n{"
        slow.sendall(head.encode())
        said = b""
        while piece := slow.recv(65_536):  # until the server closes
            said += piece
    assert said.startswith(b"HTTP/1.1 408")
    assert b"longer than 2 seconds" in said


def test_more_connections_than_it_may_have_are_told_to_come_again(address: str, post: Callable[..., Reply]) -> None:
    with ExitStack() as held:
        for _ in range(MOST_CONNECTIONS):
            held.enter_context(connected(address))
        assert post("traces", {})[0] == 503
    time.sleep(0.5)  # it notices that they are gone
    assert post("traces", {})[0] == 200


def test_protobuf_is_answered_in_protobuf(post: Callable[..., Reply]) -> None:
    asked = ExportTraceServiceRequest()
    sent = asked.resource_spans.add().scope_spans.add().spans.add()
    sent.trace_id, sent.span_id, sent.start_time_unix_nano = b"\x01" * 16, b"\x02" * 8, 1767261600000000000
    model = sent.attributes.add()
    model.key, model.value.string_value = "gen_ai.request.model", "m"
    status, headers, body = post("traces", asked.SerializeToString(), content_type=PROTOBUF)
    reply = ExportTraceServiceResponse.FromString(body)
    assert (status, headers["content-type"], reply.partial_success.rejected_spans) == (200, PROTOBUF, 1)
    status, headers, body = post("traces", b"\xff\xff", content_type=PROTOBUF)
    assert (status, headers["content-type"], body[:1]) == (400, PROTOBUF, b"\x12")
    assert b"no protobuf of ExportTraceServiceRequest" in body


def test_messages_in_log_records_are_calls(post: Callable[..., Reply], settings: Settings) -> None:
    *spans, logs = (FIXTURES / "openai_v2_latest_on.jsonl").read_bytes().splitlines()
    assert post("logs", logs)[0] == 200
    with Lake.open(settings) as lake:
        assert lake.scalar("select count(*) from raw_traces") == 5
    for line in spans:
        assert post("traces", gzip.compress(line), content_encoding="gzip")[0] == 200
    with Lake.open(settings) as lake:
        # the one that failed has no response id: its span and its log record share trace and span id instead
        assert lake.scalar("select count(*) from raw_traces") == 5


def test_feedback_waits_for_the_call_it_names(post: Callable[..., Reply], settings: Settings) -> None:
    item = {"target": "r-1", "kind": "thumb", "value": -1, "user": "ann", "name": "ui"}
    assert post("feedback", [item, {**item, "target": "r-2"}])[:1] == (200,)
    assert post("feedback", item)[2] == b"{}"
    with Lake.open(settings) as lake:
        said = lake.frame("select trace_id, target_id, kind, value, name from raw_feedback order by target_id").rows()
        assert said == [(None, "r-1", "thumb", -1.0, "ui"), (None, "r-2", "thumb", -1.0, "ui")]
        assert lake.scalar("select count(*) from raw_feedback where actor_hash like '%ann%'") == 0
    assert post("traces", request_of(span(1)))[0] == 200
    with Lake.open(settings) as lake:
        found = lake.frame(
            "select target_id, raw_traces.response_id from raw_feedback join raw_traces using (trace_id)"
        )
        assert found.rows() == [("r-1", "r-1")]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (b"{", "not JSON"),
        (5, "a int, expected an object"),
        ({"kind": "thumb", "value": 1}, "name what it is about"),
        ({"target": "t", "kind": "applause"}, "kind is 'applause', expected one of thumb"),
        ({"target": "t", "kind": "thumb", "value": "up"}, "value is 'up', expected a number"),
        ({"target": "t", "kind": "thumb"}, "needs a 'value'"),
        ([{"target": "t", "kind": "comment"}], "Item 1: 'comment' needs a 'text'"),
    ],
)
def test_feedback_that_says_nothing_is_refused(post: Callable[..., Reply], item: Any, reason: str) -> None:
    status, _, body = post("feedback", item)
    assert status == 400
    assert reason in json.loads(body)["message"]


@pytest.mark.parametrize(
    ("headers", "body", "status", "reason"),
    [
        ({"authorization": "Bearer wrong"}, b"{}", 401, "receive_token"),
        ({"authorization": ""}, b"{}", 401, "receive_token"),
        ({"content_type": "text/plain"}, b"{}", 415, "'text/plain' is not understood"),
        ({"content_encoding": "br"}, b"{}", 415, "'br' is not understood"),
        ({"content_encoding": "gzip"}, b"{}", 400, "not gzip"),
        ({"content_encoding": "gzip"}, gzip.compress(b"{}")[:-9], 400, "ends too early"),
        ({"content_encoding": "gzip"}, gzip.compress(b" " * 2_000_000), 413, "receive_limit_mb"),
        ({}, b" " * 2_000_000, 413, "receive_limit_mb"),
        ({}, b"[]", 400, "not an object with lists 'resourceSpans'"),
        ({}, b'{"resourceSpans": 5}', 400, "'scopeSpans' and 'spans' of objects"),
        ({}, b'{"resourceSpans": [{"scopeSpans": [{"spans": [{}, 5]}]}]}', 400, "'spans' of objects"),
        ({}, b"{", 400, "not JSON"),
    ],
)
def test_a_refusal_says_why(
    post: Callable[..., Reply], headers: dict[str, str], body: bytes, status: int, reason: str
) -> None:
    found, _, said = post("traces", body, **headers)
    assert found == status
    assert reason in json.loads(said)["message"]


def test_without_a_token_only_this_machine_may_send(tmp_path: Path) -> None:
    open_to_all = Settings(lake=str(tmp_path))
    for host in ("127.0.0.1", "localhost", "::1"):
        check_entry(open_to_all, host)
    for host in ("0.0.0.0", "10.0.0.5", "example.org"):  # noqa: S104 - refused
        with pytest.raises(BadSetting, match=r"receive_token.*other machines"):
            check_entry(open_to_all, host)
    check_entry(Settings(lake=str(tmp_path), receive_token=SecretStr("x")), "0.0.0.0")  # noqa: S104
