"""What an export says of itself: what is in it, what was left out, how long it is and what it costs to train on."""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from flywheel.publish.exports.conversation import Message
from flywheel.publish.exports.example import Example, Reads
from flywheel.publish.exports.tokens import Counter

SHOWN = 20  # ids named of each kind; the counts are of all


@dataclass(slots=True)
class Lengths:
    """Tokens of what a trainer puts through the model, one sequence a prompt with one answer."""

    counter: Counter
    limit: int | None
    totals: list[int] = field(default_factory=list)  # of each sequence
    too_long: list[dict[str, Any]] = field(default_factory=list)
    too_long_count: int = 0

    def add(self, example: Example, reads: Reads) -> None:
        """Count the sequences of an example."""
        for prompt, answer in example.sequences(reads):
            total = self.counter.count([*prompt, *answer], example.tools)
            self.totals.append(total)
            if self.limit is not None and total > self.limit:
                self.too_long_count += 1
                if len(self.too_long) < SHOWN:
                    self.too_long.append(self._cut(example, prompt, total))

    def _cut(self, example: Example, prompt: Sequence[Message], total: int) -> dict[str, Any]:
        """Return what is left of the answer when the end is cut, as TRL and OpenAI do, and when the start is."""
        limit = self.limit or 0
        prompt_tokens = self.counter.count(list(prompt), example.tools)
        return {
            "correction_id": example.correction_id,
            "tokens": total,
            "prompt_tokens": prompt_tokens,
            "answer_if_end_is_cut": "lost" if prompt_tokens >= limit else "cut",
            "answer_if_start_is_cut": "kept" if total - prompt_tokens <= limit else "cut",
        }


def tokens_of(lengths: Lengths) -> dict[str, Any]:
    """Return the distribution of sequence lengths."""
    counts = pl.Series("tokens", lengths.totals, dtype=pl.Int64)
    facts = {"counter": lengths.counter.name, "is_approximate": lengths.counter.is_approximate}
    if counts.is_empty():
        return {**facts, "sequences": 0, "min": None, "median": None, "p95": None, "max": None, "total": 0}
    return {
        **facts,
        "sequences": len(counts),
        "min": counts.min(),
        "median": counts.median(),
        "p95": counts.quantile(0.95, "nearest"),
        "max": counts.max(),
        "total": counts.sum(),
    }


def truncation_of(lengths: Lengths) -> dict[str, Any] | None:
    """Return which sequences are longer than the limit; None where none was given."""
    if lengths.limit is None:
        return None
    return {"max_tokens": lengths.limit, "too_long": lengths.too_long_count, "first": lengths.too_long}


def cost_of(trained_tokens: int, price_per_million: float | None, epochs: int) -> dict[str, Any] | None:
    """Return what training costs where every token of every epoch is billed; None without a price."""
    if price_per_million is None:
        return None
    billed = trained_tokens * epochs
    return {
        "price_per_million": price_per_million,
        "epochs": epochs,
        "billed_tokens": billed,
        "estimate": round(billed / 1e6 * price_per_million, 6),
    }


def weights_of(weights: Sequence[float]) -> dict[str, Any]:
    """Return how the weights are spread."""
    series = pl.Series("weight", weights, dtype=pl.Float64)
    spread = {"min": series.min(), "mean": series.mean(), "max": series.max()}
    return {"is": "people's agreement with who corrected it; 1 for a person and where unknown", **spread}


def problems_of(found: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """Return problems, as (correction_id, reason, detail), counted by reason, and the first of them."""
    counts: Mapping[str, int] = Tally(reason for _, reason, _ in found)
    first = [{"correction_id": name, "reason": reason, "detail": detail} for name, reason, detail in found[:SHOWN]]
    return {"counts": dict(counts), "first": first}
