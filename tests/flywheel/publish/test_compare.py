"""What changed between two releases, and why."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from flywheel.core.ids import tombstone_of
from flywheel.core.releases import Release, publish_files
from flywheel.publish.compare import Difference, compare

NOW = datetime(2026, 1, 9, 9, tzinfo=UTC)
LATER = date(2026, 1, 7)


def difference(desk: Any, before: Release, after: Release) -> Difference:
    return compare(desk.lake, desk.store, before, after)


def told(found: Difference, *columns: str) -> list[tuple[Any, ...]]:
    return found.rows.select("correction_id", "change", "why", *columns).rows()


@pytest.fixture
def withdraw() -> Any:
    def put(desk: Any, number: int) -> None:
        refused = {
            "day": LATER, "quarantine_id": f"q{number}", "table_name": "corrections", "refused_id": f"{number:04x}",
            "reason": "wrong_price", "detail": "priced before the increase", "quarantined_at": NOW,
        }  # fmt: skip
        desk.land("quarantine", [refused])

    return put


def forget(desk: Any, number: int) -> None:
    """Do to the lake what `forget` does for one call."""
    buried = {
        "day": LATER,
        "subject_hash": tombstone_of(f"t{number}"),
        "kind": "trace",
        "forgotten_at": datetime(2026, 1, 8, tzinfo=UTC),
    }
    desk.land("forgotten", [buried])
    with desk.lake.transaction("forget") as cursor:
        cursor.execute("delete from lake.corrections where trace_id = $trace", {"trace": f"t{number}"})


def test_each_row_that_differs_has_its_reason(desk: Any, withdraw: Any) -> None:
    desk.correct(range(40))
    first = desk.released()
    desk.correct(range(40, 43), day=LATER, author_id="bob")
    withdraw(desk, 3)
    forget(desk, 5)
    second = desk.released(LATER)
    found = difference(desk, first, second)
    assert found.counts == {"added": 3, "removed": 2, "changed": 0, "same": 38}
    assert told(found, "detail") == [
        *[(f"{number:04x}", "added", "accepted", "by bob on 2026-01-07") for number in range(40, 43)],
        ("0003", "removed", "wrong_price", "priced before the increase"),
        ("0005", "removed", "forgotten", "its call was forgotten on 2026-01-08"),
    ]
    assert found.reasons[0] == {"change": "added", "why": "accepted", "rows": 3}
    assert found.rows["query"].null_count() == 0


def test_backwards_is_the_other_way_round(desk: Any, withdraw: Any) -> None:
    desk.correct(range(40))
    first = desk.released()
    desk.correct([40], day=LATER)
    withdraw(desk, 3)
    found = difference(desk, desk.released(LATER), first)
    assert told(found) == [("0003", "added", "wrong_price"), ("0028", "removed", "not_in_that_version")]


def test_a_row_that_went_without_a_reason_is_told(desk: Any) -> None:
    desk.correct(range(40))
    first = desk.released()
    names = first.manifest["files"]
    # nobody can publish that, the gate refuses it; somebody may put such a release there by hand
    files = {name: desk.store.read(f"{first.folder}/{name}") for name in names}
    files["train.parquet"] = files["heldout.parquet"]
    second = publish_files(desk.store, "corrections", files, {"content_hash": "other", "parent": 1}, NOW)
    found = difference(desk, first, second)
    assert set(found.rows["why"]) == {"unexplained"}
    assert found.counts["removed"] == first.manifest["rows"]["train"]


def test_a_row_that_says_something_else_names_its_columns(desk: Any) -> None:
    desk.correct(range(40))
    first = desk.released()
    with desk.lake.transaction("correct a price") as cursor:
        cursor.execute("update lake.corrections set cost_usd = 0.75, family = 'x' where correction_id = '0007'")
    found = difference(desk, first, desk.released())
    assert told(found, "columns", "detail") == [
        ("0007", "changed", "updated", ["cost_usd", "family"], "now differs in cost_usd, family")
    ] or told(found, "columns") == [("0007", "changed", "updated", ["family", "cost_usd"])]


def test_a_trained_row_whose_twin_is_audited_is_retired(desk: Any) -> None:
    desk.correct(range(40))
    first = desk.released()
    taught = sorted(desk.ids_in(1, "train"))[0]
    query = desk.lake.scalar("select query from corrections where correction_id = $id", id=taught)
    desk.land("audits", [{"day": LATER, "example_id": "a1", "query": query, "is_failure": False}])
    found = difference(desk, first, desk.released(LATER))
    assert told(found, "split_before", "split_after") == [(taught, "changed", "retired", "train", "retired")]


def test_nothing_differs_from_itself(desk: Any) -> None:
    desk.correct(range(40))
    first = desk.released()
    found = difference(desk, first, first)
    assert (found.counts, found.reasons, found.rows.height) == (
        {"added": 0, "removed": 0, "changed": 0, "same": 40},
        [],
        0,
    )
