"""Protobuf messages of OpenTelemetry as the JSON that a collector writes: ids in hex, 64-bit numbers as text."""

import base64
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_Json = dict[str, Any]
_MOST_NESTED = 40  # protobuf itself stops at 100


def resource_of(resource: Resource) -> _Json:
    """Return who sent it."""
    return {"attributes": _attributes(resource.attributes)}


def span_record(span: Span) -> _Json:
    """Return a span."""
    return {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_time_unix_nano),
        "endTimeUnixNano": str(span.end_time_unix_nano),
        "attributes": _attributes(span.attributes),
        "events": [
            {
                "timeUnixNano": str(event.time_unix_nano),
                "name": event.name,
                "attributes": _attributes(event.attributes),
            }
            for event in span.events
        ],
        "links": [{"traceId": link.trace_id.hex(), "spanId": link.span_id.hex()} for link in span.links],
        "status": {"code": span.status.code, "message": span.status.message},
    }


def log_record(record: LogRecord) -> _Json:
    """Return a log record."""
    return {
        "timeUnixNano": str(record.time_unix_nano),
        "observedTimeUnixNano": str(record.observed_time_unix_nano),
        "eventName": record.event_name,
        "traceId": record.trace_id.hex(),
        "spanId": record.span_id.hex(),
        "body": _value(record.body),
        "attributes": _attributes(record.attributes),
    }


def _attributes(pairs: Any, depth: int = 0) -> list[_Json]:
    found: list[KeyValue] = list(pairs)
    return [{"key": pair.key, "value": _value(pair.value, depth)} for pair in found]


def _value(value: AnyValue, depth: int = 0) -> _Json:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return {"stringValue": value.string_value}
    if kind == "int_value":
        return {"intValue": str(value.int_value)}
    if kind is None or depth > _MOST_NESTED:
        return {}
    return _rarer(kind, value, depth + 1)


def _rarer(kind: str, value: AnyValue, depth: int) -> _Json:
    if kind == "array_value":
        return {"arrayValue": {"values": [_value(each, depth) for each in value.array_value.values]}}
    if kind == "kvlist_value":
        return {"kvlistValue": {"values": _attributes(value.kvlist_value.values, depth)}}
    if kind == "bytes_value":
        return {"bytesValue": base64.b64encode(value.bytes_value).decode()}
    return {"boolValue": value.bool_value} if kind == "bool_value" else {"doubleValue": value.double_value}
