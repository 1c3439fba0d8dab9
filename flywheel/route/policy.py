"""Decide who corrects an example; every decision has a reason, a value and a price."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from flywheel.core.records import HardExample, Purpose, Route


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """What routing may spend and what it must not leave to a model."""

    human_budget: int = 60  # examples people can answer per day, audits not counted
    drop_below: float = 0.30  # p(failure) near the base rate: likely nothing to correct
    overlap_share: float = 0.15  # of AI-routed examples also go to people, so that trust is measured on hard ones
    novel_from: float = 0.99  # first failures of a mode: no model has a track record there yet
    sure_from: float = 0.7  # the teacher's probability of its own answer, as CorrectionPolicy accepts it
    human_cost_usd: float = 0.67  # per label, and
    ai_cost_usd: float = 0.06  # per label: the figures of RLAIF (arXiv 2309.00267)
    human_accuracy: float = 0.95
    # words after which a wrong automatic correction could hurt somebody
    safety_terms: tuple[str, ...] = ("suicide", "self-harm", "kill", "overdose", "threat", "blackmail")


@dataclass(frozen=True, slots=True)
class TeacherTrust:
    """What people's answers say about the AI teacher so far."""

    is_trusted: bool
    agreement: float  # 0-1, 0.5 while nothing is known


@dataclass(frozen=True, slots=True)
class Prospects:
    """What can be had for one example: the teacher's own confidence in its answer, and people's time."""

    trust: TeacherTrust
    teacher_confidence: float | None  # 0-1; None: no teacher answered
    human_left: int


@dataclass(frozen=True, slots=True)
class Decision:
    """A route with its reason and price."""

    example_id: str
    route: Route
    reason: str
    expected_value: float  # chance that there was a failure and the correction is right, 0-1
    expected_cost_usd: float
    audit: bool


def choose_route(example: HardExample, policy: RoutingPolicy, prospects: Prospects) -> tuple[Route, str]:
    """Return the route and the reason, so that every decision can be counted and audited."""
    if example.purpose is Purpose.AUDIT:
        return Route.HUMAN, "random_audit"
    if example.purpose is Purpose.RELABEL:
        return Route.HUMAN, "suspected_label_noise"  # its answer is doubted, so no model decides it
    if example.rejected is None:
        return Route.DROP, "no_answer_to_correct"  # a timeout or an outage teaches a model nothing
    if example.hardness < policy.drop_below:
        return Route.DROP, "too_easy"
    if _is_safety_critical(example.query, policy.safety_terms):
        return Route.HUMAN, "safety_critical"
    return _cheapest(example, policy, prospects)


def _cheapest(example: HardExample, policy: RoutingPolicy, prospects: Prospects) -> tuple[Route, str]:
    """Return the cheapest route that meets the bar: a trusted teacher that is sure, else a person, else nobody."""
    is_sure = (prospects.teacher_confidence or 0.0) >= policy.sure_from
    if is_sure and prospects.trust.is_trusted and example.novelty < policy.novel_from:
        return Route.AI, "teacher_is_sure"
    if prospects.human_left > 0:
        if example.novelty >= policy.novel_from:
            return Route.HUMAN, "new_failure_mode"
        return Route.HUMAN, "teacher_is_unsure" if prospects.trust.is_trusted else "teacher_unproven"
    return (Route.AI, "human_budget_spent") if is_sure else (Route.DROP, "human_budget_spent")


def route_all(
    examples: Iterable[HardExample],
    policy: RoutingPolicy,
    trust: TeacherTrust,
    confidences: Mapping[str, float | None],
    seed: str,
) -> Iterator[Decision]:
    """Yield a decision per example, best first, until the people's budget is used up.

    `confidences` are the teacher's, by example id.
    """
    human_left = policy.human_budget
    for example in sorted(examples, key=lambda example: (example.purpose is Purpose.HARD, example.rank)):
        prospects = Prospects(trust, confidences.get(example.example_id), human_left)
        route, reason = choose_route(example, policy, prospects)
        is_audit = example.purpose is Purpose.AUDIT
        overlaps = route is Route.AI and _draw(seed, example.example_id) < policy.overlap_share
        if route is Route.HUMAN and not is_audit:
            human_left -= 1
        yield Decision(
            example_id=example.example_id,
            route=route,
            reason=reason,
            expected_value=_value(route, example, policy, trust),
            expected_cost_usd=_cost(route, overlaps, policy),
            audit=is_audit or overlaps,
        )


def _is_safety_critical(query: str, terms: tuple[str, ...]) -> bool:
    return any(re.search(rf"\b{re.escape(term)}", query, re.IGNORECASE) for term in terms)


def _value(route: Route, example: HardExample, policy: RoutingPolicy, trust: TeacherTrust) -> float:
    accuracy = {Route.HUMAN: policy.human_accuracy, Route.AI: trust.agreement, Route.DROP: 0.0}[route]
    return example.hardness * accuracy


def _cost(route: Route, overlaps: bool, policy: RoutingPolicy) -> float:
    price = {Route.HUMAN: policy.human_cost_usd, Route.AI: policy.ai_cost_usd, Route.DROP: 0.0}[route]
    return price + (policy.human_cost_usd if overlaps else 0.0)


def _draw(seed: str, example_id: str) -> float:
    """Return a number in [0, 1) that depends on the example only, so that a rerun draws the same audits."""
    digest = hashlib.blake2b(f"{seed}:{example_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
