"""Switches that make this provider fail on purpose, as real providers do, so that tests can watch."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from random import Random
from typing import Any

from flywheel.llm.local.wire import ApiError

HEADER = "x-flywheel-fault"


class FaultKind(StrEnum):
    """Name what can go wrong."""

    LATENCY = "latency"  # the answer comes `ms` late
    RATE_LIMIT = "rate_limit"  # 429 with Retry-After
    SERVER_ERROR = "server_error"  # 5xx
    TRUNCATED = "truncated"  # the connection ends in the middle of the body
    MALFORMED = "malformed"  # a whole reply whose body is not JSON
    WRONG_JSON = "wrong_json"  # a chat answer that is JSON of another schema
    SLOW_TRAINING = "slow_training"  # a fine-tuning job runs `ms` longer


@dataclass(frozen=True, slots=True)
class Fault:
    """Say when a fault fires and how: with a probability, or for the `next` requests only."""

    probability: float = 1.0
    seed: int = 0
    next: int | None = None
    path: str = "/v1/"
    ms: float = 100.0
    retry_after_seconds: float = 1.0
    status: int = 500


_NAMES = tuple(field.name for field in fields(Fault))


class _Armed:
    """Keep a fault with its own random stream and what is left of it."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.left = fault.next
        self._random = Random(fault.seed)

    def fires(self, path: str) -> bool:
        if not path.startswith(self.fault.path) or self.left == 0:
            return False
        if self._random.random() >= self.fault.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Switches:
    """Hold the armed faults; setting replaces all of them."""

    def __init__(self, wanted: Mapping[str, Any] | None = None) -> None:
        self._armed: dict[FaultKind, _Armed] = {}
        self.set(wanted or {})

    def set(self, wanted: Mapping[str, Any]) -> None:
        """Arm exactly these faults: {"rate_limit": {"next": 2, "retry_after_seconds": 1}}."""
        self._armed = {kind: _Armed(fault) for kind, fault in read_faults(wanted).items()}

    def due(self, path: str, header: str | None) -> dict[FaultKind, Fault]:
        """Return the faults that fire for this request, from the switches and its own header."""
        fired: dict[FaultKind, Fault] = {
            kind: armed.fault
            for kind, armed in self._armed.items()
            if kind is not FaultKind.SLOW_TRAINING and armed.fires(path)
        }
        return fired if header is None else fired | read_header(header)

    def training_delay_seconds(self) -> float:
        """Return how much longer the next job is to run."""
        armed = self._armed.get(FaultKind.SLOW_TRAINING)
        return armed.fault.ms / 1000 if armed and armed.fires(armed.fault.path) else 0.0

    def shown(self) -> dict[str, Any]:
        """Return what is armed, and how many requests each still has."""
        return {kind.value: {**asdict(armed.fault), "left": armed.left} for kind, armed in self._armed.items()}


def read_faults(wanted: Mapping[str, Any]) -> dict[FaultKind, Fault]:
    """Read faults from plain data; raises ApiError for a name or setting that does not exist."""
    return {_read_kind(name): _read_fault(name, settings) for name, settings in wanted.items()}


def read_header(header: str) -> dict[FaultKind, Fault]:
    """Read a request's own faults: a bare name, or the same JSON the switches take."""
    if not header.lstrip().startswith("{"):
        return read_faults({header.strip(): {}})
    try:
        return read_faults(json.loads(header))
    except ValueError as error:
        raise ApiError(f"The header {HEADER} is {header!r}, which is not JSON: {error}.") from error


def _read_kind(name: str) -> FaultKind:
    if name not in list(FaultKind):
        raise ApiError(f"There is no fault {name!r}. Faults: {', '.join(sorted(FaultKind))}.")
    return FaultKind(name)


def _read_fault(name: str, settings: object) -> Fault:
    if not isinstance(settings, dict):
        raise ApiError(f"Fault {name!r} is set to {settings!r}; expected an object with {', '.join(_NAMES)}.")
    unknown = sorted(set(settings) - set(_NAMES))
    if unknown:
        raise ApiError(f"Fault {name!r} has no setting {unknown[0]!r}. Settings: {', '.join(_NAMES)}.")
    for setting, value in settings.items():
        expected = str if setting == "path" else int | float
        if isinstance(value, bool) or not isinstance(value, expected):
            raise ApiError(f"Fault {name!r} has {setting} {value!r}; expected a number (path: a text).")
    return Fault(**settings)
