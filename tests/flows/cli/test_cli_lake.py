"""`flywheel lake`: check, repair, compact."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.core.settings import Settings

Flywheel = Callable[..., Any]
KEYS = ["kind", "object", "expected", "found", "what_to_do"]


@pytest.fixture
def copied(turned: Path, tmp_path: Path) -> Path:
    """Copy the turned wheel, to break it."""
    shutil.copytree(turned, tmp_path / "lake")
    return tmp_path / "lake"


def found(flywheel: Flywheel, *options: str) -> tuple[int, list[tuple[str, str]]]:
    said = flywheel("lake", "check", "--json", *options)
    rows = json.loads(said.out)
    assert all(list(row) == KEYS for row in rows)
    return said.code, [(row["kind"], row["object"]) for row in rows if row["kind"] != "uncompacted"]


def a_file(lake: Path, table: str) -> Path:
    return sorted((lake / "tables" / "main" / table).rglob("*.parquet"))[0]


def test_a_wheel_that_turned_is_sound(flywheel: Flywheel, copied: Path) -> None:
    assert found(flywheel) == (0, [])
    assert found(flywheel, "--deep") == (0, [])
    said = flywheel("lake", "repair")
    assert (said.code, said.out) == (0, "There is nothing to repair.\n")


def test_an_empty_lake_is_sound(flywheel: Flywheel) -> None:
    said = flywheel("lake", "check")
    assert (said.code, said.out) == (0, "Every file is what the catalog and the manifests say.\n")


def test_a_lost_file_of_a_built_table_comes_back(flywheel: Flywheel, copied: Path) -> None:
    lost = a_file(copied, "traces")
    name = str(lost.relative_to(copied))
    with Lake.open(Settings(lake=str(copied))) as lake:
        before = lake.frame("select * exclude (run_id) from traces order by trace_id")
    lost.unlink()
    assert found(flywheel) == (1, [("missing", name)])
    planned = json.loads(flywheel("lake", "repair", "--dry-run", "--json").out)
    assert [(step["state"], step["object"]) for step in planned] == [("planned", name)]
    done = flywheel("lake", "repair", "--json")
    assert (done.code, [step["state"] for step in json.loads(done.out)]) == (0, ["done"])
    with Lake.open(Settings(lake=str(copied))) as lake:
        assert lake.frame("select * exclude (run_id) from traces order by trace_id").equals(before)


def test_a_lost_file_of_a_landed_table_names_its_log(flywheel: Flywheel, copied: Path) -> None:
    a_file(copied, "raw_traces").unlink()
    said = flywheel("lake", "repair", "--json")
    (step,) = json.loads(said.out)
    assert (said.code, step["state"], step["is_fault"]) == (1, "left", True)
    assert "example.jsonl'" in step["what_to_do"]


def test_a_changed_release_file_needs_a_deep_check(flywheel: Flywheel, copied: Path) -> None:
    card = copied / "releases" / "corrections" / "1" / "card.md"
    card.write_bytes(card.read_bytes().swapcase())
    assert found(flywheel) == (0, [])
    assert found(flywheel, "--deep") == (1, [("corrupted", "releases/corrections/1/card.md")])


def test_a_stray_file_is_a_warning(flywheel: Flywheel, copied: Path) -> None:
    stray = a_file(copied, "traces").with_name("stray.parquet")
    stray.write_bytes(b"x")
    assert found(flywheel) == (0, [("orphaned", str(stray.relative_to(copied)))])
    assert flywheel("lake", "repair").code == 0
    assert stray.exists()
    os.utime(stray, (stray.stat().st_mtime - 7200,) * 2)
    assert flywheel("lake", "repair", "--orphans-older-than-hours", "1").code == 0
    assert not stray.exists()


def test_compaction_says_what_it_did(flywheel: Flywheel, copied: Path) -> None:
    done = json.loads(flywheel("lake", "compact", "--json").out)
    assert set(done) == {"before", "after", "gathered_days", "expired", "pinned", "deleted_files", "waiting_files"}
    assert set(done["after"]) == {"newest_files", "files", "bytes", "versions"}
    assert found(flywheel, "--deep") == (0, [])
    said = flywheel("lake", "compact", "--keep-days", "30")
    assert (said.code, "0 versions were let go of, 0 files deleted." in said.out) == (0, True)


@pytest.mark.parametrize("days", ["0", "-1", "x"])
def test_days_are_days(flywheel: Flywheel, days: str) -> None:
    said = flywheel("lake", "compact", "--keep-days", days)
    assert (said.code, "--keep-days" in said.err) == (2, True)
