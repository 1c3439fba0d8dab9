"""`flywheel lake`'s check, repair and compaction, wherever objects and catalog are."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from flywheel.core.errors import BrokenLake
from flywheel.core.lake import Lake
from flywheel.core.lake_check import check_tables
from flywheel.core.lake_compact import compact_lake
from flywheel.core.lake_repair import repair_lake
from flywheel.core.repair_steps import RepairPolicy
from flywheel.core.settings import Settings
from flywheel.core.storage import open_store

pytestmark = [pytest.mark.team, pytest.mark.xdist_group("team")]
THURSDAY, FRIDAY = date(2026, 1, 1), date(2026, 1, 2)


@pytest.fixture
def kept(settings: Settings) -> Iterator[Lake]:
    with Lake.open(settings) as lake:
        for day, part in ((THURSDAY, "a"), (FRIDAY, "a"), (FRIDAY, "b")):
            made = [
                {
                    "day": day,
                    "correction_id": f"{day}{part}{number}",
                    "chosen": "Rome",
                    "rejected": f"{day}{part}{number}",
                }
                for number in range(20)
            ]
            lake.land("corrections", lake.typed("corrections", made))
            lake.build("preferences", day)
        lake.land(
            "corrections", lake.typed("corrections", [{"day": FRIDAY, "correction_id": "few", "chosen": "Rome"}])
        )
        yield lake


def found(lake: Lake, *, is_deep: bool = False) -> list[tuple[str, str]]:
    check = check_tables(lake, open_store(lake.settings), datetime.now(UTC), is_deep=is_deep)
    return [(finding.kind.value, finding.object) for finding in check.findings if finding.kind != "uncompacted"]


def test_what_happens_to_an_object_is_noticed_and_repaired(kept: Lake) -> None:
    store = open_store(kept.settings)
    assert found(kept) == []
    assert found(kept, is_deep=True) == []
    before = kept.frame("select * exclude (run_id) from preferences order by preference_id")
    (lost,) = store.names("tables/main/preferences/day=2026-01-01")
    store.delete(lost)
    changed = store.names("tables/main/corrections/day=2026-01-02")[0]
    data = bytearray(store.read(changed))
    data[len(data) // 3] ^= 0xFF
    store.put(changed, bytes(data))
    stray = "tables/main/corrections/stray.parquet"
    store.put(stray, b"x")
    assert found(kept) == [("missing", lost), ("orphaned", stray)]
    assert found(kept, is_deep=True) == [("missing", lost), ("corrupted", changed), ("orphaned", stray)]
    steps = repair_lake(kept, store, datetime.now(UTC) + timedelta(hours=25), RepairPolicy())
    assert {(step.state.value, step.object) for step in steps} == {("done", lost), ("done", stray)}
    assert kept.frame("select * exclude (run_id) from preferences order by preference_id").equals(before)


def test_compaction_keeps_the_rows_of_every_version(kept: Lake) -> None:
    store, newest = open_store(kept.settings), kept.version()
    at = {version: kept.frame(f"from corrections at (version => {version})").height for version in (2, 4, newest)}
    done = compact_lake(kept, store, datetime.now(UTC))
    assert done.gathered_days == 1
    assert {version: kept.frame(f"from corrections at (version => {version})").height for version in at} == at
    much_later = datetime.now(UTC) + timedelta(days=30)
    gone = compact_lake(kept, store, much_later, keep_days=7)
    assert len(gone.expired) > newest
    assert gone.deleted_files > 0
    assert kept.scalar("select count(*) from corrections") == at[newest]
    assert found(kept, is_deep=True) == []


def test_compaction_of_a_lost_object_says_so(kept: Lake) -> None:
    store = open_store(kept.settings)
    for name in store.names("tables/main/corrections/day=2026-01-02"):
        store.delete(name)
    with pytest.raises(BrokenLake):
        compact_lake(kept, store, datetime.now(UTC))
