"""One correction of a release in the words of a trainer: what was asked, what is right, what was wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flywheel.core.errors import DataError
from flywheel.publish.exports.conversation import Message, read_conversation, said, unanswered

CHAT_ROLES = ("system", "developer", "user", "assistant", "tool")


class Reads(StrEnum):
    """Which answers of a correction a format holds."""

    CHOSEN = "chosen"
    PAIR = "pair"  # needs a rejected answer beside the chosen one
    BOTH = "both"  # the chosen one, and the rejected one where there is one
    PROMPT = "prompt"  # none: the trainer makes its own


@dataclass(frozen=True, slots=True)
class Example:
    """A correction, read."""

    correction_id: str
    prompt: list[Message]
    chosen: str
    rejected: str | None
    weight: float  # 0-1
    tools: Sequence[Mapping[str, Any]]  # in OpenAI's shape; empty where nobody gave them
    row: Mapping[str, Any]

    @property
    def calls(self) -> list[str]:
        """Names of the tools that the prompt calls."""
        return [call["name"] for message in self.prompt for call in message.get("tool_calls", [])]

    def sequences(self, reads: Reads) -> Iterator[tuple[list[Message], list[Message]]]:
        """Yield each (prompt, answer) that a trainer puts through the model."""
        if reads is Reads.PROMPT:
            yield self.prompt, []
            return
        yield self.prompt, said(self.chosen)
        if reads is not Reads.CHOSEN and self.rejected:
            yield self.prompt, said(self.rejected)


def read_example(row: Mapping[str, Any], tools: Sequence[Mapping[str, Any]] = ()) -> Example:
    """Return a row of a release (correction_id, input, chosen, rejected, weight) as an example."""
    return Example(
        correction_id=row["correction_id"],
        prompt=read_conversation(row["input"]),
        chosen=row["chosen"],
        rejected=row["rejected"] or None,
        weight=row["weight"],
        tools=tools,
        row=row,
    )


def bad_record(form: str, what: str, problem: str, remedy: str) -> DataError:
    """Return the error that a row, or a whole file of them, breaks a rule of the format it is to be written in."""
    return DataError(f"{what} cannot be written as {form!r}: {problem}. {remedy}")


@dataclass(frozen=True, slots=True)
class Rules:
    """Raise what breaks a rule of a format, by the correction it comes from."""

    form: str

    def hold(self, example: Example, is_kept: bool, problem: str, remedy: str) -> None:
        """Raise DataError unless the rule is kept."""
        if not is_kept:
            raise bad_record(self.form, f"Correction {example.correction_id!r}", problem, remedy)


WITHDRAW = "Fix the correction at its source, or pass --skip-broken to leave such rows out and list them"


def check_chat(example: Example, form: str) -> None:
    """Hold what all chat trainers need: known roles, a prompt that waits for an answer, calls that were answered.

    Raises:
        DataError: the example breaks one of the rules.

    """
    rules = Rules(form)
    remedy = f"{WITHDRAW}."
    rules.hold(example, bool(example.prompt), "its input has no message that says anything", remedy)
    for place, message in enumerate(example.prompt):
        role = message["role"]
        expected = f"message {place} has role {role!r}, expected one of {', '.join(CHAT_ROLES)}"
        rules.hold(example, role in CHAT_ROLES, expected, remedy)
        is_caller = role == "assistant" or "tool_calls" not in message
        rules.hold(example, is_caller, f"message {place} of the {role} calls tools, only the assistant may", remedy)
    for problem in unanswered(example.prompt):
        rules.hold(example, False, problem, remedy)
    last = example.prompt[-1]["role"]
    waits = f"its prompt ends with a message of the {last}, expected the user's or a tool's"
    rules.hold(example, last in ("user", "tool"), waits, remedy)
    rules.hold(example, bool(example.chosen.strip()), "the chosen answer is empty", remedy)
    is_other = example.rejected is None or example.rejected != example.chosen
    rules.hold(example, is_other, "chosen and rejected are the same text", remedy)
