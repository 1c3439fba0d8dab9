"""`flywheel decontaminate` shows what is contaminated, by what, and in which words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from flywheel.core.lake import Lake
from flywheel.core.settings import Settings

Flywheel = Callable[..., Any]
QUESTION = (
    "A baker sells 12 loaves in the morning and twice as many in the afternoon; how much does she earn in a day?"
)


def write(path: Path, *texts: str) -> str:
    path.write_text("".join(json.dumps({"question": text}) + "\n" for text in texts))
    return str(path)


def test_a_contaminated_file_is_told_with_the_words(flywheel: Flywheel, tmp_path: Path) -> None:
    benchmark = write(tmp_path / "bench.jsonl", "What is 2 + 2?", QUESTION)
    file = write(tmp_path / "train.jsonl", "Hello there.", f"Solve: {QUESTION.upper()}")
    said = flywheel("decontaminate", "--against", benchmark, "--file", file, "--json")
    told = json.loads(said.out)
    assert said.code == 1
    assert told["checked"] == {file: 2}
    assert told["benchmarks"] == {benchmark: {"instances": 2, "too_short": 1, "contaminated": 1}}
    (one,) = told["found"]
    assert (one["source"], one["id"], one["benchmark"], one["instance_id"]) == (file, "2", benchmark, "2")
    assert one["span"].startswith("a baker sells 12 loaves")
    assert "a baker sells" in " ".join(flywheel("decontaminate", "--against", benchmark, "--file", file).out.split())


def test_the_lake_is_checked_against_several_files(flywheel: Flywheel, tmp_path: Path, turned: Path) -> None:
    with Lake.open(Settings(lake=str(turned))) as lake:
        query = lake.scalar("select query from corrections where length(query) > 40 order by correction_id limit 1")
    first = write(tmp_path / "clean.jsonl", QUESTION)
    second = write(tmp_path / "leaked.jsonl", f"{query} please tell me")
    clean = flywheel("decontaminate", "--against", first, lake=turned)
    assert (clean.code, "Nothing is contaminated." in clean.out) == (0, True)
    said = flywheel("decontaminate", "--against", first, second, "--json", lake=turned)
    told = json.loads(said.out)
    assert said.code == 1
    assert {one["benchmark"] for one in told["found"]} == {second}
    assert {one["source"] for one in told["found"]} == {"hard_examples", "corrections"}


def test_what_is_held_out_is_no_leak_of_itself(flywheel: Flywheel, turned: Path) -> None:
    told = json.loads(flywheel("decontaminate", "--heldout", "--json", lake=turned).out)
    assert told["benchmarks"]["heldout"]["instances"] > 0
    with Lake.open(Settings(lake=str(turned))) as lake:
        held = lake.frame("select example_id as id, trace_id from hard_examples")
    assert isinstance(held, pl.DataFrame)


def test_an_empty_lake_is_not_called_clean(flywheel: Flywheel, tmp_path: Path) -> None:
    said = flywheel("decontaminate", "--against", write(tmp_path / "bench.jsonl", QUESTION))
    assert (said.code, "There was nothing to check." in said.out) == (0, True)


def test_it_wants_to_know_what_must_not_be_there(flywheel: Flywheel, tmp_path: Path) -> None:
    assert flywheel("decontaminate").code == 2
    broken = tmp_path / "broken.jsonl"
    broken.write_text("not json\n")
    said = flywheel("decontaminate", "--against", str(broken))
    assert (said.code, "is neither JSON lines nor Parquet" in said.err) == (2, True)
