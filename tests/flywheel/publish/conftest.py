"""Accepted corrections of a support desk, as `corrections` holds them, and a desk that publishes them."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from flywheel.core.lake import Lake
from flywheel.core.releases import Release
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.publish.candidate import Candidate
from flywheel.publish.card_facts import Card, card_of
from flywheel.publish.day import Refusal, publish_day

Row = dict[str, Any]

_DAY = date(2026, 1, 5)
_LABELS = ("card_lost", "refund", "exchange_rate", "close_account")
# nouns and verbs of their own for each number, so that no two questions are near-duplicates
_SAID = (
    "lend",
    "print",
    "mail",
    "scan",
    "chart",
    "weigh",
    "paint",
    "route",
    "store",
    "trade",
    "merge",
    "clone",
    "audit",
)
_THINGS = (
    "ledger",
    "parcel",
    "garden",
    "window",
    "bottle",
    "camera",
    "engine",
    "forest",
    "guitar",
    "hammer",
    "island",
)


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
def card_facts_of() -> Callable[..., Card]:
    """Return a maker of cards from rows; `profile`, `checks`, `parent` and facts of the manifest can be given."""

    def make(rows: Sequence[Row], **given: Any) -> Card:
        filled = [{"split": "train", "mode_name": None, "route": None, **row} for row in rows]
        sides = [row["split"] for row in filled]
        gate = {
            "profile": {
                "human_share": 1.0,
                "max_depth": 0,
                "new_count": 40,
                "reference": None,
                **given.pop("profile", {}),
            },
            "results": given.pop("checks", []),
        }
        parent = pl.DataFrame(
            given.pop("parent_rows", []), {"correction_id": pl.String, "split": pl.String}, orient="row"
        )
        manifest = {
            "dataset": "corrections",
            "version": 2 if len(parent) else 1,
            "parent": 1 if len(parent) else None,
            "rows": {side: sides.count(side) for side in ("train", "heldout", "retired")} | {"preferences": 0},
            "files": ["train.parquet"],
            **given,
        }
        frame = pl.DataFrame(filled, infer_schema_length=None)
        return card_of(manifest, orjson.dumps(gate), frame, parent)

    return make


@pytest.fixture
def check_of() -> Callable[..., Row]:
    """Return a maker of gate results, as gate.json holds them; facts given say what is special."""

    def make(**facts: Any) -> Row:
        kept = {"suite": "corrections", "expectation": "expect_x", "subject": "depth", "severity": "warning"}
        return {**kept, "is_success": True, "observed": "0", "bound": "at most 3", "rows_query": "select 1", **facts}

    return make


@dataclass(frozen=True)
class Desk:
    """A lake on disk, its store, and what a support desk does with them."""

    lake: Lake
    store: FolderStore
    settings: Settings

    def land(self, table: str, rows: Sequence[Row]) -> int:
        return self.lake.land(table, self.lake.typed(table, rows))

    def correct(self, numbers: Iterable[int], **facts: Any) -> int:
        return self.land("corrections", [make_correction(number, **facts) for number in numbers])

    def publish(self, day: date = _DAY, hour: int = 12) -> Release | Refusal:
        return publish_day(self.lake, self.store, self.settings, day, datetime(2026, 1, 9, hour, tzinfo=UTC))

    def released(self, day: date = _DAY) -> Release:
        release = self.publish(day)
        assert isinstance(release, Release), release.failed_names
        return release

    def refused(self, day: date = _DAY) -> Refusal:
        refusal = self.publish(day)
        assert isinstance(refusal, Refusal)
        return refusal

    def count(self, table: str) -> int:
        return len(self.lake.connection.table(table))

    def objects(self) -> dict[str, bytes]:
        """Return everything that publishing may have written to the store."""
        kinds = ("releases", "tags", "claims", "staged")
        return {name: self.store.read(name) for kind in kinds for name in self.store.names(kind)}

    def ids_in(self, version: int, *sides: str) -> set[str]:
        folder = f"releases/corrections/{version}"
        urls = [self.store.url(f"{folder}/{side}.parquet") for side in sides or ("train", "heldout")]
        return set(pl.read_parquet(urls, columns=["correction_id"])["correction_id"])


@contextmanager
def open_desk(folder: Path) -> Iterator[Desk]:
    settings = Settings(lake=str(folder / "lake"))
    with Lake.open(settings) as lake:
        yield Desk(lake, FolderStore(settings.lake_root), settings)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Open a desk with nothing on it."""
    with open_desk(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="session")
def desk_in() -> Callable[[Path], AbstractContextManager[Desk]]:
    """Return what opens a desk in a folder, for modules that share one."""
    return open_desk


@pytest.fixture(scope="module")
def busy_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Open a desk with forty corrections that the tests of a module share; each leaves it as good as it was."""
    with open_desk(tmp_path_factory.mktemp("busy")) as opened:
        opened.correct(range(40))
        yield opened
