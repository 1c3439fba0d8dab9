from collections.abc import Callable
from dataclasses import replace

import pytest

from flywheel.core.records import HardExample, Message, Purpose, Route
from flywheel.route.policy import Decision, Prospects, RoutingPolicy, TeacherTrust, choose_route, route_all

TRUSTED, UNPROVEN = TeacherTrust(is_trusted=True, agreement=0.9), TeacherTrust(is_trusted=False, agreement=0.5)
SURE, UNSURE, SILENT = 0.95, 0.4, None
POLICY = RoutingPolicy()

GIVEN = HardExample(
    example_id="e",
    trace_id="t",
    mode_id="m",
    purpose=Purpose.HARD,
    task="intent",
    input=(Message("user", "where is my card"),),
    query="where is my card",
    rejected="refund",
    hardness=0.8,
    novelty=0.1,
    rank=1,
)
AUDIT = replace(GIVEN, purpose=Purpose.AUDIT)
RELABEL = replace(GIVEN, purpose=Purpose.RELABEL, reason="too_sure_to_be_wrong")
NEW = replace(GIVEN, novelty=1.0)
CASES = [
    (AUDIT, TRUSTED, SURE, 60, Route.HUMAN, "random_audit"),
    (replace(AUDIT, rejected=None, hardness=0.0), TRUSTED, SURE, 0, Route.HUMAN, "random_audit"),
    (RELABEL, TRUSTED, SURE, 60, Route.HUMAN, "suspected_label_noise"),
    (replace(RELABEL, hardness=0.0), TRUSTED, SURE, 0, Route.HUMAN, "suspected_label_noise"),
    (replace(GIVEN, rejected=None), TRUSTED, SURE, 60, Route.DROP, "no_answer_to_correct"),
    (replace(GIVEN, rejected=None, query="kill"), TRUSTED, SURE, 60, Route.DROP, "no_answer_to_correct"),
    (replace(GIVEN, rejected=""), TRUSTED, SURE, 60, Route.AI, "teacher_is_sure"),
    (replace(GIVEN, hardness=0.29), TRUSTED, SURE, 60, Route.DROP, "too_easy"),
    (replace(GIVEN, hardness=0.30), TRUSTED, SURE, 60, Route.AI, "teacher_is_sure"),
    (replace(GIVEN, query="They THREATEN me"), TRUSTED, SURE, 60, Route.HUMAN, "safety_critical"),
    (replace(GIVEN, query="suicide"), UNPROVEN, SILENT, 0, Route.HUMAN, "safety_critical"),
    (replace(GIVEN, query="which skill"), TRUSTED, SURE, 60, Route.AI, "teacher_is_sure"),
    (GIVEN, TRUSTED, SURE, 60, Route.AI, "teacher_is_sure"),
    (GIVEN, TRUSTED, 0.7, 0, Route.AI, "teacher_is_sure"),
    (replace(GIVEN, novelty=0.98), TRUSTED, SURE, 60, Route.AI, "teacher_is_sure"),
    (NEW, TRUSTED, SURE, 60, Route.HUMAN, "new_failure_mode"),
    (NEW, UNPROVEN, SILENT, 1, Route.HUMAN, "new_failure_mode"),
    (GIVEN, TRUSTED, 0.69, 60, Route.HUMAN, "teacher_is_unsure"),
    (GIVEN, TRUSTED, SILENT, 60, Route.HUMAN, "teacher_is_unsure"),
    (GIVEN, UNPROVEN, SURE, 60, Route.HUMAN, "teacher_unproven"),
    (GIVEN, UNPROVEN, SILENT, 60, Route.HUMAN, "teacher_unproven"),
    (GIVEN, UNPROVEN, SURE, 0, Route.AI, "human_budget_spent"),
    (NEW, TRUSTED, SURE, 0, Route.AI, "human_budget_spent"),
    (GIVEN, UNPROVEN, UNSURE, 0, Route.DROP, "human_budget_spent"),
    (NEW, TRUSTED, SILENT, 0, Route.DROP, "human_budget_spent"),
]


@pytest.mark.parametrize(("example", "trust", "confidence", "left", "route", "reason"), CASES)
def test_the_first_reason_that_applies_decides(  # noqa: PLR0913 - a row of the table
    example: HardExample, trust: TeacherTrust, confidence: float | None, left: int, route: Route, reason: str
) -> None:
    assert choose_route(example, POLICY, Prospects(trust, confidence, left)) == (route, reason)


def test_without_safety_terms_nothing_is_safety_critical() -> None:
    policy = replace(POLICY, safety_terms=())
    dangerous = replace(GIVEN, query="kill")
    assert choose_route(dangerous, policy, Prospects(TRUSTED, SURE, 60)) == (Route.AI, "teacher_is_sure")


def test_a_safety_term_is_a_word_not_a_pattern() -> None:
    policy = replace(POLICY, safety_terms=("c.t",))
    assert choose_route(replace(GIVEN, query="cat"), policy, Prospects(TRUSTED, SURE, 60))[1] == "teacher_is_sure"


@pytest.fixture
def many() -> Callable[..., list[HardExample]]:
    def examples(count: int, **changes: object) -> list[HardExample]:
        return [replace(GIVEN, example_id=f"e{rank}", rank=rank, **changes) for rank in range(1, count + 1)]

    return examples


def routed(examples: list[HardExample], trust: TeacherTrust, sure: float | None, seed: str = "s") -> list[Decision]:
    policy = replace(POLICY, human_budget=3)
    return list(route_all(examples, policy, trust, {example.example_id: sure for example in examples}, seed))


def test_people_get_the_best_until_their_budget_is_spent(many: Callable[..., list[HardExample]]) -> None:
    decisions = routed(many(5)[::-1], UNPROVEN, SILENT)
    assert [(decision.example_id, decision.reason) for decision in decisions] == [
        ("e1", "teacher_unproven"),
        ("e2", "teacher_unproven"),
        ("e3", "teacher_unproven"),
        ("e4", "human_budget_spent"),
        ("e5", "human_budget_spent"),
    ]


def test_audits_come_first_and_cost_no_budget(many: Callable[..., list[HardExample]]) -> None:
    audits = [replace(AUDIT, example_id=f"a{rank}", rank=rank) for rank in range(1, 6)]
    decisions = routed([*many(4), *audits], UNPROVEN, SILENT)
    assert [decision.example_id for decision in decisions[:5]] == ["a1", "a2", "a3", "a4", "a5"]
    assert all(decision.audit for decision in decisions[:5])
    assert [decision.reason for decision in decisions[5:]] == ["teacher_unproven"] * 3 + ["human_budget_spent"]


def test_safety_uses_the_budget_and_may_pass_it(many: Callable[..., list[HardExample]]) -> None:
    dangerous, other = many(4, query="kill"), replace(GIVEN, example_id="e9", rank=9)
    reasons = [decision.reason for decision in routed([*dangerous, other], UNPROVEN, SILENT)]
    assert reasons == ["safety_critical"] * 4 + ["human_budget_spent"]


def test_an_example_without_a_teachers_answer_has_no_confidence() -> None:
    (decision,) = route_all([GIVEN], replace(POLICY, human_budget=0), TRUSTED, {}, "s")
    assert (decision.route, decision.reason) == (Route.DROP, "human_budget_spent")


def test_about_the_planned_share_of_ai_routes_goes_to_people_too(many: Callable[..., list[HardExample]]) -> None:
    decisions = routed(many(4000), TRUSTED, SURE)
    assert {decision.route for decision in decisions} == {Route.AI}
    share = sum(decision.audit for decision in decisions) / 4000
    assert share == pytest.approx(0.15, abs=0.02)


def test_the_draw_depends_on_day_and_example_alone(many: Callable[..., list[HardExample]]) -> None:
    def drawn(examples: list[HardExample], seed: str) -> set[str]:
        return {decision.example_id for decision in routed(examples, TRUSTED, SURE, seed) if decision.audit}

    first = drawn(many(400), "2026-01-05")
    assert drawn(many(400)[::-1], "2026-01-05") == first
    assert drawn(many(200), "2026-01-05") == {name for name in first if int(name[1:]) <= 200}
    assert drawn(many(400), "2026-01-06") != first


def test_only_ai_routes_overlap(many: Callable[..., list[HardExample]]) -> None:
    assert not any(decision.audit for decision in routed(many(200), UNPROVEN, SILENT))


PRICES = [
    (AUDIT, TRUSTED, SURE, 0.8 * 0.95, 0.67),
    (GIVEN, UNPROVEN, SILENT, 0.8 * 0.95, 0.67),
    (replace(GIVEN, hardness=0.1), TRUSTED, SURE, 0.0, 0.0),
    (GIVEN, TRUSTED, SURE, 0.8 * 0.9, 0.06),
]


@pytest.mark.parametrize(("example", "trust", "confidence", "value", "cost_usd"), PRICES)
def test_a_decision_says_what_it_is_worth_and_costs(
    example: HardExample, trust: TeacherTrust, confidence: float | None, value: float, cost_usd: float
) -> None:
    policy = replace(POLICY, overlap_share=0.0)
    (decision,) = route_all([example], policy, trust, {"e": confidence}, "s")
    assert (decision.expected_value, decision.expected_cost_usd) == pytest.approx((value, cost_usd))


def test_asking_both_costs_both() -> None:
    (decision,) = route_all([GIVEN], replace(POLICY, overlap_share=1.0), TRUSTED, {"e": SURE}, "s")
    assert (decision.route, decision.audit) == (Route.AI, True)
    assert decision.expected_cost_usd == pytest.approx(0.73)
