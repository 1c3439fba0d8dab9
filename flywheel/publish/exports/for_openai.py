"""OpenAI's fine-tuning files: chat messages for SFT, a prompt with two outputs for DPO; their documented rules.

Rules: https://developers.openai.com/api/docs/guides/supervised-fine-tuning and .../direct-preference-optimization.
Together, Fireworks and Azure read the same two shapes.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flywheel.publish.exports.conversation import Message, for_openai, said
from flywheel.publish.exports.example import WITHDRAW, Example, Rules, bad_record, check_chat

LEAST_RECORDS = 10  # "the minimum number of examples you can provide for fine-tuning is 10"
MOST_BYTES = 512 * 1024**2  # of one uploaded file
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # of a function


def sft(example: Example) -> Iterator[dict[str, Any]]:
    """Yield {messages[, tools]}; only the last message, the corrected one, is trained on: the others weigh 0."""
    messages = [_weighed(message) for message in for_openai(example.prompt)]
    last = said(example.chosen)[0]
    if any("weight" in message for message in messages):
        last["weight"] = 1
    yield {"messages": [*messages, last], **({"tools": list(example.tools)} if example.tools else {})}


def _weighed(message: Message) -> Message:
    return {**message, "weight": 0} if message["role"] == "assistant" else message


def dpo(example: Example) -> Iterator[dict[str, Any]]:
    """Yield {input: {messages, tools, parallel_tool_calls}, preferred_output, non_preferred_output}."""
    yield {
        "input": {
            "messages": for_openai(example.prompt),
            "tools": list(example.tools),
            "parallel_tool_calls": True,
        },
        "preferred_output": said(example.chosen),
        "non_preferred_output": said(example.rejected or ""),
    }


def check(example: Example, form: str) -> None:
    """Hold the rules of both: those of all chats, and tools that are defined, well named and called with an object.

    Raises:
        DataError: the example breaks one of the rules.

    """
    check_chat(example, form)
    rules = Rules(form)
    known = {tool["function"]["name"] for tool in example.tools}
    for name in example.calls:
        defined = f"it calls tool {name!r}, which no tool definition describes"
        remedy = "Pass --tools FILE with the definitions that the product sends: a JSON list of OpenAI tools."
        rules.hold(example, name in known, defined, remedy)
    for tool in known:
        is_name = _NAME.fullmatch(tool) is not None
        rules.hold(example, is_name, f"tool name {tool!r} is not 1 to 64 letters, digits, '_' or '-'", f"{WITHDRAW}.")
    for message in example.prompt:
        for call in message.get("tool_calls", []):
            problem = f"the arguments of its call of {call['name']!r} are no JSON object"
            rules.hold(example, isinstance(call["arguments"], dict), problem, f"{WITHDRAW}.")


def check_file(form: str, name: str, facts: Mapping[str, int]) -> None:
    """Hold what is asked of a whole training file: at least 10 records, at most 512 MB.

    Raises:
        DataError: the file breaks one of them.

    """
    if facts["records"] < LEAST_RECORDS:
        more = "Loosen the filters, or publish more corrections first; --skip-file-rules writes it nevertheless."
        raise bad_record(form, name, f"it has {facts['records']} records, expected at least {LEAST_RECORDS}", more)
    if facts["bytes"] > MOST_BYTES:
        less = "Filter by --mode or --route and train on several files."
        raise bad_record(form, name, f"it has {facts['bytes']} bytes, expected at most {MOST_BYTES}", less)
