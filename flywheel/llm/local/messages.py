"""Chat messages as they arrive: checked, flattened to text, nothing else kept."""

from collections.abc import Iterable
from dataclasses import dataclass

from flywheel.core.errors import DataError

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_INSTRUCTING = ("system", "developer")


class BadMessages(DataError):
    """A conversation does not have the shape of chat messages."""


@dataclass(frozen=True, slots=True)
class Message:
    """Hold one turn as plain text."""

    role: str
    content: str


def read_messages(raw: object) -> tuple[Message, ...]:
    """Read a `messages` list; raises BadMessages with the place and what was expected."""
    if not isinstance(raw, list) or not raw:
        raise BadMessages(f"messages is {_shown(raw)}; expected a list with at least one message.")
    return tuple(_read_message(item, f"messages[{place}]") for place, item in enumerate(raw))


def user_text(messages: Iterable[Message]) -> str:
    """Join the user's turns: what a model here learns from and answers to."""
    return "\n".join(message.content for message in messages if message.role == "user")


def instructions(messages: Iterable[Message]) -> str:
    """Join the system and developer prompts."""
    return "\n".join(message.content for message in messages if message.role in _INSTRUCTING)


def _read_message(item: object, place: str) -> Message:
    if not isinstance(item, dict):
        raise BadMessages(f"{place} is {_shown(item)}; expected an object with role and content.")
    role = item.get("role")
    if role not in ROLES:
        raise BadMessages(f"{place}.role is {_shown(role)}; expected one of {', '.join(sorted(ROLES))}.")
    return Message(role, _read_content(item.get("content"), role, place))


def _read_content(content: object, role: str, place: str) -> str:
    if isinstance(content, str):
        return content
    if content is None and role == "assistant":  # an assistant turn that only called tools
        return ""
    if not isinstance(content, list):
        raise BadMessages(f"{place}.content is {_shown(content)}; expected a string or text parts.")
    return "".join(_read_part(part, place) for part in content)


def _read_part(part: object, place: str) -> str:
    text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
    if not isinstance(text, str):
        raise BadMessages(f"{place}.content has the part {_shown(part)}; only text parts are understood here.")
    return text


def _shown(value: object) -> str:
    return repr(value)[:80]
