"""Promote only what fixes failures and shows that it broke nothing."""

import pytest

from flywheel.improve.decide import PromotionPolicy, decide
from flywheel.stats.intervals import NOTHING, Interval
from flywheel.stats.paired import PairedResult

POLICY = PromotionPolicy(margin=0.02, fewest_failures=20, fewest_traffic=30)


def paired(low: float, high: float, n: int = 100) -> PairedResult:
    return PairedResult(n, 0.5, 0.5, 0, 0, Interval((low + high) / 2, low, high), 1.0)


FIXES, SAME, NONE = paired(0.1, 0.3), paired(0.0, 0.0), PairedResult(0, 0.0, 0.0, 0, 0, NOTHING, 1.0)


@pytest.mark.parametrize(
    ("failures", "traffic", "reason"),
    [
        (FIXES, SAME, "fixes_failures_and_keeps_the_rest"),
        (FIXES, paired(0.01, 0.2), "fixes_failures_and_keeps_the_rest"),
        (FIXES, paired(-0.019, 0.1), "fixes_failures_and_keeps_the_rest"),
        (paired(0.001, 0.3, n=20), paired(-0.01, 0.1, n=30), "fixes_failures_and_keeps_the_rest"),
        (FIXES, paired(-0.02, 0.1), "underpowered_on_traffic"),
        (FIXES, paired(-0.3, 0.0), "underpowered_on_traffic"),
        (FIXES, paired(-0.3, -0.001), "worse_on_traffic"),
        (FIXES, paired(-0.01, -0.001), "worse_on_traffic"),
        (SAME, SAME, "does_not_fix_held_out_failures"),
        (paired(0.0, 0.4), SAME, "does_not_fix_held_out_failures"),
        (paired(-0.2, 0.2), paired(-0.3, -0.1), "does_not_fix_held_out_failures"),
        (paired(0.1, 0.3, n=19), SAME, "too_few_examples_to_tell"),
        (FIXES, paired(0.0, 0.0, n=29), "too_few_examples_to_tell"),
        (NONE, SAME, "too_few_examples_to_tell"),
        (FIXES, NONE, "too_few_examples_to_tell"),
        (NONE, NONE, "too_few_examples_to_tell"),
    ],
)
def test_the_reason_of_a_decision(failures: PairedResult, traffic: PairedResult, reason: str) -> None:
    decision = decide(failures, traffic, POLICY)
    assert (decision.reason, decision.promoted) == (reason, reason == "fixes_failures_and_keeps_the_rest")


def test_the_policy_sets_the_bars() -> None:
    lenient = PromotionPolicy(margin=0.5, fewest_failures=1, fewest_traffic=1)
    assert decide(paired(0.1, 0.2, n=1), paired(-0.4, 0.4, n=1), lenient).promoted
    assert not decide(FIXES, paired(-0.001, 0.1), PromotionPolicy(margin=0.001)).promoted


def test_what_we_promote_by() -> None:
    assert PromotionPolicy() == PromotionPolicy(margin=0.02, fewest_failures=20, fewest_traffic=30)
