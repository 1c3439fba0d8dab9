"""What the lake's benchmark measures is the work it names: every contender reads back what it wrote, by version."""

import json
from pathlib import Path

import polars as pl
import pytest

from benchmarks.lake import ALTERNATIVE, in_turn, present, table
from benchmarks.lake_cases import commit, read, small
from benchmarks.lake_history import diff, lineage, prepare_diff, read_both, versions
from benchmarks.lake_rows import write_rows

ROWS = 300


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_rows(tmp_path / "rows.parquet", ROWS)
    return tmp_path


def test_rows_are_distinct_and_the_same_each_time(folder: Path, tmp_path: Path) -> None:
    rows = pl.read_parquet(folder / "rows.parquet")
    assert (rows.height, rows["correction_id"].n_unique(), rows["day"].n_unique()) == (ROWS, ROWS, 10)
    assert json.loads(rows["input"][0]) == [{"role": "user", "content": rows["query"][0]}]
    write_rows(tmp_path / "again.parquet", ROWS)
    assert pl.read_parquet(tmp_path / "again.parquet").equals(rows)


@pytest.mark.parametrize("name", present())
def test_a_contender_reads_the_older_version(folder: Path, name: str) -> None:
    done = commit(folder, name)
    assert done["cpu_seconds"] > 0
    assert done["wall_seconds"] > 0
    assert read(folder, name, str(int(done["version"])))["rows"] == ROWS


def test_small_commits_are_each_measured(folder: Path) -> None:
    found = small(folder, ALTERNATIVE)
    assert set(found) == {"cpu_seconds", "wall_seconds"}
    assert len(list((folder / f"{ALTERNATIVE}-small" / "parquet").iterdir())) == 30


def test_the_two_releases_differ_as_planned(folder: Path) -> None:
    prepare_diff(folder)
    assert read_both(folder)["rows"] == 2 * ROWS
    found = diff(folder)
    assert {kind: found[kind] for kind in ("added", "removed", "changed", "same")} == {
        "added": 3,
        "removed": 3,
        "changed": 3,
        "same": ROWS - 6,
    }


def test_every_way_to_look_at_versions_is_measured(tmp_path: Path) -> None:
    assert len(versions(tmp_path, "2")) == 5


def test_a_lineage_leads_to_its_line(tmp_path: Path) -> None:
    found = lineage(tmp_path, "300", "3")  # it checks the row itself
    assert set(found) == {"by id", "by id and day"}


def test_medians_and_ratios_are_taken_over_repetitions() -> None:
    numbers = iter([1.0, 2.0, 3.0, 2.0, 2.0, 10.0])
    kinds = ("cpu_seconds", "wall_seconds")
    found = in_turn(dict.fromkeys(("a", ALTERNATIVE), lambda: dict.fromkeys(kinds, next(numbers))), 3)
    assert [run["cpu_seconds"] for run in found["a"]] == [1.0, 3.0, 2.0]
    assert table(found, ALTERNATIVE)[2:] == [
        "| a | 2.0 | 2.0 | 0.50 | 0.50 |",
        f"| {ALTERNATIVE} | 2.0 | 2.0 | 1.00 | 1.00 |",
    ]
