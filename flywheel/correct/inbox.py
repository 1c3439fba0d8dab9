"""People's answers arrive as JSONL files: checked line by line and kept in the lake's inbox.

A line is `{"author": ..., "chosen": ...}` with an `example_id` of the review queue, or with an `input` (and
`rejected`) of its own: a demonstration.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from flywheel.core.ids import sha256_of
from flywheel.core.records import Answer, AuthorKind
from flywheel.core.storage import Store


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


def _problem(given: object) -> str | None:
    if not isinstance(given, dict):
        return "not_an_object"
    if not isinstance(given.get("chosen"), str) or not given["chosen"].strip():
        return "missing_chosen"
    if not given.get("author"):
        return "missing_author"
    if not given.get("example_id") and not given.get("input"):
        return "neither_example_nor_input"
    if given.get("input") and not _is_conversation(given["input"]):
        return "input_is_no_conversation"
    return "answered_at_is_no_time" if _moment(given.get("answered_at"), None) is None else None


def _is_conversation(said: object) -> bool:
    """Whether it is a text, or a list of messages."""
    return isinstance(said, str) or (
        isinstance(said, list) and all(isinstance(item, dict) and item.get("content") for item in said)
    )


def _moment(stamp: object, now: datetime) -> datetime | None:
    """Return an ISO time in UTC, `now` for no stamp, None for what is no time; without a zone it is UTC."""


def _answer(given: dict[str, object], batch_id: str, now: datetime, cost_usd: float) -> Answer:
    said, stamp = given.get("input"), given.get("answered_at")
    if isinstance(said, str):
        said = [{"role": "user", "content": said}]
    return Answer(
        example_id=str(given["example_id"]) if given.get("example_id") else None,
        corrector=str(given["author"]),
        author_kind=AuthorKind.HUMAN,
        output=str(given["chosen"]),
        answered_at=datetime.fromisoformat(str(stamp)) if stamp else now.astimezone(UTC),
        input=orjson.dumps(said).decode() if said else None,
        rejected=str(given["rejected"]) if given.get("rejected") is not None else None,
        critique=str(given["critique"]) if given.get("critique") else None,
        cost_usd=cost_usd,
        batch_id=batch_id,
    )
