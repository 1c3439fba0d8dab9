"""Around every endpoint: the fault switches before and after it, errors in OpenAI's shape, the counts."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from flywheel.core.errors import DataError
from flywheel.llm.local.counts import Served
from flywheel.llm.local.faults import HEADER, Fault, FaultKind, Switches
from flywheel.llm.local.wire import ApiError, Json, encode, error_reply, json_reply

Endpoint = Callable[[Request], Awaitable[Json | Response]]

_OTHER_SCHEMA = '{"unexpected": {"schema": true}}'


class CutResponse(Response):
    """Announce the whole body, send half of it and end the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's shape
        """Send what is to arrive."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


class Guard:
    """Wrap endpoints that return JSON or a whole response."""

    def __init__(self, switches: Switches, served: Served) -> None:
        self._switches = switches
        self._served = served

    def around(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint with everything around it."""

        async def guarded(request: Request) -> Response:
            try:
                return await self._answer(endpoint, request)
            except ApiError as error:
                return error_reply(error)
            except DataError as error:
                return error_reply(ApiError(str(error), 500))

        return guarded

    async def _answer(self, endpoint: Endpoint, request: Request) -> Response:
        faults = self._switches.due(request.url.path, request.headers.get(HEADER))
        for kind in faults:
            self._served.add_fault(kind.value)
        if FaultKind.LATENCY in faults:
            await asyncio.sleep(faults[FaultKind.LATENCY].ms / 1000)
        refusal = _refusal(faults)
        if refusal is not None:
            return refusal
        body = await endpoint(request)
        return body if isinstance(body, Response) else self._written(body, faults)

    def _written(self, body: Json, faults: dict[FaultKind, Fault]) -> Response:
        is_cut, is_garbled = FaultKind.TRUNCATED in faults, FaultKind.MALFORMED in faults
        self._served.add_reply(body, readable=not (is_cut or is_garbled))
        if FaultKind.WRONG_JSON in faults:
            _spoil(body)
        if is_cut:
            return CutResponse(encode(body), media_type="application/json")
        if is_garbled:
            return Response(encode(body)[:-2] + b",,", media_type="application/json")
        return json_reply(body)


def _refusal(faults: dict[FaultKind, Fault]) -> Response | None:
    busy, broken = faults.get(FaultKind.RATE_LIMIT), faults.get(FaultKind.SERVER_ERROR)
    if busy is not None:
        wait = f"{busy.retry_after_seconds:g}"
        error = ApiError(f"Rate limit reached; try again in {wait} s.", 429, None, "rate_limit_exceeded")
        return error_reply(error, {"retry-after": wait})
    if broken is not None:
        return error_reply(ApiError("The server had an error on purpose; try again.", int(broken.status)))
    return None


def _spoil(body: dict[str, Any]) -> None:
    for choice in body.get("choices", ()):
        choice["message"]["content"] = _OTHER_SCHEMA
