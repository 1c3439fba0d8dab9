"""Learn how far each failure signal can be trusted, without labels, and turn votes into P(failure).

A Dawid-Skene model (1979) with one latent class per trace, failed or not. Each signal has a sensitivity, how often
it fires on failures, and a false-positive rate, how often on good traces; signals are taken as independent given
the class. EM estimates both rates, and the share of failures, from how signals agree. Beta priors say what we know
beforehand, that good traces rarely fire anything: it keeps rare signals sane and decides which class is which.

Signals that are near copies share one vote. Items whose class is known are held to it. With one or two signals the
data cannot tell the rates apart and the priors decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from flywheel.core.errors import UsageError
from flywheel.stats.intervals import Numbers

FIRED, SILENT, ABSTAINED = 1, 0, -1
Votes = npt.NDArray[np.int8]

# Rates are kept off 0 and 1: one vote must never decide alone, whatever the counts say.
_EDGE = 1e-4
# Above this many signals a vote pattern does not fit into 64 bits in base 3.
_MOST_SIGNALS = 39
_MOST_ITERATIONS = 100
_TOLERANCE = 1e-5
# A signal may fire on most good traces. Capped at a half, nearly everything would have to be a failure to explain it.
_MOST_FALSE = 0.95
# A firm belief is worth this many times the traces there are: data move it by a tenth of the way at most.
_FIRM = 10.0


@dataclass(frozen=True, slots=True)
class SignalPrior:
    """What is known about signals before looking, as rates and the pseudo-traces each is worth."""

    # A typical signal sees a third of the failures (the rest fail in other ways) and misfires once in fifty.
    sensitivity: float | Sequence[float] = 0.33
    false_positive: float | Sequence[float] = 0.02
    prevalence: float = 0.1
    # How many failures the sensitivity is worth; the same for the share of failures.
    strength: float = 10.0
    # Good traces are many: a weak belief about misfires would be overruled before the classes have formed.
    false_positive_strength: float = 200.0
    # Evidence that hardly ever errs, like a task's reward: its misfires are believed, however many traces there are.
    is_firm: bool | Sequence[bool] = False


@dataclass(frozen=True, slots=True)
class Known:
    """Of the items of each vote pattern, how many are known to have failed, and how many not."""

    failed: npt.NDArray[np.integer[Any]]
    fine: npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class LabelModel:
    """Learned rates, one per signal in the order of the columns, and the share of failures."""

    sensitivity: Numbers
    false_positive: Numbers
    prevalence: float
    iterations: int
    share: Numbers  # of a vote that each signal has

    @property
    def fired_weights(self) -> Numbers:
        """Return what a signal adds to the log-odds of failure when it fires."""
        weights: Numbers = self.share * np.log(self.sensitivity / self.false_positive)
        return weights

    @property
    def silent_weights(self) -> Numbers:
        """Return what a signal adds, a negative number, when it looked and did not fire."""
        weights: Numbers = self.share * np.log((1 - self.sensitivity) / (1 - self.false_positive))
        return weights

    def log_odds(self, votes: Votes) -> Numbers:
        """Return the log-odds of failure per row of votes (items, signals)."""
        fired = (votes == FIRED) @ self.fired_weights
        odds: Numbers = logit(self.prevalence) + fired + (votes == SILENT) @ self.silent_weights
        return odds

    def predict(self, votes: Votes) -> Numbers:
        """Return P(failure) per row of votes (items, signals)."""
        probability: Numbers = expit(self.log_odds(votes))
        return probability


DEFAULT_PRIOR = SignalPrior()


def fit_label_model(votes: Votes, prior: SignalPrior = DEFAULT_PRIOR) -> LabelModel:
    """Fit the model to votes (items, signals): 1 fired, 0 looked and stayed silent, -1 could not look.

    The work depends on the number of different rows, not of items. No randomness: the same votes give the same
    model. Raises UsageError on other values or more than 39 signals.
    """
    return fit_patterns(*vote_patterns(votes), prior)


def fit_patterns(
    patterns: Votes,
    counts: npt.NDArray[np.integer[Any]],
    prior: SignalPrior = DEFAULT_PRIOR,
    known: Known | None = None,
) -> LabelModel:
    """Fit the model to distinct vote patterns and how many items show each: what a `group by` returns."""
    signals = patterns.shape[1]
    sensitivity = np.broadcast_to(np.asarray(prior.sensitivity, np.float64), signals)
    false_positive = np.broadcast_to(np.asarray(prior.false_positive, np.float64), signals)
    known = known or Known(np.zeros_like(counts), np.zeros_like(counts))
    model = LabelModel(sensitivity, false_positive, prior.prevalence, 0, vote_shares(patterns, counts))
    for _ in range(_MOST_ITERATIONS):
        failed = known.failed + (counts - known.failed - known.fine) * model.predict(patterns)
        updated = _maximised(patterns, failed, counts, prior, model)
        change = _largest_change(model, updated)
        model = updated
        if change < _TOLERANCE:
            break
    return model


def vote_shares(patterns: Votes, counts: npt.NDArray[np.integer[Any]]) -> Numbers:
    """Return what share of a vote each signal has: 1 alone, 1/2 each for two that always fire together.

    Two signals overlap by the Jaccard similarity of what they fire on, where both can look; half of it or less is
    what two good signals have in common, and costs nothing.
    """
    fired, looked = (patterns == FIRED).astype(np.float64), (patterns != ABSTAINED).astype(np.float64)
    together = fired.T @ (fired * counts[:, None])
    seen = (fired * counts[:, None]).T @ looked  # where the first fired and the second could look
    either = seen + seen.T - together
    jaccard = np.divide(together, either, out=np.zeros_like(together), where=either > 0)
    overlap = np.clip(2 * jaccard - 1, 0, 1)
    np.fill_diagonal(overlap, 0)
    shares: Numbers = 1 / (1 + overlap.sum(axis=1))
    return shares


def no_votes(items: int, signals: int) -> Votes:
    """Return votes (items, signals) in which nobody could look."""
    return np.full((items, signals), ABSTAINED, np.int8)


def vote_patterns(votes: Votes) -> tuple[Votes, npt.NDArray[np.int64]]:
    """Return the distinct rows of votes and how often each occurs."""
    if votes.ndim != 2 or votes.shape[1] > _MOST_SIGNALS:
        raise UsageError(f"Votes have shape {votes.shape}; expected (items, signals) with at most 39 signals.")
    if votes.size and (votes.min() < ABSTAINED or votes.max() > FIRED):
        raise UsageError(f"Votes run from {votes.min()} to {votes.max()}; expected 1, 0 and -1 for abstained.")
    codes = np.zeros(len(votes), np.int64)
    for column in votes.T:
        codes = codes * 3 + (column + 1)
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    return votes[first], counts


def calibration_error(probabilities: npt.ArrayLike, outcomes: npt.ArrayLike, bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal size: mean |predicted - observed| (Guo et al. 2017).

    nan without predictions.
    """
    predicted, happened = np.asarray(probabilities, np.float64), np.asarray(outcomes, np.float64)
    if len(predicted) == 0:
        return float("nan")
    parts = np.array_split(np.argsort(predicted, kind="stable"), min(bins, len(predicted)))
    gaps = [abs(predicted[part].mean() - happened[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / len(predicted))


def _maximised(
    patterns: Votes, failed: Numbers, counts: npt.NDArray[np.integer[Any]], prior: SignalPrior, model: LabelModel
) -> LabelModel:
    """Re-estimate the rates, given how many items of each pattern are expected to have failed."""
    fired, looked = (patterns == FIRED).astype(np.float64), (patterns != ABSTAINED).astype(np.float64)
    fine = counts - failed
    a = prior.strength
    b = prior.false_positive_strength + np.where(np.asarray(prior.is_firm), _FIRM * counts.sum(), 0)
    sensitivity = (failed @ fired + a * np.asarray(prior.sensitivity)) / (failed @ looked + a)
    false_positive = (fine @ fired + b * np.asarray(prior.false_positive)) / (fine @ looked + b)
    prevalence = (failed.sum() + a * prior.prevalence) / (counts.sum() + a)
    false_positive = np.clip(false_positive, _EDGE, _MOST_FALSE)
    # A signal that fires more on good traces than on bad is no evidence; it must not become evidence of health.
    sensitivity = np.clip(sensitivity, false_positive, 1 - _EDGE)
    prevalence = float(np.clip(prevalence, _EDGE, 1 - _EDGE))
    return LabelModel(sensitivity, false_positive, prevalence, model.iterations + 1, model.share)


def _largest_change(before: LabelModel, after: LabelModel) -> float:
    rates = np.abs(
        np.concatenate([before.sensitivity - after.sensitivity, before.false_positive - after.false_positive])
    )
    return max(float(rates.max(initial=0.0)), abs(before.prevalence - after.prevalence))
