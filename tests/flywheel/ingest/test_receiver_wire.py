"""A request is refused before what it becomes is more than fits."""

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from flywheel.ingest.receiver_wire import JSON, PROTOBUF, TRACES, Batch, Refusal, read_request

LONG = "x" * 30_000


def protobuf_of(spans: int) -> bytes:
    asked = ExportTraceServiceRequest()
    part = asked.resource_spans.add()
    long = part.resource.attributes.add()
    long.key, long.value.string_value = "k", LONG
    scope = part.scope_spans.add()
    for _ in range(spans):
        scope.spans.add()
    return bytes(asked.SerializeToString())


def json_of(spans: int) -> bytes:
    part = {"resource": {"attributes": [{"key": "k", "value": {"stringValue": LONG}}]}}
    return orjson.dumps({"resourceSpans": [{**part, "scopeSpans": [{"spans": [{}] * spans}]}]})


def test_a_small_request_that_grows_large_is_refused() -> None:
    for body, media_type in ((protobuf_of(10_000), PROTOBUF), (json_of(10_000), JSON)):
        assert len(body) < 70_000
        found = read_request(TRACES, body, media_type)
        assert isinstance(found, Refusal)
        assert found.status == 413
        assert "each with its resource" in found.message


def test_each_record_has_its_resource() -> None:
    for body, media_type in ((protobuf_of(3), PROTOBUF), (json_of(3), JSON)):
        found = read_request(TRACES, body, media_type)
        assert isinstance(found, Batch)
        (attribute,) = orjson.loads(found.records[2])["resourceSpans"][0]["resource"]["attributes"]
        assert (len(found.records), attribute) == (3, {"key": "k", "value": {"stringValue": LONG}})


def test_what_is_nested_too_deep_to_be_written_is_refused() -> None:
    body = b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b'{"a":' * 500 + b"{}" + b"}" * 500 + b"]}]}]}"
    found = read_request(TRACES, body, JSON)
    assert isinstance(found, Refusal)
    assert (found.status, "cannot be written as JSON" in found.message) == (400, True)
