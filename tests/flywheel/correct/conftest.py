"""A lake with traces and hard examples of a day, and a running local provider as the teacher."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flywheel.core.lake import Lake
from flywheel.core.records import HardExample, Message, Purpose
from flywheel.llm.client import Provider
from flywheel.llm.ledger import Ledger
from flywheel.llm.local.server import LocalProvider

_DAY = date(2026, 1, 5)
_OPTIONS = "Say one of: card_lost, refund, exchange_rate."


def make_example(number: int, query: str = "", purpose: Purpose = Purpose.HARD) -> HardExample:
    query = query or f"where is my refund number {number}"
    return HardExample(
        example_id=f"e{number}",
        trace_id=f"t{number}",
        mode_id="m",
        purpose=purpose,
        task="intent",
        input=(Message("system", _OPTIONS), Message("user", query)),
        query=query,
        rejected="card_lost",
        hardness=0.5,
        novelty=0.5,
        rank=number,
    )


@pytest.fixture
def example() -> Callable[..., HardExample]:
    """Return a maker of hard examples by number."""
    return make_example


@pytest.fixture
def memory() -> Lake:
    return Lake.in_memory()


@pytest.fixture
def land() -> Callable[..., int]:
    """Return what lands rows that name only the columns that matter."""
    return lambda lake, table, *rows: lake.land(table, lake.typed(table, rows))


@pytest.fixture
def mined(memory: Lake, land: Callable[..., int]) -> Lake:
    """Return a lake with four hard examples, two audits, and who is asked about them."""
    routes = {1: "human", 2: "ai", 3: "ai", 4: "drop", 8: "human", 9: "human"}
    for number, route in routes.items():
        found = make_example(number, purpose=Purpose.AUDIT if number > 7 else Purpose.HARD)
        said = [{"role": message.role, "content": message.content} for message in found.input]
        output = None if number == 3 else found.rejected
        trace = {"day": _DAY, "trace_id": found.trace_id, "input": json.dumps(said), "query": found.query}
        land(memory, "traces", trace | {"task": "intent", "output": output})
        hard = {name: getattr(found, name) for name in ("example_id", "trace_id", "mode_id", "hardness", "novelty")}
        land(memory, "hard_examples", hard | {"day": _DAY, "purpose": found.purpose.value, "rank": number})
        routed = {"day": _DAY, "example_id": found.example_id, "route": route, "reason": "for_a_reason"}
        land(memory, "routes", routed | {"audit": number > 7})
    return memory


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProvider]:
    with LocalProvider(tmp_path_factory.mktemp("teacher")) as running:
        yield running


@pytest.fixture
def provider(local: LocalProvider, tmp_path: Path) -> Iterator[Provider]:
    """Return the local provider behind a ledger of the test's own."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        yield Provider(local.base_url, "local", ledger)


@pytest.fixture
def answer_row() -> Callable[..., dict[str, Any]]:
    """Return a maker of rows of `answers`: a person's, unless facts say otherwise."""

    def make(answer_id: str, **facts: Any) -> dict[str, Any]:
        return {
            "day": _DAY,
            "answer_id": answer_id,
            "corrector": "ann",
            "author_kind": "human",
            "output": "refund",
            "generation_depth": 0,
            "answered_at": datetime(2026, 1, 5, tzinfo=UTC),
            **facts,
        }

    return make
