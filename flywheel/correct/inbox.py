"""People's answers arrive as JSONL files: checked line by line and kept in the lake's inbox.

A line is `{"author": ..., "chosen": ...}` with an `example_id` of the review queue, or with an `input` (and
`rejected`) of its own: a demonstration.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from flywheel.core.ids import content_id, sha256_of
from flywheel.core.records import Answer, AuthorKind
from flywheel.core.storage import Store
from flywheel.text.pii import find_pii


@dataclass(frozen=True, slots=True)
class RefusedOffer:
    """A line that is no answer, and why."""

    line: int
    reason: str
    raw: str


def put_in_inbox(store: Store, data: bytes) -> str:
    """Keep an answers file under its content's name, so that the same file offered twice is one file."""
    name = f"inbox/{sha256_of(data)[:32]}.jsonl"
    store.put_new(name, data)
    return name


def read_offers(data: bytes, batch_id: str, now: datetime, cost_usd: float) -> Iterator[Answer | RefusedOffer]:
    """Yield each line as an answer, or as a refusal with its reason; `now` dates lines that carry no date."""
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        raw = line.decode("utf-8", "backslashreplace")
        try:
            given = orjson.loads(line)
        except orjson.JSONDecodeError:
            yield RefusedOffer(number, "invalid_json", raw)
            continue
        reason = _problem(given)
        yield RefusedOffer(number, reason, raw) if reason else _answer(given, batch_id, now, cost_usd)


def _is_conversation(said: object) -> bool:
    """Whether it is a text, or a list of messages that ends with something said."""
    if isinstance(said, list):
        return all(isinstance(item, dict) for item in said) and bool(said[-1].get("content"))
    return isinstance(said, str) and bool(said.strip())


def _moment(stamp: str) -> datetime | None:
    """Return an ISO time, in UTC where it names no zone; None where it is no time."""
    try:
        moment = datetime.fromisoformat(stamp)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# what a line must hold, by the reason for which it is refused when it does not
_RULES: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "missing_chosen": lambda given: isinstance(given.get("chosen"), str) and bool(given["chosen"].strip()),
    "missing_author": lambda given: bool(given.get("author")),
    "neither_example_nor_input": lambda given: bool(given.get("example_id") or given.get("input")),
    "input_is_no_conversation": lambda given: not given.get("input") or _is_conversation(given["input"]),
    "answered_at_is_no_time": lambda given: not given.get("answered_at") or bool(_moment(str(given["answered_at"]))),
}


def _problem(given: object) -> str | None:
    if not isinstance(given, dict):
        return "not_an_object"
    return next((reason for reason, holds in _RULES.items() if not holds(given)), None)


def _pseudonym(author: str) -> str:
    """Return the author, or a stable other name for an e-mail address or the like: releases carry it."""
    return f"person-{content_id('author', author)[:12]}" if find_pii(author) else author


def _answer(given: dict[str, object], batch_id: str, now: datetime, cost_usd: float) -> Answer:
    said, stamp = given.get("input"), given.get("answered_at")
    if isinstance(said, str):
        said = [{"role": "user", "content": said}]
    return Answer(
        example_id=str(given["example_id"]) if given.get("example_id") else None,
        corrector=_pseudonym(str(given["author"])),
        author_kind=AuthorKind.HUMAN,
        output=str(given["chosen"]),
        answered_at=_moment(str(stamp or "")) or now.astimezone(UTC),
        input=orjson.dumps(said).decode() if said else None,
        rejected=str(given["rejected"]) if given.get("rejected") is not None else None,
        critique=str(given["critique"]) if given.get("critique") else None,
        cost_usd=cost_usd,
        batch_id=batch_id,
    )
