from pathlib import Path

import pytest

from flywheel.core.errors import UsageError
from flywheel.ingest.files import split_source
from flywheel.ingest.sources import find_logs


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_a_folder_is_searched_for_logs_in_order(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "b.jsonl",
        "2026-01-01/a.ndjson",
        "a.json",
        "c.log",
        "notes.txt",
        "a.jsonl.part",
        "d.csv",
        "e.jsonl.gz",
    )
    found = [str(Path(name).relative_to(tmp_path)) for name in find_logs(str(tmp_path))]
    assert found == ["2026-01-01/a.ndjson", "a.json", "b.jsonl", "c.log", "d.csv", "e.jsonl.gz"]


def test_a_folder_named_like_a_log_is_not_one(tmp_path: Path) -> None:
    touch(tmp_path, "old.jsonl/a.jsonl")
    assert find_logs(str(tmp_path)) == [str(tmp_path / "old.jsonl" / "a.jsonl")]


def test_a_file_that_is_named_is_read_whatever_its_ending(tmp_path: Path) -> None:
    touch(tmp_path, "calls.2026-01-05")
    assert find_logs(str(tmp_path / "calls.2026-01-05")) == [str(tmp_path / "calls.2026-01-05")]


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_nothing_to_read_is_said_with_the_source(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"No log files at '{tmp_path / name}'"):
        find_logs(str(tmp_path / name))


def test_an_object_that_is_named_needs_no_listing() -> None:
    assert find_logs("s3://bucket/logs/day.jsonl") == ["s3://bucket/logs/day.jsonl"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("s3://bucket/a.jsonl", ("s3://bucket", "a.jsonl")),
        ("s3://bucket/logs/2026/a b.jsonl", ("s3://bucket/logs/2026", "a b.jsonl")),
        ("/var/log/app/a.jsonl", ("/var/log/app", "a.jsonl")),
        ("/var/log/app/../a.jsonl", ("/var/log", "a.jsonl")),
    ],
)
def test_a_source_is_a_place_and_a_name(source: str, expected: tuple[str, str]) -> None:
    assert split_source(source) == expected


def test_a_relative_source_is_found_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert split_source("logs/a.jsonl") == (str(tmp_path / "logs"), "a.jsonl")
