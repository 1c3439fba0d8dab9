"""What a release would hold: accepted corrections that nobody refused, the same whenever they are gathered."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from flywheel.core.lake import Lake
from flywheel.publish.candidate import Candidate, gather

Row = dict[str, Any]
Corrections = Callable[..., list[Row]]
Land = Callable[..., int]

DAY = date(2026, 1, 5)
NO_PARENT = pl.DataFrame(schema={"correction_id": pl.String, "trace_id": pl.String, "split": pl.String})


def gathered(lake: Lake, day: date = DAY, parent: pl.DataFrame = NO_PARENT) -> Candidate:
    return gather(lake, day, "corrections", parent)


def parent_of(numbers: range, splits: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"correction_id": [f"{n:04x}" for n in numbers], "trace_id": [f"t{n}" for n in numbers], "split": splits}
    )


def ids(candidate: Candidate) -> list[str]:
    return candidate.rows["correction_id"].to_list()


def refused(number: int | None, table: str = "corrections") -> Row:
    name = None if number is None else f"{number:04x}"
    return {
        "day": DAY,
        "quarantine_id": f"q{number}{table}",
        "table_name": table,
        "refused_id": name,
        "reason": "withdrawn",
        "quarantined_at": datetime(2026, 1, 5, tzinfo=UTC),
    }


def preferred(row: Row) -> Row:
    return {"preference_id": f"p{row['correction_id']}"} | {
        key: row[key] for key in ("day", "correction_id", "input", "chosen", "rejected")
    }


def test_everything_accepted_up_to_the_day_is_gathered(memory: Lake, corrections: Corrections, land: Land) -> None:
    tomorrow = DAY + timedelta(days=1)
    rows = [*corrections([3], day=DAY - timedelta(days=9)), *corrections([1]), *corrections([2], day=tomorrow)]
    land(memory, "corrections", rows)
    assert ids(gathered(memory)) == ["0001", "0003"]
    assert ids(gathered(memory, tomorrow)) == ["0001", "0002", "0003"]


@pytest.mark.parametrize(
    ("in_quarantine", "kept"),
    [
        ([refused(1)], ["0002"]),
        ([refused(1), refused(2)], []),
        ([refused(1, "answers")], ["0001", "0002"]),
        ([refused(None)], ["0001", "0002"]),
    ],
    ids=["one", "all", "another_table", "a_row_without_id"],
)
def test_what_is_in_quarantine_is_out(
    memory: Lake, corrections: Corrections, land: Land, in_quarantine: list[Row], kept: list[str]
) -> None:
    land(memory, "corrections", corrections([1, 2]))
    land(memory, "quarantine", in_quarantine)
    assert ids(gathered(memory)) == kept


def test_audits_are_only_kept_apart(memory: Lake, corrections: Corrections, land: Land) -> None:
    rows = corrections(range(20))
    land(memory, "corrections", rows)
    audits = [
        {"day": DAY, "example_id": "x1", "trace_id": "x1", "query": rows[4]["query"], "chosen": "audited"},
        {"day": DAY, "example_id": "x2", "trace_id": "x2", "query": None, "chosen": "audited"},
        {"day": DAY + timedelta(days=1), "example_id": "x3", "trace_id": "x3", "query": "later", "chosen": "audited"},
    ]
    land(memory, "audits", audits)
    found = gathered(memory)
    assert (found.audited, found.rows.height) == ((rows[4]["query"], ""), 20)
    assert "0004" in found.heldout["correction_id"]
    assert "audited" not in found.rows["chosen"]


def test_preferences_are_those_of_training_rows(memory: Lake, corrections: Corrections, land: Land) -> None:
    rows = corrections(range(30))
    land(memory, "corrections", rows)
    land(memory, "preferences", [preferred(row) for row in rows])
    found = gathered(memory)
    assert found.heldout.height > 0
    assert sorted(found.preferences["correction_id"]) == sorted(found.train["correction_id"])


def test_rows_carry_the_name_their_mode_was_first_given(memory: Lake, corrections: Corrections, land: Land) -> None:
    land(memory, "corrections", [*corrections([1], mode_id="m"), *corrections([2])])
    names = [(DAY, "card lost"), (DAY + timedelta(days=1), "card, lost"), (DAY - timedelta(days=1), "lost card")]
    land(memory, "failure_modes", [{"day": day, "mode_id": "m", "name": name} for day, name in names])
    assert gathered(memory).rows["mode_name"].to_list() == ["lost card", None]


def test_the_hash_depends_on_content_and_on_nothing_else(corrections: Corrections, land: Land) -> None:
    rows = corrections(range(12))
    found = set()
    for seed in range(3):
        with Lake.in_memory() as lake:
            shuffled = random.Random(seed).sample(rows, len(rows))
            for start in range(0, 12, 1 + seed):
                day = DAY - timedelta(days=seed * start)
                land(lake, "corrections", [row | {"day": day} for row in shuffled[start : start + 1 + seed]])
            land(lake, "preferences", [preferred(row) for row in shuffled])
            found.add(gathered(lake, DAY + timedelta(days=seed)).content_hash)
    assert len(found) == 1


@pytest.mark.parametrize("column", ["chosen", "rejected", "author_id", "query", "input"])
def test_any_other_content_has_another_hash(memory: Lake, corrections: Corrections, land: Land, column: str) -> None:
    first, second = corrections([1, 2])
    land(memory, "corrections", [first, second])
    with Lake.in_memory() as other:
        land(other, "corrections", [first, second | {column: '[{"role": "user", "content": "other"}]'}])
        assert gathered(memory).content_hash != gathered(other).content_hash


def test_the_side_of_the_parent_is_kept_and_its_rows_are_not_new(
    memory: Lake, corrections: Corrections, land: Land
) -> None:
    land(memory, "corrections", corrections(range(10)))
    before = parent_of(range(8), ["heldout", "train"] * 4)
    found = gathered(memory, parent=before)
    kept = found.rows.filter(pl.col("correction_id") < "0008")["split"].to_list()
    assert kept == ["heldout", "train"] * 4
    assert found.fresh["correction_id"].to_list() == ["0008", "0009"]


def test_rows_of_the_parent_are_lost_unless_somebody_withdrew_them(
    memory: Lake, corrections: Corrections, land: Land
) -> None:
    land(memory, "corrections", corrections([1, 2]))
    land(memory, "quarantine", [refused(2), refused(4)])
    before = parent_of(range(1, 5), ["train"] * 4)
    assert gathered(memory, parent=before).lost_ids == {"0003"}


def test_an_empty_lake_has_an_empty_candidate(memory: Lake) -> None:
    found = gathered(memory)
    assert [part.height for part in (found.rows, found.train, found.heldout, found.fresh, found.preferences)] == [
        0
    ] * 5
    assert found.content_hash == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of nothing
