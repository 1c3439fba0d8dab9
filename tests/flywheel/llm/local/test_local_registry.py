from pathlib import Path
from typing import Any

import pytest

from flywheel.core.errors import CorruptObject
from flywheel.llm.local.registry import Registry, Training
from flywheel.llm.local.wire import ApiError


def training(content: bytes, **changes: Any) -> Training:
    settings: dict[str, Any] = {"parent": "wheel-small", "suffix": "", "seed": 1, "hyperparameters": {}}
    return Training(content=content, **{**settings, **changes})


def test_the_same_training_is_the_same_model(tmp_path: Path, intents: bytes) -> None:
    registry = Registry(tmp_path)
    assert registry.train(training(intents), 5) == registry.train(training(intents), 9)
    assert len(registry.entries()) == 5


@pytest.mark.parametrize(
    "changes",
    [{"seed": 2}, {"parent": "wheel-large"}, {"hyperparameters": {"n_epochs": 3}}, {"suffix": "other"}],
)
def test_other_training_is_another_model(tmp_path: Path, intents: bytes, changes: dict[str, Any]) -> None:
    registry = Registry(tmp_path)
    assert registry.train(training(intents), 5) != registry.train(training(intents, **changes), 5)


def test_a_model_answers_the_same_after_a_restart(tmp_path: Path, intents: bytes) -> None:
    registry = Registry(tmp_path)
    model = registry.train(training(intents), 5)
    before = registry.learner(model).distribution("lost card").probabilities
    restarted = Registry(tmp_path)
    assert restarted.ready(model) is None
    assert restarted.learner(model).distribution("lost card").probabilities.tolist() == before.tolist()
    assert restarted.entry(model) == registry.entry(model)


def test_a_model_nobody_wants_any_more_is_not_kept(tmp_path: Path, intents: bytes) -> None:
    registry = Registry(tmp_path)
    model = registry.train(training(intents), 5, is_wanted=lambda: False)
    assert not registry.is_trained(model)
    assert not Registry(tmp_path).is_trained(model)


def test_continuing_keeps_what_was_learned(tmp_path: Path, intents: bytes) -> None:
    registry = Registry(tmp_path)
    parent = registry.train(training(intents), 5)
    turns = b'{"role": "user", "content": "apply for a mortgage"}, {"role": "assistant", "content": "loan"}'
    line = b'{"messages": [' + turns + b"]}"
    child = registry.train(training(line, parent=parent), 6)
    answers = registry.learner(child).distribution("x").answers
    assert list(answers) == ["card_lost", "close_account", "exchange_rate", "loan", "refund"]
    assert registry.entry(child)["lineage"] == [parent, "wheel-small"]
    assert child.startswith("ft:wheel-small:flywheel:")


def test_changed_training_data_is_not_served(tmp_path: Path, intents: bytes) -> None:
    model = Registry(tmp_path).train(training(intents), 5)
    (kept,) = tmp_path.glob("*/training.jsonl")
    kept.write_bytes(intents.replace(b"refund", b"refuse"))
    with pytest.raises(CorruptObject):
        Registry(tmp_path).learner(model)


def test_a_half_written_model_does_not_exist(tmp_path: Path, intents: bytes) -> None:
    model = Registry(tmp_path).train(training(intents), 5)
    (record,) = tmp_path.glob("*/model.json")
    record.unlink()
    with pytest.raises(ApiError, match="no model"):
        Registry(tmp_path).base(model)


def test_only_so_many_learners_stay_in_memory(tmp_path: Path, intents: bytes) -> None:
    registry = Registry(tmp_path)
    models = [registry.train(training(intents, seed=seed), 5) for seed in range(9)]
    assert [registry.ready(model) is None for model in models] == [True] + [False] * 8
    registry.learner(models[0])
    assert registry.ready(models[1]) is None
