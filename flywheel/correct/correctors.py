"""People and models in one shape: work is submitted, and collected when it has arrived.

People answer in days and processes restart in minutes, so waiting lives in a table, never in a paused run.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import orjson

from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.core.records import Answer, AuthorKind, HardExample, Message
from flywheel.core.storage import Store
from flywheel.correct.inbox import read_offers
from flywheel.llm.client import Ask, Provider

_TEACHER_RULE = "Answer the last user message correctly. Reply with the answer only, in the form the task asks for."


class Corrector(Protocol):
    """Who produces corrections."""

    name: str

    def submit(self, examples: Iterable[HardExample]) -> None:
        """Ask for corrections; asking twice is asking once."""

    def collect(self) -> Iterator[Answer]:
        """Yield whatever has arrived; what was collected before may come again."""


@dataclass(slots=True)
class ScriptedCorrector:
    """Answers from a script by query; for tests, and for replaying decisions."""

    name: str
    script: Mapping[str, str]
    author_kind: AuthorKind = AuthorKind.HUMAN
    answered_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    _waiting: dict[str, HardExample] = field(default_factory=dict)

    def submit(self, examples: Iterable[HardExample]) -> None:
        """Remember the examples."""
        self._waiting |= {example.example_id: example for example in examples}

    def collect(self) -> Iterator[Answer]:
        """Yield an answer to every example whose query is in the script."""
        for example in self._waiting.values():
            if example.query in self.script:
                yield Answer(
                    example_id=example.example_id,
                    corrector=self.name,
                    author_kind=self.author_kind,
                    output=self.script[example.query],
                    answered_at=self.answered_at,
                )


class HumanQueue:
    """People: examples wait in `review_queue`, answers arrive as files in the lake's inbox."""

    name = "people"

    def __init__(self, lake: Lake, store: Store, now: datetime, cost_usd: float) -> None:
        self._lake = lake
        self._store = store
        self._now = now
        self._cost_usd = cost_usd  # per answer

    def submit(self, examples: Iterable[HardExample]) -> None:
        """Put the examples into the queue; one that is there stays as it is."""
        rows = [
            {
                "day": self._now.date(),
                "example_id": example.example_id,
                "trace_id": example.trace_id,
                "mode_id": example.mode_id,
                "input": orjson.dumps([{"role": m.role, "content": m.content} for m in example.input]).decode(),
                "query": example.query,
                "rejected": example.rejected,
                "reason": example.reason or example.purpose.value,
                "priority": example.hardness * (1 + example.novelty),
                "submitted_at": self._now,
            }
            for example in examples
        ]
        self._lake.land("review_queue", self._lake.typed("review_queue", rows))

    def collect(self) -> Iterator[Answer]:
        """Yield every answer in the inbox; lines that are none were refused when they were offered."""
        for name in self._store.names("inbox"):
            for offered in read_offers(self._store.read(name), name, self._now, self._cost_usd):
                if isinstance(offered, Answer):
                    yield offered


class ModelTeacher:
    """A model behind an OpenAI-compatible endpoint; its answers count only once it has earned trust."""

    def __init__(self, provider: Provider, model: str, now: datetime, budget_usd: float) -> None:
        self.name = model
        self._provider = provider
        self._now = now
        self._budget_usd = budget_usd
        self._waiting: dict[str, HardExample] = {}
        self.unasked_count = 0  # examples the budget left out on the last collect

    def submit(self, examples: Iterable[HardExample]) -> None:
        """Remember the examples; nothing is paid yet."""
        self._waiting |= {example.example_id: example for example in examples}

    def collect(self) -> Iterator[Answer]:
        """Ask the model about everything waiting, within the budget, and yield its answers."""
        asks = [Ask(self.name, _prompt(example), "correct", key) for key, example in self._waiting.items()]
        asked = self._provider.ask_all(asks, self._budget_usd)
        self.unasked_count = asked.unasked_count
        family = self._provider.family_of(self.name)
        for reply in asked.replies:
            yield Answer(
                example_id=str(reply.ask.example_id),
                corrector=self.name,
                author_kind=AuthorKind.AI,
                output=reply.content,
                answered_at=self._now,
                family=family,
                confidence=reply.confidence,
                cost_usd=reply.cost_usd,
                prompt_hash=content_id(_TEACHER_RULE),
                generation_depth=1,
            )


def _prompt(example: HardExample) -> tuple[Message, ...]:
    system = [message.content for message in example.input if message.role == "system"]
    rest = [message for message in example.input if message.role != "system"]
    return (Message("system", "\n\n".join([_TEACHER_RULE, *system])), *rest)
