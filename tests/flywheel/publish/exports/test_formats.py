"""Each format is loaded by `datasets`, as it was written, and says with it what the trainer needs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from flywheel.core.records import Split
from flywheel.publish.exports.formats import FORMATS

Export = Callable[..., tuple[Path, dict[str, Any]]]

JSONL = [name for name, form in FORMATS.items() if list(form.parts) == ["{split}.jsonl"]]
COLUMNS = {
    "openai-sft": {"messages", "tools"},
    "openai-dpo": {"input", "preferred_output", "non_preferred_output"},
    "trl-sft": {"prompt", "completion", "tools", "weight", "correction_id"},
    "trl-dpo": {"prompt", "chosen", "rejected", "tools", "weight", "correction_id"},
    "trl-kto": {"prompt", "completion", "label", "tools", "weight", "correction_id"},
    "trl-reward": {"prompt", "chosen", "rejected", "tools", "weight", "correction_id"},
    "trl-sft-text": {"prompt", "completion", "weight", "correction_id"},
    "trl-dpo-text": {"prompt", "chosen", "rejected", "weight", "correction_id"},
    "trl-kto-text": {"prompt", "completion", "label", "weight", "correction_id"},
    "trl-reward-text": {"prompt", "chosen", "rejected", "weight", "correction_id"},
    "axolotl-sft": {"messages", "tools"},
    "axolotl-dpo": {"messages", "chosen", "rejected"},
    "llama-factory-sft": {"messages", "tools"},
    "llama-factory-dpo": {"messages", "chosen", "rejected", "tools"},
    "llama-factory-kto": {"messages", "label", "tools"},
    "rl": {"data_source", "prompt", "ability", "reward_model", "extra_info", "tools"},
}


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_each_format_of_lines_has_its_columns_here() -> None:
    assert set(JSONL) == set(COLUMNS)


@pytest.mark.parametrize("name", JSONL)
def test_datasets_loads_what_was_written(name: str, export: Export, tmp_path: Path) -> None:
    from datasets import load_dataset

    folder, report = export(name, out=name)
    loaded = load_dataset(
        "json", data_files=str(folder / "train.jsonl"), split="train", cache_dir=str(tmp_path / "c")
    )
    assert loaded.to_list() == lines(folder / "train.jsonl")
    assert set(loaded.column_names) == COLUMNS[name]
    assert len(loaded) == report["splits"]["train"]["records"]["train.jsonl"] >= 20


def test_hf_loads_by_its_card(export: Export, tmp_path: Path) -> None:
    from datasets import load_dataset

    folder, report = export("hf", Split.TRAIN, Split.HELDOUT)
    for config, columns in (("sft", ["prompt", "completion"]), ("preference", ["prompt", "chosen", "rejected"])):
        loaded = load_dataset(str(folder), config, cache_dir=str(tmp_path / "c"))
        counts = {f"data/{config}/{split}.parquet": len(rows) for split, rows in loaded.items()}
        assert (
            counts.items()
            <= {**report["splits"]["train"]["records"], **report["splits"]["heldout"]["records"]}.items()
        )
        assert loaded["train"].column_names[: len(columns)] == columns
    called = next(row for row in loaded["train"] if row["prompt"][2]["tool_calls"])
    assert json.loads(called["prompt"][2]["tool_calls"][0]["function"]["arguments"]).keys() <= {"x", "y"}
    front = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
    assert [config["config_name"] for config in front["configs"]] == ["sft", "preference"]
    assert front["dataset_info"][0]["splits"][0] == {"name": "train", "num_examples": len(loaded["train"])}


def test_parquet_is_the_rows_and_their_weight(export: Export) -> None:
    import polars as pl

    folder, report = export("parquet")
    rows = pl.read_parquet(folder / "train.parquet")
    assert {"correction_id", "input", "chosen", "rejected", "weight"} <= set(rows.columns)
    assert rows.height == report["splits"]["train"]["rows"]
    assert rows["weight"].unique().to_list() == [1.0]


def test_openai_trains_on_the_correction_alone(export: Export) -> None:
    folder, _ = export("openai-sft")
    for record in lines(folder / "train.jsonl"):
        said = [message for message in record["messages"] if message["role"] == "assistant"]
        assert [message["weight"] for message in said] == [0, 1]


def test_axolotl_config_points_at_the_files_and_trains_the_last_message(export: Export) -> None:
    folder, _ = export("axolotl-sft", Split.TRAIN, Split.HELDOUT)
    config = yaml.safe_load((folder / "axolotl.yaml").read_text())
    (train,), (heldout,) = config["datasets"], config["test_datasets"]
    assert (folder / train["path"]).exists() and (folder / heldout["path"]).exists()
    assert (train["type"], train["message_field_training"], config["base_model"]) == (
        "chat_template",
        "train",
        "org/model",
    )
    for record in lines(folder / train["path"]):
        trained = [message["train"] for message in record["messages"]]
        assert trained == [False] * (len(trained) - 1) + [True]


@pytest.mark.parametrize(("name", "is_ranking"), [("llama-factory-sft", False), ("llama-factory-dpo", True)])
def test_llama_factory_describes_the_files(name: str, is_ranking: bool, export: Export) -> None:
    folder, _ = export(name)
    described = json.loads((folder / "dataset_info.json").read_bytes())["flywheel_train"]
    assert (folder / described["file_name"]).exists()
    assert described.get("ranking", False) is is_ranking
    assert set(described["columns"].values()) <= COLUMNS[name]
    assert yaml.safe_load((folder / "llama_factory.yaml").read_text())["dataset"] == "flywheel_train"


def test_rl_names_the_verifier_that_an_answer_justifies(export: Export) -> None:
    folder, _ = export("rl")
    found = {
        record["reward_model"]["ground_truth"]: (record["extra_info"]["verifier"], record["reward_model"]["style"])
        for record in lines(folder / "train.jsonl")
    }
    assert found == {
        "card_lost": ("exact_match", "rule"),
        "17": ("numeric", "rule"),
        "I have sent the card to your new address today.": ("rubric", "model"),
        '{"city": "Bonn"}': ("json_equal", "rule"),
    }
    assert (folder / "rewards.py").exists()
