"""Simulated experts: they know the truth and err at a stated rate."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Expert:
    """Answer texts from `labels` (text to intent), wrongly for a share `error_rate` of them.

    Which texts are answered wrongly, and how, depends on the seed and the text alone: the same text gets
    the same answer in any order, and experts with different seeds err on different texts.
    """

    labels: Mapping[str, str]
    error_rate: float
    seed: int
    _choices: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_choices", tuple(sorted(set(self.labels.values()))))

    def answer(self, text: str) -> str | None:
        """Return this expert's label for the text, or None for a text nobody told them about."""
        truth = self.labels.get(text)
        if truth is None:
            return None
        rng = random.Random(f"expert:{self.seed}:{text}")
        others = [label for label in self._choices if label != truth]
        errs = rng.random() < self.error_rate
        return rng.choice(others) if errs and others else truth
