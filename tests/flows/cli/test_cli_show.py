"""How values are printed."""

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from flows.cli.show import as_json, readable


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (date(2026, 3, 2), '"2026-03-02"'),
        (datetime(2026, 3, 2, 8, tzinfo=UTC), '"2026-03-02T08:00:00+00:00"'),
        (math.nan, "null"),
        (math.inf, "null"),
        (Decimal("1.50"), "1.5"),
        (2**70, "1180591620717411303424"),
        (True, "true"),
        (timedelta(hours=1), '"1:00:00"'),
        (b"\xaa\x00", '"aa00"'),
        ("Straße", '"Straße"'),
    ],
)
def test_json_has_what_json_can_say(value: Any, printed: str) -> None:
    assert as_json(value) == printed


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (None, "-"),
        (math.nan, "-"),
        (0.123456, "0.1235"),
        ({"train": 40, "heldout": 6}, "train 40, heldout 6"),
        (["a", "b"], "a, b"),
        ("two\nlines", "two lines"),
        ("\x1b[2Jcleared", "�[2Jcleared"),
        ("right\u202eleft", "right�left"),
        ("x" * 200, "x" * 159 + "…"),
    ],
)
def test_cells_are_short_and_harmless(value: Any, printed: str) -> None:
    assert readable(value) == printed
