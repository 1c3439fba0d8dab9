"""A repair brings back what can be made again, removes what nobody reads, and touches nothing else."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from flywheel.core.findings import Kind
from flywheel.core.lake import Lake
from flywheel.core.lake_check import check_tables
from flywheel.core.lake_repair import repair_lake
from flywheel.core.repair_steps import RepairPolicy, State, Step
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore

THURSDAY, FRIDAY = date(2026, 1, 1), date(2026, 1, 2)
NOW = datetime(2026, 1, 3, 12, tzinfo=UTC)
DRY = RepairPolicy(is_dry_run=True)


def fill(lake: Lake, day: date, prefix: str = "c", count: int = 20) -> None:
    made = [
        {
            "day": day,
            "correction_id": f"{prefix}{day}-{number}",
            "chosen": "Rome",
            "rejected": f"{prefix}{day} {number}",
        }
        for number in range(count)
    ]
    lake.land("corrections", lake.typed("corrections", made))
    lake.build("preferences", day, run_id="first")


@pytest.fixture
def kept(lake: Lake) -> Iterator[Lake]:
    fill(lake, THURSDAY)
    fill(lake, FRIDAY)
    fill(lake, FRIDAY, "few", 3)  # of one day, rows in a file and rows in the catalog
    yield lake


def file_of(settings: Settings, pattern: str) -> Path:
    return sorted((Path(settings.lake_root) / "tables" / "main").glob(pattern))[-1]  # names grow with time


def store_of(settings: Settings) -> FolderStore:
    return FolderStore(settings.lake_root)


def repair(lake: Lake, policy: RepairPolicy = RepairPolicy(), now: datetime = NOW) -> list[Step]:  # noqa: B008 - frozen
    assert lake.settings is not None
    return repair_lake(lake, store_of(lake.settings), now, policy)


def rows(lake: Lake, table: str, version: int | None = None) -> list[tuple[object, ...]]:
    at = "" if version is None else f" at (version => {version})"
    return sorted(lake.frame(f"select * exclude (run_id) from {table}{at}").rows(), key=str)  # noqa: S608


def objects(settings: Settings) -> list[str]:
    return [name for name in store_of(settings).names("") if not name.startswith(("catalog", "checksums"))]


def test_a_healthy_lake_is_left_as_it_is(kept: Lake, settings: Settings) -> None:
    before = (kept.version(), objects(settings))
    assert repair(kept) == []
    assert (kept.version(), objects(settings)) == before


@pytest.mark.parametrize("harm", ["missing", "size", "unreadable"])
def test_a_built_day_is_built_again(kept: Lake, settings: Settings, harm: str) -> None:
    before, version = rows(kept, "preferences"), kept.version()
    broken = file_of(settings, "preferences/day=2026-01-01/*.parquet")
    {
        "missing": broken.unlink,
        "size": lambda: os.truncate(broken, 100),
        "unreadable": lambda: broken.write_bytes(b"x" * broken.stat().st_size),
    }[harm]()
    name = str(broken.relative_to(settings.lake_root))
    assert [(step.state, step.object) for step in repair(kept, DRY)] == [(State.PLANNED, name)]
    assert kept.version() == version
    (step,) = repair(kept)
    assert (step.state, step.object, step.what) == (State.DONE, name, "built preferences of 2026-01-01 again")
    assert rows(kept, "preferences") == before
    assert kept.version() == version + 1
    assert kept.frame("select distinct day, run_id from preferences order by day").rows() == [
        (THURSDAY, "repair"),
        (FRIDAY, "first"),
    ]


def test_repairing_twice_is_repairing_once(kept: Lake, settings: Settings) -> None:
    broken = file_of(settings, "preferences/day=2026-01-01/*.parquet")
    broken.unlink()
    repair(kept)
    version = kept.version()
    (step,) = repair(kept)  # only older versions still read the file
    assert (step.state, step.is_fault) == (State.LEFT, True)
    assert "let go of versions 3 to 7, which alone read it" in step.what_to_do
    assert kept.version() == version
    assert kept.build("preferences", THURSDAY) == 20
    assert kept.version() == version


def test_versions_without_the_broken_file_read_what_they_did(kept: Lake, settings: Settings) -> None:
    before = rows(kept, "preferences", 2)
    file_of(settings, "preferences/day=2026-01-02/*.parquet").unlink()
    repair(kept)
    assert rows(kept, "preferences", 2) == before
    fill(kept, FRIDAY, "later")
    assert kept.scalar("select count(*) from preferences where day = $day", day=FRIDAY) == 43


def test_flipped_bytes_are_repaired_by_a_deep_repair(kept: Lake, settings: Settings) -> None:
    before = rows(kept, "preferences")
    repair(kept)  # records what the files hash to
    broken = file_of(settings, "preferences/day=2026-01-01/*.parquet")
    data = bytearray(broken.read_bytes())
    data[len(data) // 3] ^= 0xFF
    broken.write_bytes(data)
    assert repair(kept) == []
    (step,) = repair(kept, RepairPolicy(is_deep=True))
    assert step.state is State.DONE
    assert rows(kept, "preferences") == before


def test_nothing_is_built_of_what_is_not_there_any_more(kept: Lake, settings: Settings) -> None:
    version = kept.version()
    broken = file_of(settings, "corrections/day=2026-01-01/*.parquet")  # landed by hand: no answers to build it from
    broken.unlink()
    (step,) = repair(kept)
    assert (step.state, step.is_fault, step.object) == (State.LEFT, True, str(broken.relative_to(settings.lake_root)))
    assert "corrections of 2026-01-01 would have 0 rows, and it had 20" in step.what_to_do
    assert kept.version() == version


def test_a_day_whose_sources_are_broken_too_is_left(kept: Lake, settings: Settings) -> None:
    version = kept.version()
    for table in ("corrections", "preferences"):
        file_of(settings, f"{table}/day=2026-01-01/*.parquet").unlink()
    steps = repair(kept)
    assert [(step.state, step.is_fault) for step in steps] == [(State.LEFT, True)] * 2
    assert "DuckDB could not read a file of the lake" in steps[1].what_to_do
    assert kept.version() == version


def test_rows_of_a_landed_table_name_their_logs(lake: Lake, settings: Settings) -> None:
    traces = [{"day": THURSDAY, "trace_id": f"t{number}"} for number in range(20)]
    with lake.together("land logs/a.jsonl", "raw_traces", "sources"):
        lake.land("raw_traces", lake.typed("raw_traces", traces))
        read = [{"day": THURSDAY, "source_file": "logs/a.jsonl", "fingerprint": "f"}]
        lake.land("sources", lake.typed("sources", read))
    file_of(settings, "raw_traces/day=2026-01-01/*.parquet").unlink()
    (step,) = repair(lake)
    assert (step.state, step.is_fault) == (State.LEFT, True)
    assert "no query can make its rows. They were read from 'logs/a.jsonl': `flywheel ingest`" in step.what_to_do


def test_rows_that_replaced_others_name_the_version_that_has_those(lake: Lake, settings: Settings) -> None:
    for score in (0.1, 0.2):
        columns = [{"column_name": f"c{number}", "value": score} for number in range(20)]
        lake.replace("drift", THURSDAY, lake.typed("drift", columns))
    file_of(settings, "drift/day=2026-01-01/*.parquet").unlink()
    (step,) = repair(lake)
    assert "They came with version 3, 'build drift 2026-01-01'." in step.what_to_do
    assert "`flywheel sql --at 2` still reads drift of 2026-01-01" in step.what_to_do
    assert lake.scalar("select count(value) from drift at (version => 2)") == 20


def test_a_stray_goes_when_it_is_old_enough(kept: Lake, settings: Settings) -> None:
    stray = file_of(settings, "preferences/day=2026-01-01/*.parquet").with_name("stray.parquet")
    stray.write_bytes(b"12345")
    written_at = datetime.fromtimestamp(stray.stat().st_mtime, UTC)
    before = objects(settings)
    (young,) = repair(kept, now=written_at + timedelta(hours=23))
    assert (young.state, young.is_fault) == (State.LEFT, False)
    (planned,) = repair(kept, DRY, written_at + timedelta(hours=25))
    assert planned.state is State.PLANNED
    assert objects(settings) == before
    (removed,) = repair(kept, now=written_at + timedelta(hours=25))
    assert removed.state is State.DONE
    assert objects(settings) == [name for name in before if not name.endswith("stray.parquet")]
    found = check_tables(kept, store_of(settings), NOW).findings
    assert [finding for finding in found if finding.kind is not Kind.UNCOMPACTED] == []
