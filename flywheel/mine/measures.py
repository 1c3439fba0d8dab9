"""Measure a mode: how often, how bad, how mendable, and so how much working on it is worth.

    prevalence = sum of p_failure of its members / all traces of the day      (Wilson's interval on expected counts)
    severity   = mean over members of the worst signal: what its kind weighs x how strongly it fired
    fixability = mean over members of whether a correction can mend it
    worth      = prevalence x severity x fixability

`worth_low` is the lower 95 % bound, by the delta method on logarithms: the relative variances of the three add up,
each taken as large as that of a share (which no mean of numbers between 0 and 1 exceeds).
"""

from dataclasses import dataclass
from math import exp, sqrt

import polars as pl

from flywheel.stats.intervals import Interval, wilson

# What a kind of signal says about the harm done, 0-1. No answer at all, or one a program cannot read, is worst; that
# a user tried again may be nothing. A judgement, not a measurement: change it here.
SEVERITY = {
    "failed_call": 1.0, "empty_answer": 1.0, "negative_outcome": 1.0, "escalation": 0.9, "tool_error": 0.9,
    "tool_loop": 0.9, "verifier_failed": 0.9, "ungrounded": 0.9, "invalid_structure": 0.8, "truncation": 0.8,
    "guardrail_hit": 0.8, "evaluator_failed": 0.7, "content_filter": 0.7, "language_mismatch": 0.7, "user_edit": 0.7,
    "thumbs_down": 0.7, "low_rating": 0.7, "negative_comment": 0.7, "dissatisfaction": 0.7, "repetition": 0.7,
    "refusal": 0.6, "rephrase": 0.5, "regenerate": 0.5, "disagreement": 0.5, "leaked_markup": 0.5, "abandonment": 0.4,
    "low_confidence": 0.3,
}  # fmt: skip
OTHER_SEVERITY = 0.6  # of a signal that is not listed

# Fixability of one failure, 0-1, the first that applies:
CORRECTION_KNOWN = 1.0  # somebody wrote the right answer already (edit, demonstration)
NO_ANSWER = 0.1  # the call failed: training mends no timeout
CHECK_KNOWN = 0.8  # a program can say whether a new answer is right
ACCEPTED_PRIOR = (0.5, 4.0)  # else the share of the mode's answers accepted so far, shrunk to a half worth 4 answers
CHECKED = ("invalid_structure", "verifier_failed", "leaked_markup")
UNANSWERED = ("failed_call",)

_Z = 1.6449  # one-sided 95 %


@dataclass(frozen=True, slots=True)
class Measures:
    """What is known about a mode on one day."""

    prevalence: Interval
    severity: float
    fixability: float
    worth: float
    worth_low: float


def measure(members: pl.DataFrame, trace_count: int, accepted: tuple[int, int]) -> Measures:
    """Return the measures of a mode's members: columns p_failure, harm, mend (null where nothing is known).

    `accepted` is how many of the mode's answers were accepted so far, and of how many.
    """
    weight = members["p_failure"].clip(1e-6, 1)
    prior, prior_weight = ACCEPTED_PRIOR
    hope = (accepted[0] + prior * prior_weight) / (accepted[1] + prior_weight)
    expected = float(weight.sum())
    severity = float((weight * members["harm"]).sum()) / expected
    fixability = float((weight * members["mend"].fill_null(hope)).sum()) / expected
    total = max(trace_count, members.height)
    prevalence = wilson(min(expected, total), total)
    worth = prevalence.estimate * severity * fixability
    spread = sum(
        (1 - share) / (count * share)
        for share, count in ((prevalence.estimate, total), (severity, expected), (fixability, expected))
        if share > 0
    )
    return Measures(prevalence, severity, fixability, worth, worth * exp(-_Z * sqrt(spread)))


def harm_of(signals: pl.DataFrame) -> pl.DataFrame:
    """Return trace_id and harm, 0-1, of rows with trace_id, signal, strength."""
    kind = pl.col("signal").replace_strict(SEVERITY, default=OTHER_SEVERITY, return_dtype=pl.Float64)
    return signals.group_by("trace_id").agg((kind * pl.col("strength")).max().alias("harm"))


def mend_of(failures: pl.DataFrame) -> pl.Series:
    """Return the fixability of rows with signals and meant (the right answer, where it is known); null: not known."""
    signals = pl.col("signals")
    mend = (
        pl.when(pl.col("meant").is_not_null())
        .then(CORRECTION_KNOWN)
        .when(signals.list.set_intersection(pl.lit(list(UNANSWERED))).list.len() > 0)
        .then(NO_ANSWER)
        .when(signals.list.set_intersection(pl.lit(list(CHECKED))).list.len() > 0)
        .then(CHECK_KNOWN)
        .otherwise(None)
    )
    return failures.select(mend.alias("mend"))["mend"]


def pick_examples(members: pl.DataFrame, most: int) -> list[str]:
    """Return trace ids of rows with trace_id, similarity, group_id: nearest first, each group once before twice."""
    ranked = members.sort(["similarity", "trace_id"], descending=[True, False]).with_columns(
        pl.int_range(pl.len()).over(pl.coalesce("group_id", "trace_id")).alias("round")
    )
    return ranked.sort("round", maintain_order=True).head(most)["trace_id"].to_list()
