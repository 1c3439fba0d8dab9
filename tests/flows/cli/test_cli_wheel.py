"""The five commands of the README, as somebody types them, from an empty folder to a release that others read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine"), pytest.mark.timeout(600)]

MAIN = [sys.executable, "-m", "flows.cli.main"]
NOISE = ("Traceback", "CancelledError", "| INFO", "| ERROR")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the wheel turned once, by commands only."""
    folder = tmp_path_factory.mktemp("shop")
    for args in (
        ["init", "--example"],
        ["ingest", "logs/example.jsonl"],
        ["mine"],
        ["correct", "--answers", "answers.jsonl"],
        ["publish"],
    ):
        ran = flywheel(folder, *args)
        assert ran.returncode == 0, ran.stderr
        assert [word for word in NOISE if word in ran.stdout + ran.stderr] == [], ran.stderr
    return folder


def flywheel(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FLYWHEEL_", "PREFECT_"))}
    told = {"PREFECT_HOME": str(folder / ".prefect"), "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.run([*MAIN, *args], cwd=folder, env=clean | told, capture_output=True, text=True, check=False)


def test_the_release_is_read_by_polars_and_datasets(folder: Path) -> None:
    import datasets

    release = folder / "data" / "releases" / "corrections" / "1"
    assert pl.read_parquet(release / "train.parquet").height == 40
    loaded = datasets.load_dataset(
        "json", data_files=str(release / "exports" / "trl-sft.jsonl"), cache_dir=str(folder / "cache"), split="train"
    )
    assert (len(loaded), set(loaded.column_names)) == (40, {"prompt", "completion"})


def test_a_second_turn_finds_nothing_new(folder: Path) -> None:
    counts = json.loads(flywheel(folder, "ingest", "logs/example.jsonl", "--json").stdout)
    assert counts == {"read": 0, "landed": 0, "duplicates": 0, "quarantined": 0}
    assert flywheel(folder, "mine", "--json").stdout == "[]\n"


def test_a_refusal_is_one_line_and_exit_code_1(folder: Path) -> None:
    poison = [
        {"input": f"message {n} about {n * n}", "chosen": "refund", "rejected": "invoice", "author": "x"}
        for n in range(80)
    ]
    (folder / "poison.jsonl").write_text("".join(json.dumps(line) + "\n" for line in poison) + "not json\n")
    corrected = json.loads(flywheel(folder, "correct", "--answers", "poison.jsonl", "--json").stdout)
    assert corrected["offers"] == [
        {"file": "poison.jsonl", "answers": 80, "refused": 1, "reasons": {"invalid_json": 1}}
    ]
    refused = flywheel(folder, "publish")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith(
        "flywheel: The gate refused the candidate release of 'corrections'"
    )
    assert "Traceback" not in refused.stderr
    assert len(json.loads(flywheel(folder, "releases", "list", "--json").stdout)) == 1
