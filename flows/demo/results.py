"""What a demo found out, as values: the report, the terminal and `--json` show the same ones."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the wheel: what came in, what was corrected, and what the candidate trained on it can do.

    Accuracies are shares between 0 and 1; the difference is candidate minus production on the same queries.
    """

    turn: int
    days: tuple[str, str]  # first and last
    traces: int
    failures: int
    modes: int
    hard_examples: int
    corrections_human: int
    corrections_ai: int
    cost_usd: float
    cost_per_accepted_usd: float | None
    release: int | None
    production_model: str
    candidate_model: str | None
    production_accuracy: float
    candidate_accuracy: float | None
    difference_low: float | None
    difference_high: float | None
    promoted: bool
    reason: str
    random_accuracy: float | None
    production_heldout: float | None = None  # accuracy on held-out failures only
    candidate_heldout: float | None = None


@dataclass(frozen=True, slots=True)
class RandomTurn:
    """Accuracy, with its 95 % interval, of the model trained on as many random examples as the turn bought."""

    turn: int
    accuracy: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Gain:
    """Accuracy of the first and of the last production model on the same queries, and the paired interval."""

    before: float
    after: float
    low: float | None  # of after - before
    high: float | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A candidate release that the gate refused."""

    candidate: str
    failed: tuple[str, ...]  # expectations
    quarantined: int
    alert: str


@dataclass(frozen=True, slots=True)
class DriftDay:
    """What the watch said about one day."""

    day: str
    verdict: str
    columns: tuple[str, ...]
    explanation: str
    is_new_intents_day: bool


@dataclass(frozen=True, slots=True)
class SignalScore:
    """How well a signal finds the failures there really are; shares between 0 and 1."""

    signal: str
    fired: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Gsm8kResult:
    """Failures found among a real model's GSM8K solutions without the answer key, scored with it."""

    signals: tuple[SignalScore, ...]
    combined: SignalScore
    traces: int
    failures: int
    threshold: float = 0.5  # of p_failure: what is more likely a failure than not


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Everything a demo found out."""

    data: str  # which data set, and where it came from
    turns: tuple[Turn, ...]
    random_turns: tuple[RandomTurn, ...]
    refused: tuple[Refused, ...]
    drift: tuple[DriftDay, ...]
    gsm8k: Gsm8kResult | None
    report: str
    seconds: float
    assumptions: tuple[str, ...]  # sentences: how users, experts and the teacher are simulated
    gain: Gain | None = None


@dataclass(frozen=True, slots=True)
class ModeDay:
    """Failures of one mode on one day."""

    day: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class DriftValue:
    """A watched column's statistic on one day, and the bound it is held to."""

    day: str
    column: str
    value: float | None
    bound: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class TurnCost:
    """What one turn paid to `who` (human or ai)."""

    turn: int
    who: str
    cost_usd: float


@dataclass(frozen=True, slots=True)
class TopMode:
    """A failure mode with one of its examples."""

    name: str
    size: int
    trend: float | None  # size against the mean of earlier days; 1 = as usual
    status: str
    example: str


@dataclass(frozen=True, slots=True)
class ReportSeries:
    """The rows behind the report's charts."""

    modes_by_day: tuple[ModeDay, ...] = ()
    drift_by_day: tuple[DriftValue, ...] = ()
    cost_by_turn: tuple[TurnCost, ...] = ()
    top_modes: tuple[TopMode, ...] = ()


def to_json(result: DemoResult) -> dict[str, object]:
    """Return the result as values that JSON knows; what is not a finite number is null."""
    return {
        "data": result.data,
        "turns": [_plain(asdict(turn)) for turn in result.turns],
        "refused": [_plain(asdict(refused)) for refused in result.refused],
        "drift": [_plain(asdict(day)) for day in result.drift],
        "gain": _plain(asdict(result.gain)) if result.gain else None,
        "gsm8k": _gsm8k(result.gsm8k) if result.gsm8k else None,
        "report": result.report,
        "seconds": _plain(result.seconds),
        "assumptions": list(result.assumptions),
    }


def _gsm8k(found: Gsm8kResult) -> dict[str, object]:
    return {
        "signals": {
            score.signal: {
                "precision": _plain(score.precision),
                "recall": _plain(score.recall),
                "fired": score.fired,
            }
            for score in found.signals
        },
        "combined": {
            "precision": _plain(found.combined.precision),
            "recall": _plain(found.combined.recall),
            "threshold": found.threshold,
        },
        "traces": found.traces,
        "failures": found.failures,
    }


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return value
