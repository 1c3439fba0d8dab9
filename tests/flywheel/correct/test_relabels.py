"""A failure that may be none: people see it with its reason, and nobody learns from it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.correct.correctors import HumanQueue
from flywheel.correct.day import CorrectionPolicy, accept_answers, examples_for_models, examples_for_people

DAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
Land = Callable[..., int]


@pytest.fixture
def doubted(mined: Lake, land: Land) -> Lake:
    """Return the lake with a relabel beside its hard examples and audits."""
    said = {"input": '[{"role": "user", "content": "odd one"}]', "query": "odd one", "output": "card_lost"}
    land(mined, "traces", {"day": DAY, "trace_id": "t7", "task": "intent", **said})
    example = {"day": DAY, "example_id": "e7", "trace_id": "t7", "mode_id": "m", "purpose": "relabel"}
    numbers = {"hardness": 0.9, "novelty": 0.5, "rank": 1}
    land(mined, "hard_examples", example | numbers | {"reason": "contradicts_correction"})
    land(mined, "routes", {"day": DAY, "example_id": "e7", "route": "human", "reason": "suspected_label_noise"})
    return mined


def test_people_see_it_in_their_queue_with_the_reason(doubted: Lake, tmp_path: Any) -> None:
    HumanQueue(doubted, tmp_path, NOW, 0.0).submit(examples_for_people(doubted, DAY))
    waiting = dict(doubted.frame("select example_id, reason from open_reviews").iter_rows())
    assert waiting == {"e1": "hard", "e7": "contradicts_correction", "e8": "audit", "e9": "audit"}


def test_no_model_is_asked(doubted: Lake) -> None:
    assert "e7" not in {example.example_id for example in examples_for_models(doubted, DAY)}


def test_neither_a_person_nor_a_trusted_model_makes_training_data_of_it(
    doubted: Lake, land: Land, answer_row: Callable[..., dict[str, Any]]
) -> None:
    trusted = {"day": date(2026, 1, 4), "is_trusted": True, "agreement": 0.95, "corrector": "bot"}
    land(doubted, "corrector_trust", trusted)
    model = {"corrector": "bot", "author_kind": "ai", "confidence": 1.0, "generation_depth": 1}
    for example_id in ("e1", "e7", "e8"):
        land(doubted, "answers", answer_row(f"ann-{example_id}", example_id=example_id))
        land(doubted, "answers", answer_row(f"bot-{example_id}", example_id=example_id, **model))
    verdicts = accept_answers(doubted, DAY, CorrectionPolicy())
    assert verdicts["relabel_only"] == 2
    assert doubted.frame("select distinct example_id from corrections").rows() == [("e1",)]
    assert doubted.frame("select count(*) from preferences").item() == 1
    assert doubted.frame("select example_id from audits").rows() == [("e8",)]
