"""From a release to a decision, on a provider that really trains."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from flywheel.core.errors import CorruptObject, UnknownVersion
from flywheel.core.promises import check_suite, critical_failures
from flywheel.improve.day import Improvement, production_model

if TYPE_CHECKING:
    from tests.flywheel.improve.conftest import Product, Products, Question

pytestmark = pytest.mark.xdist_group("improve")  # its tests share a provider and what it trained

MONDAY, TUESDAY, WEDNESDAY = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)
Ask = Callable[[int, int], "list[Question]"]


@dataclass(frozen=True)
class Told:
    """A product that improved, improved again on the same release, and was then taught wrong labels."""

    product: "Product"
    first: Improvement
    again: Improvement
    counts: list[tuple[int, int]]  # of evaluations and model events, after the first and after the second time
    poisoned: Improvement


@pytest.fixture(scope="module")
def told(new_product: "Products", ask: Ask, mislabel: "Callable[[list[Question]], list[Question]]") -> Told:
    product = new_product()
    product.audit(ask(3, 60))
    product.publish("corrections", ask(1, 120), ask(2, 40))
    counts = []
    runs = []
    for hour in (9, 15):
        runs.append(product.improve(hour=hour))
        counts.append(tuple(len(product.lake.connection.table(name)) for name in ("evaluations", "models")))
    product.publish("poisoned", mislabel(ask(4, 120)), mislabel(ask(5, 40)))
    return Told(product, runs[0], runs[1], counts, product.improve("poisoned", TUESDAY))


def test_a_model_that_helps_is_promoted(told: Told) -> None:
    assert told.first.decision.promoted
    assert told.first.decision.reason == "fixes_failures_and_keeps_the_rest"
    assert (told.first.production, told.first.version) == ("wheel-small", 1)
    assert (told.first.failures.n, told.first.traffic.n) == (40, 60)
    assert told.first.traffic.production_mean == 0
    assert told.first.traffic.candidate_mean > 0.9
    assert told.first.candidate.startswith("ft:wheel-small:")


def test_the_same_release_again_is_the_same_decision_and_lands_nothing(told: Told) -> None:
    assert told.again == told.first
    assert told.counts == [(100, 1), (100, 1)]


def test_a_model_that_learned_wrong_labels_is_refused(told: Told) -> None:
    assert told.poisoned.production == told.first.candidate
    assert told.poisoned.failures.difference.low > 0  # on held-out rows with the same wrong labels it shines
    assert (told.poisoned.decision.promoted, told.poisoned.decision.reason) == (False, "worse_on_traffic")


def test_both_decisions_are_on_record(told: Told) -> None:
    lake = told.product.lake
    found = lake.frame(
        "select day, model_id, dataset, version, status, reason, compared_with from models order by day"
    )
    assert found.rows() == [
        (MONDAY, told.first.candidate, "corrections", 1, "promoted", told.first.decision.reason, "wheel-small"),
        (TUESDAY, told.poisoned.candidate, "poisoned", 1, "refused", "worse_on_traffic", told.first.candidate),
    ]
    for table in ("models", "evaluations"):
        assert critical_failures(check_suite(table, lake.frame(f"from {table}"))) == []


def test_each_answer_is_on_record(told: Told) -> None:
    query = """
        select set_name, count(*), count(distinct example_id), avg(candidate_right::int)
        from evaluations where candidate_model = $model group by set_name order by set_name
    """
    rows = told.product.lake.frame(query, model=told.first.candidate).rows()
    assert [row[:3] for row in rows] == [("heldout", 40, 40), ("traffic", 60, 60)]
    assert rows[1][3] == told.first.traffic.candidate_mean


def test_the_refused_model_serves_nobody(told: Told) -> None:
    assert production_model(told.product.lake, told.product.settings, WEDNESDAY) == told.first.candidate


def event(model: str, status: str, day: date, hour: int = 12) -> dict[str, Any]:
    at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    return {"day": day, "event_id": f"{model}{day}{hour}", "model_id": model, "status": status, "happened_at": at}


@pytest.mark.parametrize(
    ("events", "production"),
    [
        ([], "wheel-small"),
        ([event("a", "refused", MONDAY)], "wheel-small"),
        ([event("a", "promoted", MONDAY), event("b", "promoted", TUESDAY, 3)], "b"),
        ([event("b", "promoted", TUESDAY, 3), event("a", "promoted", TUESDAY, 2)], "b"),
        ([event("a", "promoted", MONDAY), event("b", "refused", TUESDAY)], "a"),
        ([event("a", "promoted", MONDAY), event("b", "promoted", WEDNESDAY)], "a"),
    ],
    ids=["none", "refused", "newest", "newest_of_a_day", "refused_later", "promoted_tomorrow"],
)
def test_production_is_the_newest_promotion(
    new_product: "Products", events: list[dict[str, Any]], production: str
) -> None:
    product = new_product()
    product.lake.land("models", product.lake.typed("models", events))
    assert production_model(product.lake, product.settings, TUESDAY) == production


def test_a_candidate_is_compared_with_what_it_replaced(new_product: "Products") -> None:
    product = new_product()
    events = [event("a", "promoted", MONDAY), event("b", "promoted", TUESDAY)]
    product.lake.land("models", product.lake.typed("models", events))
    assert production_model(product.lake, product.settings, TUESDAY, besides="b") == "a"


def test_too_little_to_tell_promotes_nothing_and_keeps_the_record_readable(new_product: "Products", ask: Ask) -> None:
    product = new_product()
    product.publish("corrections", ask(1, 40), [])
    improvement = product.improve()
    assert (improvement.decision.promoted, improvement.decision.reason) == (False, "too_few_examples_to_tell")
    row = product.lake.frame("select * from models")
    assert (row["evaluated_count"][0], row["candidate_accuracy"][0], row["difference_low"][0]) == (0, None, None)
    assert critical_failures(check_suite("models", row)) == []


def test_audits_of_later_days_are_not_asked(new_product: "Products", ask: Ask) -> None:
    product = new_product()
    product.audit(ask(3, 30))
    product.audit(ask(4, 30), TUESDAY)
    product.publish("corrections", ask(1, 120), ask(2, 40))
    assert product.improve(day=MONDAY).traffic.n == 30


def test_nothing_published_is_told(new_product: "Products") -> None:
    with pytest.raises(UnknownVersion, match="latest"):
        new_product().improve()


def test_a_changed_release_is_not_learned_from(new_product: "Products", ask: Ask) -> None:
    product = new_product()
    release = product.publish("corrections", ask(1, 40), ask(2, 10))
    product.store.put(f"{release.folder}/exports/openai-sft.jsonl", b"{}")
    with pytest.raises(CorruptObject, match=r"openai-sft\.jsonl"):
        product.improve()
    assert len(product.lake.connection.table("models")) == 0
