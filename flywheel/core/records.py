"""The records that travel between decisions: small, frozen, and named by the field's words."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Route(StrEnum):
    """Who corrects a hard example."""

    HUMAN = "human"
    AI = "ai"
    DROP = "drop"


class Purpose(StrEnum):
    """What a chosen example is for."""

    HARD = "hard"  # to learn from
    AUDIT = "audit"  # to measure with, never to learn from
    RELABEL = "relabel"  # perhaps no failure at all: a person looks again, and nobody learns from it


class AuthorKind(StrEnum):
    """Whether a person or a model wrote an answer."""

    HUMAN = "human"
    AI = "ai"


class Split(StrEnum):
    """Which side of a release a correction is on."""

    TRAIN = "train"
    HELDOUT = "heldout"
    RETIRED = "retired"  # trained on once, and then found to be a twin of something held out: in neither


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class HardExample:
    """A distinct failing problem chosen for correction, or a random trace chosen for audit."""

    example_id: str
    trace_id: str
    mode_id: str | None
    purpose: Purpose
    task: str
    input: tuple[Message, ...]
    query: str
    rejected: str | None  # what the production model said
    hardness: float  # 0-1
    novelty: float  # 0-1
    rank: int
    reason: str | None = None  # why it is to be looked at again


@dataclass(frozen=True, slots=True)
class Answer:
    """One raw answer of a corrector: to an example, or a demonstration that brings its own input."""

    example_id: str | None
    corrector: str
    author_kind: AuthorKind
    output: str | None  # None: the reply could not be read
    answered_at: datetime
    family: str | None = None
    input: str | None = None  # a demonstration's conversation, as JSON
    rejected: str | None = None  # a demonstration's wrong answer
    confidence: float | None = None  # 0-1
    critique: str | None = None
    cost_usd: float = 0.0
    prompt_hash: str | None = None
    generation_depth: int = 0  # 0: written by a person
    batch_id: str | None = None  # the file or run it came with
