"""Read a stored conversation with its tool calls, and write its messages as OpenAI and as chat templates want them.

Logs come in as `{role, content, tool_calls: [{id, name, arguments}], tool_call_id, name}`; a demonstration may also
bring OpenAI's own shape. Both are read into the first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

Message = dict[str, Any]


def read_conversation(text: str) -> list[Message]:
    """Return the messages of a stored conversation; calls without an id get one, results without one take the next.

    What says nothing, calls nothing and answers no call is left out. Content that is not text is kept as its JSON.

    Raises:
        orjson.JSONDecodeError: it is not JSON.

    """
    messages: list[Message] = []
    waiting: list[str] = []
    for given in orjson.loads(text):
        message = _read(given, len(messages))
        if message["role"] == "tool":
            answered = message.setdefault("tool_call_id", waiting[0] if waiting else None)
            waiting = [name for name in waiting if name != answered]
            if answered is None:
                del message["tool_call_id"]
        elif message["content"] or "tool_calls" in message:
            waiting = [call["id"] for call in message.get("tool_calls", [])]
        else:
            continue
        messages.append(message)
    return messages


def _read(given: Mapping[str, Any], place: int) -> Message:
    content = given.get("content") or ""
    role = str(given.get("role", "user"))
    message: Message = {
        "role": "tool" if role == "function" else role,
        "content": content if isinstance(content, str) else orjson.dumps(content).decode(),
    }
    legacy = given.get("function_call")
    calls = given.get("tool_calls") or ([legacy] if legacy else [])
    if calls:
        message["tool_calls"] = [_read_call(call, f"call_{place}_{number}") for number, call in enumerate(calls)]
    for key in ("tool_call_id", "name"):
        if given.get(key):
            message[key] = str(given[key])
    return message


def _read_call(given: Mapping[str, Any], made_up_id: str) -> dict[str, Any]:
    called = given.get("function") or given
    return {
        "id": str(given.get("id") or made_up_id),
        "name": str(called.get("name") or ""),
        "arguments": _object(called.get("arguments")),
    }


def _object(given: object) -> object:
    """Return arguments as an object where they are one; else as the text they are."""
    if given is None:
        return {}
    if not isinstance(given, str):
        return given
    try:
        read = orjson.loads(given)
    except orjson.JSONDecodeError:
        return given
    return read if isinstance(read, dict) else given


def as_text(arguments: object) -> str:
    """Return the arguments of a call as JSON text."""
    return arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()


def for_openai(messages: list[Message]) -> list[Message]:
    """Return messages as OpenAI's API has them: a call's arguments are JSON text, a result names its call."""
    return [_for_openai(message) for message in messages]


def _for_openai(message: Message) -> Message:
    written: Message = {"role": message["role"], "content": message["content"]}
    if "tool_calls" in message:
        if not message["content"]:
            del written["content"]  # optional beside calls, and never empty
        written["tool_calls"] = [_call(call, as_text(call["arguments"])) for call in message["tool_calls"]]
    if message["role"] == "tool" and "tool_call_id" in message:
        written["tool_call_id"] = message["tool_call_id"]
    return written


def for_templates(messages: list[Message]) -> list[Message]:
    """Return messages as chat templates have them: a call's arguments are an object, content is always a text."""
    return [_for_templates(message) for message in messages]


def _for_templates(message: Message) -> Message:
    written: Message = {"role": message["role"], "content": message["content"]}
    if "tool_calls" in message:
        written["tool_calls"] = [_call(call, call["arguments"]) for call in message["tool_calls"]]
    if message["role"] == "tool":
        written |= {key: message[key] for key in ("tool_call_id", "name") if key in message}
    return written


def _call(call: Mapping[str, Any], arguments: object) -> dict[str, Any]:
    return {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": arguments}}


def said(text: str) -> list[Message]:
    """Return what the assistant said, as the messages of an answer."""
    return [{"role": "assistant", "content": text}]


def spoken(message: Message) -> str:
    """Return all text of a message, calls included: what a trainer has to tokenize, roughly."""
    calls = [f"{call['name']}({as_text(call['arguments'])})" for call in message.get("tool_calls", [])]
    return "\n".join(part for part in [message["content"], *calls] if part)


def unanswered(messages: list[Message]) -> Iterator[str]:
    """Yield what does not fit between tool calls and their results, in words."""
    waiting: list[str] = []
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            answered = message.get("tool_call_id")
            if answered not in waiting:
                yield f"message {place}, of a tool, answers {answered!r}, which no call before it asked for"
            else:
                waiting.remove(answered)
            continue
        if waiting:
            yield f"message {place} comes before tool call {waiting[0]!r} was answered"
        waiting = [call["id"] for call in message.get("tool_calls", [])]
    if waiting:
        yield f"tool call {waiting[0]!r} is never answered"
