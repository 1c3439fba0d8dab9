"""The shape of replies: OpenAI's error body, lists with cursors, JSON bytes."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flywheel.core.errors import UsageError

Json = dict[str, Any]

_MOST_PER_PAGE = 100


class ApiError(UsageError):
    """A request this provider refuses; it becomes OpenAI's error body."""

    def __init__(self, message: str, status: int = 400, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code


def missing(noun: str, wanted: str, param: str, code: str = "not_found") -> ApiError:
    """Build the error for an id nobody knows."""
    return ApiError(
        f"There is no {noun} {wanted!r} here. List what there is and use an id from it.", 404, param, code
    )


def json_reply(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Encode a body once, without models in between."""
    return Response(encode(body), status, headers, "application/json")


def encode(body: Json) -> bytes:
    """Turn a body into JSON bytes."""
    return json.dumps(body, separators=(",", ":")).encode()


def error_reply(error: ApiError, headers: Mapping[str, str] | None = None) -> Response:
    """Build OpenAI's error body: message, type, param and code."""
    kind = _KINDS.get(error.status, "server_error" if error.status >= 500 else "invalid_request_error")
    fields = {"message": str(error), "type": kind, "param": error.param, "code": error.code}
    return json_reply({"error": fields}, error.status, headers)


_KINDS = {429: "rate_limit_error"}


async def read_body(request: Request) -> Json:
    """Read a JSON object; raises ApiError when the body is not one."""
    raw = await request.body()
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise ApiError(f"The body {raw[:60]!r} is not JSON: {error}. Send a JSON object.") from error
    if not isinstance(body, dict):
        raise ApiError(f"The body is {raw[:60]!r}; expected a JSON object.")
    return body


def read_number(body: Json, name: str, bounds: tuple[float, float], default: float) -> float:
    """Read an optional number within bounds; raises ApiError that names the parameter."""
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not bounds[0] <= value <= bounds[1]:
        raise ApiError(f"{name} is {value!r}; expected a number from {bounds[0]:g} to {bounds[1]:g}.", 400, name)
    return value


def read_whole(body: Json, name: str, bounds: tuple[int, int], default: int) -> int:
    """Read an optional whole number within bounds; raises ApiError that names the parameter."""
    value = read_number(body, name, bounds, default)
    if not isinstance(value, int):
        raise ApiError(f"{name} is {value!r}; expected a whole number.", 400, name)
    return value


def page(rows: Sequence[Json], request: Request) -> Json:
    """Cut one page out of a list: `after` is the last id already seen, `limit` the page's length."""
    query = request.query_params
    limit = query.get("limit", "20")
    if not limit.isdigit() or int(limit) < 1:
        raise ApiError(f"limit is {limit!r}; expected a whole number above 0.", 400, "limit")
    ids = [row["id"] for row in rows]
    after = query.get("after")
    if after and after not in ids:
        raise missing("list entry", after, "after")
    start = ids.index(after) + 1 if after else 0
    end = start + min(int(limit), _MOST_PER_PAGE)
    shown = list(rows[start:end])
    edges = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {}
    return {"object": "list", "data": shown, "has_more": end < len(rows), **edges}


def finite(value: float) -> float:
    """Keep a log probability writable: JSON has no minus infinity, OpenAI writes -9999."""
    return value if math.isfinite(value) else -9999.0
