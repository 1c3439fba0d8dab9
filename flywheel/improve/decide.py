"""Promote or refuse a candidate, from paired outcomes: it must fix failures and break nothing measurable."""

from dataclasses import dataclass

from flywheel.stats.paired import PairedResult


@dataclass(frozen=True, slots=True)
class PromotionPolicy:
    """What a candidate has to show."""

    margin: float = 0.02  # general traffic may lose at most this, see docs/improve.md
    fewest_failures: int = 20  # held-out failures below this cannot show a fix
    fewest_traffic: int = 30  # audited traces below this cannot show that nothing broke


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the candidate takes over, and why."""

    promoted: bool
    reason: str  # snake_case


def decide(failures: PairedResult, traffic: PairedResult, policy: PromotionPolicy) -> Decision:
    """Return the decision: superior on held-out failures and not inferior on random traffic.

    Both are judged by the lower end of the 95 % interval of candidate minus production.
    """
    if failures.n < policy.fewest_failures or traffic.n < policy.fewest_traffic:
        return Decision(promoted=False, reason="too_few_examples_to_tell")
    if failures.difference.low <= 0:
        return Decision(promoted=False, reason="does_not_fix_held_out_failures")
    if traffic.difference.high < 0:
        return Decision(promoted=False, reason="worse_on_traffic")
    if traffic.difference.low <= -policy.margin:
        return Decision(promoted=False, reason="underpowered_on_traffic")
    return Decision(promoted=True, reason="fixes_failures_and_keeps_the_rest")
