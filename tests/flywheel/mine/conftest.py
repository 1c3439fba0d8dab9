"""A lake without storage, and rows that name only the columns that matter."""

from collections.abc import Callable
from typing import Any

import pytest

from flywheel.core.lake import Lake


@pytest.fixture
def memory() -> Lake:
    return Lake.in_memory()


@pytest.fixture
def land(memory: Lake) -> Callable[..., int]:
    """Return what lands rows in `memory`."""

    def rows(table: str, rows: list[dict[str, Any]]) -> int:
        return memory.land(table, memory.typed(table, rows))

    return rows
