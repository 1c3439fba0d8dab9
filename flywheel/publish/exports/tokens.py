"""Count tokens with a tokenizer where one is named, else by bytes, which says of itself that it is approximate."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from flywheel.core.errors import MissingPart, UsageError
from flywheel.publish.exports.conversation import Message, for_templates, spoken

BYTES_PER_TOKEN = 4  # OpenAI's rule of thumb for English; code and other scripts have fewer bytes a token
MESSAGE_TOKENS = 4  # what chat formats put around a message: role and separators


class Counter(Protocol):
    """Something that counts."""

    name: str
    is_approximate: bool

    def count(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> int:
        """Return the tokens of messages."""
        ...


class ByteCounter:
    """A quarter of the bytes, rounded up, and four tokens around each message; definitions of tools included."""

    name = "approximate: UTF-8 bytes / 4, and 4 for each message"
    is_approximate = True

    def count(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> int:
        """Return the approximate tokens of messages."""
        texts = [spoken(message) for message in messages] + ([str(list(tools))] if tools else [])
        return sum(-(-len(text.encode()) // BYTES_PER_TOKEN) for text in texts) + MESSAGE_TOKENS * len(messages)


class TiktokenCounter:
    """OpenAI's tokens of each message's text, and four around each message."""

    is_approximate = False

    def __init__(self, name: str) -> None:
        tiktoken = _imported("tiktoken", name)
        try:
            self._encoding = tiktoken.get_encoding(name)
        except ValueError as unknown:
            known = ", ".join(tiktoken.list_encoding_names())
            raise UsageError(
                f"--tokenizer {name!r} is neither a folder nor an encoding of tiktoken. Pass a folder, a name on the "
                f"Hugging Face hub (org/model), or one of: {known}."
            ) from unknown
        self.name = f"tiktoken {name}, and 4 for each message"

    def count(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> int:
        """Return the tokens of messages."""
        texts = [spoken(message) for message in messages] + ([str(list(tools))] if tools else [])
        encoded = sum(len(self._encoding.encode(text, disallowed_special=())) for text in texts)
        return encoded + MESSAGE_TOKENS * len(messages)


class TemplateCounter:
    """The tokens that a model's own chat template gives; without a template, those of the texts."""

    is_approximate = False

    def __init__(self, name: str) -> None:
        self.tokenizer = _imported("transformers", name).AutoTokenizer.from_pretrained(name)
        self.has_template = bool(self.tokenizer.chat_template)
        self.name = f"{Path(name).name}, {'chat template' if self.has_template else 'texts without a template'}"

    def count(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> int:
        """Return the tokens of messages."""
        if not messages:
            return 0
        return len(self.tokenizer(self._text(messages, tools), add_special_tokens=not self.has_template)["input_ids"])

    def _text(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> str:
        if not self.has_template:
            return "\n".join(spoken(message) for message in messages)
        written = for_templates(list(messages))
        return str(self.tokenizer.apply_chat_template(written, tools=list(tools) or None, tokenize=False))


def _imported(module: str, name: str) -> Any:
    try:
        return import_module(module)
    except ImportError as missing:
        raise MissingPart(
            f"{module}, which --tokenizer {name!r} needs,",
            f"Install it beside flywheel (pip install {module}), or leave --tokenizer out for an approximate count.",
        ) from missing


def find_counter(name: str | None) -> Counter:
    """Return the counter that a name asks for: a folder or org/model is transformers', any other tiktoken's.

    Raises:
        MissingPart: the library it needs is not installed.
        UsageError: nothing has that name.

    """
    if name is None:
        return ByteCounter()
    return TemplateCounter(name) if "/" in name or Path(name).is_dir() else TiktokenCounter(name)
