import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Play the whole demo once on the built-in scenario, as a user would."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {**os.environ, "FLYWHEEL_LAKE": str(folder / "data"), "FLYWHEEL_CACHE": str(folder / "cache")}
    command = [sys.executable, "-m", "flows.cli.main", "demo", "--json", "--scenario"]
    played = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=550, check=False
    )
    assert played.returncode == 0, played.stderr[-2000:]
    return folder / "data", json.loads(played.stdout)


pytestmark = [pytest.mark.engine, pytest.mark.timeout(600), pytest.mark.xdist_group("demo")]


def test_three_turns_raise_accuracy_beyond_chance(demo):
    _, result = demo
    assert [turn["turn"] for turn in result["turns"]] == [1, 2, 3]
    accuracies = [result["turns"][0]["production_accuracy"]] + [t["candidate_accuracy"] for t in result["turns"]]
    assert accuracies == sorted(accuracies)
    assert result["gain"]["low"] > 0


def test_hard_examples_beat_the_same_budget_at_random(demo):
    _, result = demo
    assert result["turns"][-1]["candidate_accuracy"] > result["turns"][-1]["random_accuracy"]


def test_the_poisoned_batch_is_refused(demo):
    lake, result = demo
    assert len(result["refused"]) == 1
    assert any("label_drift" in failed for failed in result["refused"][0]["failed"])
    assert sorted(int(p.parent.name) for p in lake.glob("releases/corrections/*/manifest.json")) == [1, 2, 3]
    assert len(list((lake / "alerts").glob("*.json"))) >= 2  # the refusal and the drift


def test_drift_is_seen_on_the_day_new_intents_start_and_not_before(demo):
    _, result = demo
    drifted = [day["day"] for day in result["drift"] if day["verdict"] == "drift"]
    assert drifted[0] == next(day["day"] for day in result["drift"] if day["is_new_intents_day"])


def test_no_audited_or_held_out_trace_is_trained_on(demo):
    lake, _ = demo
    train = pl.read_parquet(lake / "releases/corrections/3/train.parquet")
    heldout = pl.read_parquet(lake / "releases/corrections/3/heldout.parquet")
    assert not set(train["group_id"]) & set(heldout["group_id"])
    assert train["trace_id"].null_count() == 0


def test_the_report_stands_alone(demo):
    _, result = demo
    page = Path(result["report"]).read_text(encoding="utf-8")
    assert page.startswith("<!")
    assert 'src="http' not in page
