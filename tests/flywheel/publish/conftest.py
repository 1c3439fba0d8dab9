"""Accepted corrections of a support desk, as `corrections` holds them, and a publisher of days."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flywheel.core.lake import Lake
from flywheel.core.releases import Release
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.publish.candidate import Candidate
from flywheel.publish.day import Refusal, publish_day

Row = dict[str, Any]

_DAY = date(2026, 1, 5)
_LABELS = ("card_lost", "refund", "exchange_rate", "close_account")
# nouns and verbs of their own for each number, so that no two questions are near-duplicates
_SAID = ("lend", "print", "mail", "scan", "chart", "weigh", "paint", "route", "store", "trade", "merge", "clone", "audit")
_THINGS = ("ledger", "parcel", "garden", "window", "bottle", "camera", "engine", "forest", "guitar", "hammer", "island")


def question(number: int) -> str:
    """Return a question that shares hardly any character with those of other numbers."""
    said, thing = _SAID[number % len(_SAID)], _THINGS[number % len(_THINGS)]
    return f"{said} {number * 7919:x} {thing} {number * 104729:x}"


def make_correction(number: int, **facts: Any) -> Row:
    query = str(facts.get("query", question(number)))
    return {
        "day": _DAY,
        "correction_id": f"{number:04x}",
        "answer_id": f"{number:04x}",
        "example_id": f"e{number}",
        "trace_id": f"t{number}",
        "task": "intent",
        "input": json.dumps([{"role": "user", "content": query}]),
        "query": query,
        "rejected": "unknown",
        "chosen": _LABELS[number % len(_LABELS)],
        "author_kind": "human",
        "author_id": "ann",
        "agreement": 1.0,
        "depth": 0,
        "cost_usd": 0.5,
        **facts,
    }


@pytest.fixture
def correction() -> Callable[..., Row]:
    """Return a maker of correct, distinct corrections; the number decides the id, the question and the label."""
    return make_correction


@pytest.fixture
def corrections() -> Callable[..., list[Row]]:
    """Return a maker of several; facts given hold for all of them."""

    def make(numbers: Iterable[int], **facts: Any) -> list[Row]:
        return [make_correction(number, **facts) for number in numbers]

    return make


@pytest.fixture
def land() -> Callable[[Lake, str, Sequence[Row]], int]:
    """Return what lands rows that name only the columns that matter."""
    return lambda lake, table, rows: lake.land(table, lake.typed(table, rows))


@pytest.fixture
def memory() -> Lake:
    """Return a lake without storage, for what only reads rows."""
    return Lake.in_memory()


@pytest.fixture
def candidate_of() -> Callable[..., Candidate]:
    """Return a maker of candidates from rows that say on which side they are."""

    def make(
        rows: Sequence[Mapping[str, Any]], audited: tuple[str, ...] = (), parent_ids: Iterable[str] = ()
    ) -> Candidate:
        filled = [{"split": "train", "mode_name": None, "group_id": "g", "route": None, **row} for row in rows]
        frame = pl.DataFrame(filled, infer_schema_length=None).cast({"rejected": pl.String, "mode_name": pl.String})
        return Candidate("corrections", frame, frame.head(0), audited, frozenset(parent_ids))

    return make


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(str(tmp_path / "lake"))


@pytest.fixture
def publish(lake: Lake, store: FolderStore, settings: Settings) -> Callable[..., Release | Refusal]:
    """Return what publishes a day of the test's own lake."""

    def run(day: date = _DAY, hour: int = 12) -> Release | Refusal:
        return publish_day(lake, store, settings, day, datetime(2026, 1, 9, hour, tzinfo=UTC))

    return run
