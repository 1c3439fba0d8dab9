import asyncio
from typing import Any

import pytest
from prefect.states import Failed

from flywheel.core.errors import (
    BadSetting,
    FlywheelError,
    GateRefused,
    LakeBusy,
    ProviderBusy,
    StoreBusy,
    VersionTaken,
)
from tasks.running import is_transient, run_id

ANY: Any = None

CASES: list[tuple[Exception, bool]] = [
    (LakeBusy("lake", 120.0), True),
    (ProviderBusy("wheel-small", "429"), True),
    (StoreBusy("s3://b/k", "503"), True),
    (VersionTaken("corrections", 7), True),
    (GateRefused("corrections", ["x"], 3), False),
    (BadSetting("lake", 1, "a folder"), False),
    (FlywheelError("some other"), False),
    (ValueError("a bug"), False),
]


@pytest.mark.parametrize(("error", "expected"), CASES, ids=lambda value: type(value).__name__)
def test_only_transient_errors_are_worth_another_try(error: Exception, expected: bool) -> None:
    assert asyncio.run(is_transient(ANY, ANY, Failed(data=error))) is expected


def test_there_is_no_run_id_outside_of_a_run() -> None:
    assert run_id() == ""
