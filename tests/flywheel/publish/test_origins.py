"""What the lake knows of a candidate beside its rows."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flywheel.core.lake import Lake
from flywheel.publish.candidate import Candidate
from flywheel.publish.origins import origins_of

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
Corrections = Callable[..., list[dict[str, Any]]]
Land = Callable[[Lake, str, list[dict[str, Any]]], int]


def test_apps_costs_and_judged_models_are_those_up_to_the_day(
    memory: Lake, land: Land, corrections: Corrections, candidate_of: Callable[..., Candidate]
) -> None:
    rows = [*corrections([1, 2], route="human"), *corrections([3], route="ai", author_kind="ai", author_id="large")]
    land(memory, "corrections", rows)
    land(
        memory, "traces", [{"day": MONDAY, "trace_id": f"t{n}", "app": app} for n, app in ((1, "desk"), (2, "shop"))]
    )
    answers = [
        {"answer_id": f"{n:04x}", "example_id": f"e{n}", "author_kind": kind, "day": day, "cost_usd": cost}
        for n, kind, day, cost in (
            (1, "human", MONDAY, 0.5), (2, "human", MONDAY, 0.5), (3, "ai", MONDAY, 0.1), (4, "human", MONDAY, 0.5),
            (5, "human", TUESDAY, 9.0),
        )
    ]  # fmt: skip
    land(memory, "answers", answers)
    routes = [{"day": MONDAY, "example_id": f"e{n}", "route": "ai" if n == 3 else "human"} for n in range(1, 6)]
    land(memory, "routes", routes)
    trust = {"corrector": "large", "judged_count": 20, "agreement": 0.8, "agreement_low": 0.58}
    later, other = {"day": TUESDAY, "agreement": 0.1}, {"day": MONDAY, "corrector": "other"}
    land(memory, "corrector_trust", [{"day": MONDAY, **trust}, trust | later, trust | other])
    land(memory, "judgements", [{"day": MONDAY, "judge": "ann", "example_id": "e9", "subject": "large"}])

    assert origins_of(memory, candidate_of(rows), MONDAY) == {
        "rows_by_app": {"desk": 1, "none": 1, "shop": 1},
        "costs": [
            {"route": "ai", "author_kind": "ai", "answers": 1, "cost_usd": 0.1, "rows": 1},
            {"route": "human", "author_kind": "human", "answers": 3, "cost_usd": 1.5, "rows": 2},
        ],
        "judged_models": [
            {"corrector": "large", "judged": 20, "agreement": 0.8, "agreement_low": 0.58, "judged_on": "2026-01-05"}
        ],
    }


def test_a_lake_that_knows_nothing_says_nothing(
    memory: Lake, corrections: Corrections, candidate_of: Callable[..., Candidate]
) -> None:
    found = origins_of(memory, candidate_of(corrections([1])), MONDAY)
    assert found == {"rows_by_app": {"none": 1}, "costs": [], "judged_models": []}
