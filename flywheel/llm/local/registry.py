"""Every model this provider knows: base models, and trained ones kept as the data they learned from."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from flywheel.core.errors import CorruptObject
from flywheel.llm.local.catalogue import BASES, CREATED_AT, DEFAULT_SUFFIX, BaseModel, Family, model_entry
from flywheel.llm.local.disk import read_json, write_atomic, write_json
from flywheel.llm.local.examples import continue_training, read_examples
from flywheel.llm.local.learners import Learner, Plan, fit
from flywheel.llm.local.wire import Json, missing

_MOST_FITTED = 8  # learners in memory; the others are fitted again when asked


@dataclass(frozen=True, slots=True)
class Training:
    """Say what to train: from which model, on which bytes, how."""

    parent: str
    content: bytes
    suffix: str
    seed: int
    hyperparameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """Describe a fine-tuned model; its lineage runs from its parent back to the base."""

    model_id: str
    base: str
    lineage: tuple[str, ...]
    seed: int
    hyperparameters: dict[str, Any]
    training_sha256: str
    example_count: int
    created_at: int


class Registry:
    """Look models up, keep trained ones on disk, and fit their learners on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        records = (_read_record(path) for path in sorted(folder.glob("*/model.json")))
        self._trained = {record.model_id: record for record in records}
        self._fitted: OrderedDict[str, Learner] = OrderedDict()
        self._fitting = Lock()  # one fit at a time; held for seconds
        self._order = Lock()  # guards the order of use; never held for long

    def base(self, model_id: str) -> BaseModel:
        """Return the base behind a model, or the base itself; raises ApiError for an unknown model."""
        if model_id in BASES:
            return BASES[model_id]
        if model_id not in self._trained:
            raise missing("model", model_id, "model", "model_not_found")
        return BASES[self._trained[model_id].base]

    def is_trained(self, model_id: str) -> bool:
        """Tell whether a model came out of a fine-tuning job here."""
        return model_id in self._trained

    def entry(self, model_id: str) -> Json:
        """Return a model's /v1/models entry; raises ApiError for an unknown model."""
        base = self.base(model_id)
        if model_id in BASES:
            return model_entry(base, model_id, CREATED_AT, ())
        record = self._trained[model_id]
        return model_entry(base, model_id, record.created_at, record.lineage)

    def entries(self) -> list[Json]:
        """List all models: the bases, then the trained ones in the order they were made."""
        made = sorted(self._trained.values(), key=lambda record: (record.created_at, record.model_id))
        return [self.entry(model_id) for model_id in [*BASES, *(record.model_id for record in made)]]

    def ready(self, model_id: str) -> Learner | None:
        """Return the learner if it is in memory; never waits for a fit."""
        with self._order:
            if model_id not in self._fitted:
                return None
            self._fitted.move_to_end(model_id)
            return self._fitted[model_id]

    def learner(self, model_id: str) -> Learner:
        """Return a trained model's learner, fitting it first if need be: seconds at worst.

        Raises CorruptObject when the stored training data is not what was trained on.
        """
        with self._fitting:
            learner = self.ready(model_id) or self._fit(self._trained[model_id])
            self._keep(model_id, learner)
        return learner

    def train(self, training: Training, created_at: int, is_wanted: Callable[[], bool] = lambda: True) -> str:
        """Fit and store a model; return its id, which is the same for the same training.

        A model that is no longer wanted when its fit is done is not stored.
        Raises InvalidTraining when the content cannot be learned from.
        """
        model_id = self._name(training)
        if model_id in self._trained:
            return model_id
        content = self._whole_content(training)
        record = TrainedModel(
            model_id=model_id,
            base=self.base(training.parent).model_id,
            lineage=self._lineage(training.parent),
            seed=training.seed,
            hyperparameters=training.hyperparameters,
            training_sha256=hashlib.sha256(content).hexdigest(),
            example_count=len(read_examples(content)),
            created_at=created_at,
        )
        learner = fit(read_examples(content), _plan(record))
        if is_wanted():
            self._store(record, content)
            self._keep(model_id, learner)
        return model_id

    def _store(self, record: TrainedModel, content: bytes) -> None:
        place = self._place(record.model_id)
        write_atomic(place / "training.jsonl", content)
        write_json(place / "model.json", asdict(record))  # last: its presence says the model is whole
        self._trained[record.model_id] = record

    def _fit(self, record: TrainedModel) -> Learner:
        path = self._place(record.model_id) / "training.jsonl"
        content = path.read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != record.training_sha256:
            raise CorruptObject(str(path), found, record.training_sha256)
        return fit(read_examples(content), _plan(record))

    def _keep(self, model_id: str, learner: Learner) -> None:
        with self._order:
            self._fitted[model_id] = learner
            self._fitted.move_to_end(model_id)
            while len(self._fitted) > _MOST_FITTED:
                self._fitted.popitem(last=False)

    def _name(self, training: Training) -> str:
        """Name the model after everything that determines its answers."""
        how = json.dumps([training.parent, training.seed, training.hyperparameters], sort_keys=True)
        digest = hashlib.sha256(how.encode() + b"\0" + training.content).hexdigest()
        return f"ft:{self.base(training.parent).model_id}:{training.suffix or DEFAULT_SUFFIX}:{digest[:12]}"

    def _whole_content(self, training: Training) -> bytes:
        if training.parent not in self._trained:
            return training.content
        earlier = (self._place(training.parent) / "training.jsonl").read_bytes()
        return continue_training(earlier, training.content)

    def _lineage(self, parent: str) -> tuple[str, ...]:
        earlier = self._trained[parent].lineage if parent in self._trained else ()
        return (parent, *earlier)

    def _place(self, model_id: str) -> Path:
        return self._folder / model_id.replace(":", "--")


def _plan(record: TrainedModel) -> Plan:
    rate = record.hyperparameters.get("learning_rate_multiplier", "auto")
    strength = 1.0 if rate == "auto" else float(rate)
    return Plan(Family(BASES[record.base].family), record.seed, strength)


def _read_record(path: Path) -> TrainedModel:
    row = read_json(path)
    return TrainedModel(**{**row, "lineage": tuple(row["lineage"])})
