"""Fine-tuning files: one chat conversation per line, the last assistant turn is the answer to learn."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from flywheel.core.errors import DataError
from flywheel.llm.local.messages import BadMessages, read_messages, user_text


class InvalidTraining(DataError):
    """A fine-tuning file cannot be learned from."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        self.line = line
        where = "The training file" if line is None else f"Line {line} of the training file"
        super().__init__(
            f'{where} is invalid: {problem} Each line is {{"messages": [..., {{"role": "assistant", ...}}]}}; '
            "correct the file, upload it again and start a new job."
        )


@dataclass(frozen=True, slots=True)
class Example:
    """Hold one thing to learn: this text gets this answer, with a weight from 0 to 1."""

    text: str
    answer: str
    weight: float = 1.0


def read_examples(content: bytes) -> list[Example]:
    """Read a fine-tuning file; raises InvalidTraining with the number of the first bad line."""
    examples = [_read_line(line, number) for number, line in enumerate(content.splitlines(), 1) if line.strip()]
    if not any(example.weight > 0 for example in examples):
        raise InvalidTraining("it has no example with a weight above 0.")
    return examples


def continue_training(parent: bytes, content: bytes) -> bytes:
    """Put new examples behind a parent's, keeping a parent's example only where its text was not taught anew.

    Later training wins over earlier, as it does when weights are trained further.
    """
    taught_anew = {example.text for example in read_examples(content)}
    kept = [
        line
        for number, line in enumerate(parent.splitlines(), 1)
        if line.strip() and _read_line(line, number).text not in taught_anew
    ]
    return b"\n".join([*kept, content])


def distinct_answers(examples: Sequence[Example]) -> tuple[str, ...]:
    """List the different answers in sorted order."""
    return tuple(sorted({example.answer for example in examples}))


def _read_line(line: bytes, number: int) -> Example:
    try:
        row = json.loads(line)
    except ValueError as error:  # also bytes that are not UTF-8
        raise InvalidTraining(f"it is not JSON ({error}).", number) from error
    if not isinstance(row, dict):
        raise InvalidTraining(f"it is {line[:60]!r}, not an object.", number)
    try:
        messages = read_messages(row.get("messages"))
    except BadMessages as error:
        raise InvalidTraining(str(error), number) from error
    last, text = messages[-1], user_text(messages)
    if last.role != "assistant" or not last.content:
        raise InvalidTraining(f"the last message has role {last.role!r} and no answer to learn.", number)
    if not text.strip():
        raise InvalidTraining("no user message has any text.", number)
    return Example(text, last.content, _read_weight(row.get("weight", 1.0), number))


def _read_weight(weight: object, number: int) -> float:
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
        raise InvalidTraining(f"its weight is {weight!r}; expected a number from 0 to 1.", number)
    return float(weight)
