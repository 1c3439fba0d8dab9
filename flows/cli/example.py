"""What `flywheel init --example` writes: the logs of a tiny support desk, and people's corrections."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_TEXTS = Path(__file__).with_name("example.toml")
_FIRST_CALL = datetime(2026, 3, 2, 8, tzinfo=UTC)
_MINUTES_APART = 7  # sixty calls fit into one day, and a conversation into the half hour that `rephrase` looks at
_PEOPLE = ("dana", "imre", "joan")


def example_log() -> list[Json]:
    """Return one day of OpenAI request/response records, with feedback where a user gave some."""
    texts = _read()
    calls = [*_answered(texts["answered"]), *_failed(texts["failed"]), *_broken(texts["broken"])]
    # failures come spread over the day; a conversation stays together
    spread = [call for start in range(5) for call in calls[start::5]]
    turns = [(number, turn) for number, conversation in enumerate(spread) for turn in conversation]
    system = _system_prompt(texts["intents"])
    return [_record(place, conversation, turn, system) for place, (conversation, turn) in enumerate(turns)]


def example_answers() -> list[Json]:
    """Return people's corrections: of the log's failures and of others like them."""
    texts = _read()
    wrong = [(failed["text"], failed["given"], failed["wanted"]) for failed in texts["failed"]]
    wrong += [(text, given, wanted) for wanted, pairs in texts["corrected"].items() for text, given in pairs]
    return [
        {"input": text, "rejected": given, "chosen": wanted, "author": _PEOPLE[number % len(_PEOPLE)]}
        for number, (text, given, wanted) in enumerate(wrong)
    ]


def as_jsonl(records: Sequence[Json]) -> str:
    """Return records as JSON, one a line."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _read() -> Mapping[str, Any]:
    return tomllib.loads(_TEXTS.read_text(encoding="utf-8"))


def _system_prompt(intents: Mapping[str, str]) -> str:
    options = "\n".join(f"- {name}: {about}" for name, about in intents.items())
    return f"Sort the message into one of these, and answer with its name only.\n{options}"


def _answered(answered: Mapping[str, Sequence[str]]) -> Iterator[list[Json]]:
    for number, (label, text) in enumerate((label, text) for label, texts in answered.items() for text in texts):
        liked = [{"kind": "thumb", "value": 1}] if number % 6 == 0 else []
        yield [{"text": text, "output": label, "feedback": liked}]


def _failed(failed: Sequence[Mapping[str, str]]) -> Iterator[list[Json]]:
    feedback: dict[str, list[Json]] = {"thumb": [{"kind": "thumb", "value": -1}], "again": []}
    for one in failed:
        said = feedback.get(one["how"], [{"kind": "edit", "text": one["wanted"]}])
        turns = [{"text": one["text"], "output": one["given"], "feedback": said}]
        if one["how"] == "again":
            turns.append({"text": one["again"], "output": one["wanted"], "feedback": []})
        yield turns


def _broken(broken: Sequence[Mapping[str, str]]) -> Iterator[list[Json]]:
    for one in broken:
        yield [{"text": one["text"], "error": one["error"], "feedback": []}]


def _record(place: int, conversation: int, turn: Json, system: str) -> Json:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": turn["text"]}]
    record = {
        "timestamp": (_FIRST_CALL + timedelta(minutes=_MINUTES_APART * place)).isoformat(),
        "client_id": "shop",
        "workload_id": "support-desk",
        "request_id": f"example-{place:03d}",
        "conversation_id": f"conversation-{conversation:03d}",
        "user": f"customer-{conversation % 40:02d}",
        "latency_ms": 180 + 37 * place % 160,
        "request": {"model": "wheel-small", "messages": messages},
        "response": _response(place, turn) if "output" in turn else None,
        "feedback": turn["feedback"],
    }
    return record | (
        {"error": {"type": turn["error"], "message": "the model did not answer"}} if "error" in turn else {}
    )


def _response(place: int, turn: Json) -> Json:
    message = {"role": "assistant", "content": turn["output"]}
    return {
        "id": f"chatcmpl-example-{place:03d}",
        "model": "wheel-small",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 80 + len(turn["text"]) // 4, "completion_tokens": 3},
    }
