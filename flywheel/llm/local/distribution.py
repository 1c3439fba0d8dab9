"""What a model believes about the answer: complete answers with probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Distribution:
    """Pair complete answers with probabilities that sum to one."""

    answers: Sequence[str]
    probabilities: NDArray[np.float64]

    def best(self) -> int:
        """Return the place of the most probable answer; the first wins a tie."""
        return int(self.probabilities.argmax())


def certain(answer: str) -> Distribution:
    """Put all probability on one answer."""
    return Distribution((answer,), np.ones(1))


def softmax(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Turn scores along the last axis into probabilities, safely for large scores."""
    raised = np.exp(scores.astype(np.float64) - scores.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = raised / raised.sum(axis=-1, keepdims=True)
    return shares
