"""A small product that routes messages: a release to learn from, audited traffic, and a running local provider."""

import io
import json
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from flywheel.core.lake import Lake
from flywheel.core.releases import Release, publish_files
from flywheel.core.settings import Settings
from flywheel.core.storage import FolderStore
from flywheel.improve.day import Improvement, Workshop, improve_day
from flywheel.llm.client import Provider
from flywheel.llm.ledger import Ledger
from flywheel.llm.local.server import LocalProvider

_DAY = date(2026, 1, 5)
_SAID = {
    "card_lost": ["my card is lost", "a thief stole my debit card", "the card is gone", "my card was stolen"],
    "refund": ["I want my money back", "refund this purchase", "the refund has not come", "give back the money"],
    "exchange_rate": [
        "what is the euro rate",
        "which rate do you convert at",
        "the exchange rate is wrong",
        "dollar rate",
    ],
    "close_account": ["close my account", "I am leaving the bank", "delete my account", "end my account for good"],
}
_FIRST = ["hello", "please help", "good morning", "hey there", "excuse me", "once more", "urgent", "listen"]
_LAST = ["thanks", "since monday", "right now", "as I said", "it is late", "tell me", "what now", "today please"]
LABELS = list(_SAID)
Question = tuple[str, str]  # (text, label)


def questions(seed: int, count: int) -> list[Question]:
    """Return questions with their true label; the same seed asks the same."""
    rng = random.Random(seed)
    asked = []
    for number in range(count):
        label = LABELS[number % len(LABELS)]
        asked.append((f"{rng.choice(_FIRST)}, {rng.choice(_SAID[label])}, {rng.choice(_LAST)}", label))
    return asked


def conversation(text: str) -> str:
    return json.dumps([{"role": "system", "content": "Route the message."}, {"role": "user", "content": text}])


def shifted(label: str) -> str:
    """Return another label, always the same: wrong in a way that can be learned."""
    return LABELS[(LABELS.index(label) + 1) % len(LABELS)]


def publish(store: FolderStore, dataset: str, train: list[Question], heldout: list[Question]) -> Release:
    said = [
        {"messages": [*json.loads(conversation(text)), {"role": "assistant", "content": label}]}
        for text, label in train
    ]
    kept = [
        {"correction_id": f"h{number}", "mode_id": "m", "input": conversation(text), "chosen": label}
        for number, (text, label) in enumerate(heldout)
    ]
    schema = dict.fromkeys(("correction_id", "mode_id", "input", "chosen"), pl.String)
    parquet = io.BytesIO()
    pl.DataFrame(kept, schema=schema).write_parquet(parquet)
    files = {
        "exports/openai-sft.jsonl": "\n".join(map(json.dumps, said)).encode(),
        "heldout.parquet": parquet.getvalue(),
    }
    content_hash = repr((train, heldout))
    return publish_files(store, dataset, files, {"content_hash": content_hash}, datetime(2026, 1, 5, tzinfo=UTC))


@dataclass
class Product:
    """A lake with audited traffic, its releases, and a workshop to improve the model in."""

    lake: Lake
    store: FolderStore
    provider: Provider
    settings: Settings

    def publish(self, dataset: str, train: list[Question], heldout: list[Question]) -> Release:
        return publish(self.store, dataset, train, heldout)

    def audit(self, asked: list[Question], day: date = _DAY) -> None:
        rows = [
            {"day": day, "example_id": f"{day}-{number}", "input": conversation(text), "chosen": label}
            for number, (text, label) in enumerate(asked)
        ]
        self.lake.land("audits", self.lake.typed("audits", rows))

    def improve(self, dataset: str = "corrections", day: date = _DAY, hour: int = 12) -> Improvement:
        settings = self.settings.model_copy(update={"dataset": dataset})
        now = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
        return improve_day(Workshop(self.lake, self.store, self.provider, settings), day, now)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProvider]:
    with LocalProvider(tmp_path_factory.mktemp("workshop")) as running:
        yield running


Products = Callable[[], Product]


@pytest.fixture(scope="module")
def new_product(local: LocalProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Products]:
    """Return a maker of products in folders of their own."""
    with ExitStack() as opened:

        def make() -> Product:
            folder: Path = tmp_path_factory.mktemp("product")
            ledger = opened.enter_context(Ledger(folder / "ledger.sqlite"))
            provider = Provider(local.base_url, "local", ledger)
            lake = opened.enter_context(Lake.in_memory())
            return Product(lake, FolderStore(str(folder)), provider, Settings(lake=str(folder)))

        yield make


@pytest.fixture(scope="session")
def ask() -> Callable[[int, int], list[Question]]:
    """Return what asks `count` questions from a seed."""
    return questions


@pytest.fixture(scope="session")
def mislabel() -> Callable[[list[Question]], list[Question]]:
    """Return what gives each question another label, by a rule."""
    return lambda asked: [(text, shifted(label)) for text, label in asked]
