"""Receive spans, log records and feedback over HTTP; a 200 means that they are in the lake."""

import asyncio
import hmac
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from flywheel.core.errors import BadSetting, MissingPart
from flywheel.core.settings import Settings
from flywheel.ingest.receiver_groups import Groups, Landed
from flywheel.ingest.receiver_wire import (
    FEEDBACK,
    JSON,
    LOGS,
    PROTOBUF,
    TRACES,
    Refusal,
    answer,
    inflate,
    most_of_records,
    read_request,
    refusal_body,
    too_large,
)

if TYPE_CHECKING:
    import uvicorn

_MEGABYTE = 1024 * 1024
_MOST_REASONS = 5
_STOP_SECONDS = 10
_BODY_SECONDS = 30.0
_MOST_CONNECTIONS = 128
_HEARD_OUT = 4  # times the limit: larger requests are cut off

Endpoint = Callable[[Request], Awaitable[Response]]


class _Endpoints:
    """What is answered at each address."""

    def __init__(self, settings: Settings, groups: Groups, body_seconds: float) -> None:
        self._token = settings.receive_token.get_secret_value()
        self._limit = settings.receive_limit_mb * _MEGABYTE
        self._most = most_of_records(settings.receive_limit_mb)
        self._body_seconds = body_seconds
        self._groups = groups

    def of(self, kind: str) -> Endpoint:
        """Return the endpoint of one kind of request."""

        async def endpoint(request: Request) -> Response:
            media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            refusal = self._without_entry(request)
            outcome = refusal or await self._taken(kind, media_type, request)
            return _reply(kind, media_type, outcome)

        return endpoint

    async def health(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint takes the request
        """Say whether requests are answered."""
        if self._groups.is_broken:
            return Response(b'{"status": "broken"}', 503, media_type=JSON)
        return Response(b'{"status": "ok"}', media_type=JSON)

    def _without_entry(self, request: Request) -> Refusal | None:
        given = request.headers.get("authorization", "")
        wanted = f"Bearer {self._token}"
        if not self._token or hmac.compare_digest(given.encode(), wanted.encode()):
            return None
        return Refusal(401, "Send the header 'Authorization: Bearer TOKEN' with the token that receive_token has.")

    async def _taken(self, kind: str, media_type: str, request: Request) -> Landed | Refusal:
        try:
            body = await asyncio.wait_for(_body(request, self._limit), self._body_seconds)
        except TimeoutError:
            return Refusal(408, f"The body took longer than {self._body_seconds:g} seconds; send it faster.")
        if isinstance(body, Refusal):
            return body
        encoding = request.headers.get("content-encoding", "").strip().lower()
        plain = await asyncio.to_thread(inflate, body, encoding, self._limit)
        if isinstance(plain, Refusal):
            return plain
        batch = await asyncio.to_thread(read_request, kind, plain, media_type, self._most)
        if isinstance(batch, Refusal):
            return batch
        return await self._groups.land(batch) if batch.records else Landed(())


async def _body(request: Request, limit: int) -> bytes | Refusal:
    """Return the body, of which no more than the limit is ever held.

    What is a little too large is read to its end and thrown away: who is still sending would not hear the refusal.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > _HEARD_OUT * limit:
        return too_large(limit)
    held, seen = bytearray(), 0
    try:
        async for chunk in request.stream():
            seen += len(chunk)
            if seen > _HEARD_OUT * limit:
                return too_large(limit)
            if seen <= limit:
                held += chunk
    except ClientDisconnect:
        return Refusal(400, "The request ended before its body did.")
    return bytes(held) if seen <= limit else too_large(limit)


def _reply(kind: str, media_type: str, outcome: Landed | Refusal) -> Response:
    spoken = PROTOBUF if media_type == PROTOBUF else JSON
    if isinstance(outcome, Landed):
        message = _told(outcome)
        return Response(answer(kind, spoken, len(outcome.refused), message), media_type=spoken)
    headers = {"retry-after": str(outcome.retry_after_seconds)} if outcome.retry_after_seconds else {}
    if outcome.status == 401:
        headers["www-authenticate"] = "Bearer"
    if outcome.status == 408:
        headers["connection"] = "close"  # or the rest of the body may go on coming
    return Response(refusal_body(spoken, outcome), outcome.status, headers, media_type=spoken)


def _told(landed: Landed) -> str:
    """Return why records went to quarantine, each reason once."""
    found = list(dict.fromkeys((each.reason, each.detail) for each in landed.refused))[:_MOST_REASONS]
    told = "; ".join(f"{reason} ({detail})" for reason, detail in found)
    return f"{len(landed.refused)} in quarantine: {told}" if told else ""


def create_app(settings: Settings, groups: Groups | None = None, *, body_seconds: float = _BODY_SECONDS) -> FastAPI:
    """Build the application, which holds the lake open while it runs."""
    groups = groups or Groups(settings)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        del app
        await groups.open()
        yield
        await groups.close()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=life)
    endpoints = _Endpoints(settings, groups, body_seconds)
    for kind in (TRACES, LOGS, FEEDBACK):
        app.add_route(f"/v1/{kind}", endpoints.of(kind), ["POST"])
    app.add_route("/health", endpoints.health, ["GET"])
    return app


def check_entry(settings: Settings, host: str) -> None:
    """Refuse to listen to the network without a token.

    Raises:
        BadSetting: there is no token and the host is not loopback.

    """
    if not settings.receive_token.get_secret_value() and not _is_loopback(host):
        raise BadSetting("receive_token", "", f"a secret, because {host!r} can be reached from other machines")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def run(settings: Settings, host: str, port: int) -> None:
    """Serve in the foreground until interrupted; what was taken by then is landed and answered.

    Raises:
        BadSetting: there is no token and the host is not loopback.
        MissingPart: the port is taken.

    """
    check_entry(settings, host)
    with _bound(host, port) as listener:
        server_of(create_app(settings)).run(sockets=[listener])


def server_of(app: FastAPI, *, port: int = 0, most_connections: int = _MOST_CONNECTIONS) -> "uvicorn.Server":
    """Return the server of the application; one more connection than it may have is answered 503."""
    import uvicorn

    config = uvicorn.Config(
        app,
        port=port,
        log_level="warning",
        access_log=False,
        limit_concurrency=most_connections,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    return uvicorn.Server(config)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named as TCP, or asyncio leaves Nagle's algorithm on and every call waits 40 ms for it
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise MissingPart(f"Port {port} on {host}", f"It cannot be used ({error}); choose another.") from error
    return listener
