"""Where repeats of a day's failures went before."""

from collections.abc import Callable
from datetime import date, timedelta
from time import process_time
from typing import Any

import polars as pl

from flywheel.core.lake import Lake
from flywheel.mine.known_modes import repeats_of

DAY = date(2026, 1, 5)
Land = Callable[[str, list[dict[str, Any]]], int]


def test_the_newest_of_the_same_note_decides_and_a_near_duplicate_not_before_it(memory: Lake, land: Land) -> None:
    for back, trace_id, note, mode_id in [(3, "a", "x", "old"), (2, "b", "x", "new"), (1, "c", "y", "near")]:
        day = DAY - timedelta(days=back)
        land("mode_members", [{"day": day, "trace_id": trace_id, "note": note, "mode_id": mode_id}])
        land("duplicates", [{"day": day, "trace_id": trace_id, "group_id": trace_id}])
    land("duplicates", [{"day": DAY, "trace_id": trace_id, "group_id": "c"} for trace_id in ("s", "t")])
    notes = pl.DataFrame({"trace_id": ["s", "t", "u"], "note": ["x", "z", "z"]})
    assert repeats_of(memory, DAY, notes) == {"s": "new", "t": "near"}


def test_a_note_that_everybody_has_does_not_cost_its_square(memory: Lake) -> None:
    count = 20_000
    notes = pl.DataFrame({"trace_id": [f"t{row}" for row in range(count)]}).with_columns(
        note=pl.lit("kind: tool_error")
    )
    rows = notes.with_columns(mode_id=pl.lit("m"), similarity=pl.lit(1.0), note_origin=pl.lit("evidence"))
    memory.replace("mode_members", DAY - timedelta(days=1), rows, "")
    start = process_time()
    assert len(repeats_of(memory, DAY, notes)) == count
    assert process_time() - start < 20  # the square took more than a hundred seconds
