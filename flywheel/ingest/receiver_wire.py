"""What OpenTelemetry's exporters send over HTTP, and what they understand as an answer.

https://opentelemetry.io/docs/specs/otlp/#otlphttp. A request becomes records of one span or log record each, in the
JSON that a collector writes, so that what is refused is refused alone.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from flywheel.ingest.receiver_values import log_record, resource_of, span_record

PROTOBUF, JSON = "application/x-protobuf", "application/json"
TRACES, LOGS, FEEDBACK = "traces", "logs", "feedback"

# the names of one kind of request: its list, the lists in it
_LISTS = {
    TRACES: ("resourceSpans", "scopeSpans", "spans"),
    LOGS: ("resourceLogs", "scopeLogs", "logRecords"),
}
_KINDS = (
    "thumb", "rating", "edit", "comment", "demonstration", "outcome", "evaluation", "regenerate", "escalation",
)  # fmt: skip
_TEXT_KINDS = ("edit", "comment", "demonstration")
_VALUE_KINDS = ("thumb", "rating", "outcome")
_MOST_FEEDBACK = 10_000
_RECORD_OVERHEAD = 100  # bytes that Python takes for a record beside its text, about
_LEAST_BOUND = 64 * 1024 * 1024
_Tree = Any  # decoded JSON that nobody vouches for
_Sent = tuple[orjson.Fragment, orjson.Fragment, _Tree]  # resource and scope as JSON, a span or log record


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not taken, as an HTTP status and a sentence."""

    status: int
    message: str
    retry_after_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """The records of one request, each the text of a JSON object."""

    kind: str
    records: tuple[str, ...]

    @property
    def size(self) -> int:
        """Return about how much memory it takes."""
        return sum(map(len, self.records)) + _RECORD_OVERHEAD * len(self.records)


def inflate(body: bytes, encoding: str, limit: int) -> bytes | Refusal:
    """Return the body without its compression; no more than `limit` bytes of it are ever made."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        return Refusal(415, f"Content-Encoding {encoding!r} is not understood; use gzip or none.")
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either header
    try:
        plain = inflater.decompress(body, limit + 1)
    except zlib.error as broken:
        return Refusal(400, f"The body is not {encoding}: {broken}.")
    if len(plain) > limit:
        return too_large(limit)
    return plain if inflater.eof else Refusal(400, f"The {encoding} body ends too early.")


def too_large(limit: int) -> Refusal:
    """Return the refusal of what is more than we hold in memory."""
    return Refusal(413, f"The request has more than {limit} bytes; send smaller batches or raise receive_limit_mb.")


def most_of_records(limit_mb: int) -> int:
    """Return how many bytes the records of a request may take: each repeats the resource that it is of."""
    return max(_LEAST_BOUND, 4 * limit_mb * 1024 * 1024)


def too_many_records(most: int) -> Refusal:
    """Return the refusal of a request whose records are more than we hold in memory."""
    return Refusal(413, f"The request's records, each with its resource, have more than {most} bytes; send fewer.")


def read_request(kind: str, body: bytes, media_type: str, most: int = _LEAST_BOUND) -> Batch | Refusal:
    """Return what a request holds, or why that cannot be said; of records no more than `most` bytes are made."""
    if kind == FEEDBACK:
        return _feedback(body) if media_type == JSON else _not_understood(media_type, JSON)
    if media_type == PROTOBUF:
        return _from_protobuf(kind, body, most)
    if media_type == JSON:
        return _from_json(kind, body, most)
    return _not_understood(media_type, f"{PROTOBUF} or {JSON}")


def _not_understood(media_type: str, expected: str) -> Refusal:
    return Refusal(415, f"Content-Type {media_type!r} is not understood; send {expected}.")


def _from_protobuf(kind: str, body: bytes, most: int) -> Batch | Refusal:
    request: Any = ExportTraceServiceRequest() if kind == TRACES else ExportLogsServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as broken:
        return Refusal(400, f"The body is no protobuf of {type(request).__name__}: {broken}.")
    return _batch(kind, _spans_of(request) if kind == TRACES else _logs_of(request), most)


def _spans_of(request: ExportTraceServiceRequest) -> Iterator[_Sent]:
    for part in request.resource_spans:
        resource = _fragment(resource_of(part.resource))
        for scope in part.scope_spans:
            named = _fragment({"name": scope.scope.name})
            yield from ((resource, named, span_record(span)) for span in scope.spans)


def _logs_of(request: ExportLogsServiceRequest) -> Iterator[_Sent]:
    for part in request.resource_logs:
        resource = _fragment(resource_of(part.resource))
        for scope in part.scope_logs:
            named = _fragment({"name": scope.scope.name})
            yield from ((resource, named, log_record(record)) for record in scope.log_records)


def _fragment(tree: _Tree) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(tree))


def _batch(kind: str, sent: Iterable[_Sent], most: int) -> Batch | Refusal:
    """Return a record for each item, unless they grow too large: a long resource is repeated in every one."""
    parts, scopes, items = _LISTS[kind]
    records, size = [], 0
    try:
        for resource, scope, item in sent:
            # the resource last: quarantine keeps the beginning, and what tells records apart should be there
            wrapped = {parts: [{scopes: [{"scope": scope, items: [item]}], "resource": resource}]}
            record = orjson.dumps(wrapped).decode()
            size += len(record) + _RECORD_OVERHEAD
            if size > most:
                return too_many_records(most)
            records.append(record)
    except orjson.JSONEncodeError as broken:
        return Refusal(400, f"A record cannot be written as JSON: {broken}.")
    return Batch(kind, tuple(records))


def _from_json(kind: str, body: bytes, most: int) -> Batch | Refusal:
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        return Refusal(400, f"The body is not JSON: {broken}.")
    parts, scopes, items = _LISTS[kind]
    if not isinstance(request, dict) or not _holds_objects(request.get(parts), (scopes, items)):
        return Refusal(400, f"The body is not an object with lists {parts!r}, {scopes!r} and {items!r} of objects.")
    return _batch(kind, _items_of(request, parts, scopes, items), most)


def _items_of(request: _Tree, parts: str, scopes: str, items: str) -> Iterator[_Sent]:
    for part in request.get(parts) or []:
        resource = _fragment(part.get("resource"))
        for scope in part.get(scopes) or []:
            named = _fragment(scope.get("scope"))
            yield from ((resource, named, item) for item in scope.get(items) or [])


def _holds_objects(found: _Tree, inner: tuple[str, ...]) -> bool:
    """Whether a list, where there is one, holds nothing but objects, and so do the lists in them."""
    if found is None:
        return True
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        return False
    return not inner or all(_holds_objects(each.get(inner[0]), inner[1:]) for each in found)


def _feedback(body: bytes) -> Batch | Refusal:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        return Refusal(400, f"The body is not JSON: {broken}.")
    items = said if isinstance(said, list) else [said]
    if len(items) > _MOST_FEEDBACK:
        return Refusal(413, f"{len(items)} items are too many at once; send at most {_MOST_FEEDBACK}.")
    for number, item in enumerate(items, start=1):
        if wrong := _wrong_with(item):
            return Refusal(400, f"Item {number}: {wrong}")
    return Batch(FEEDBACK, tuple(orjson.dumps(item).decode() for item in items))


def _wrong_with(item: _Tree) -> str:
    """Return what is wrong with an item of feedback, or nothing."""
    if not isinstance(item, dict):
        return f"a {type(item).__name__}, expected an object."
    named = item.get("trace_id") or item.get("target")
    if not isinstance(named, str):
        return "name what it is about: 'trace_id' or 'target', as text."
    if item.get("kind") not in _KINDS:
        return f"kind is {item.get('kind')!r}, expected one of {', '.join(_KINDS)}."
    return _wrong_content(item["kind"], item.get("value"), item.get("text"))


def _wrong_content(kind: str, value: _Tree, text: _Tree) -> str:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        return f"value is {value!r}, expected a number."
    if kind in _TEXT_KINDS and not isinstance(text, str):
        return f"{kind!r} needs a 'text'."
    if kind in _VALUE_KINDS and value is None:
        return f"{kind!r} needs a 'value'."
    return ""


def answer(kind: str, media_type: str, rejected: int, message: str) -> bytes:
    """Return the body of a 200: empty success, or how many of the records are in quarantine and why."""
    names = {TRACES: "rejectedSpans", LOGS: "rejectedLogRecords", FEEDBACK: "rejectedItems"}
    if media_type != PROTOBUF:
        partial = {names[kind]: str(rejected) if kind != FEEDBACK else rejected, "errorMessage": message}
        return orjson.dumps({"partialSuccess": partial} if rejected else {})
    response: Any = ExportTraceServiceResponse() if kind == TRACES else ExportLogsServiceResponse()
    if rejected:
        setattr(response.partial_success, "rejected_spans" if kind == TRACES else "rejected_log_records", rejected)
        response.partial_success.error_message = message
    return bytes(response.SerializeToString())


def refusal_body(media_type: str, refusal: Refusal) -> bytes:
    """Return a google.rpc.Status with only its message, field 2, as the protocol asks."""
    if media_type != PROTOBUF:
        return orjson.dumps({"message": refusal.message})
    text, length = refusal.message.encode(), b""
    left = len(text)
    while left > 127:
        length, left = length + bytes([left & 127 | 128]), left >> 7
    return b"\x12" + length + bytes([left]) + text
