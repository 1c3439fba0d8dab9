"""A chat template is held to what trainers need of it."""

from typing import Any

import jinja2
import orjson
import pytest

from flywheel.publish.exports.example import Reads, read_example
from flywheel.publish.exports.template_check import template_problems

GOOD = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ m.tool_calls or '' }};{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
TALK = [
    {"role": "system", "content": "be kind"},
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "", "tool_calls": [{"id": "c", "name": "find", "arguments": {"a": 1}}]},
    {"role": "tool", "content": "r", "tool_call_id": "c"},
]


class JinjaTokenizer:
    """Renders as transformers does: the template gets the messages and raise_exception."""

    def __init__(self, template: str) -> None:
        self.template = jinja2.Environment(autoescape=True).from_string(template)

    def apply_chat_template(self, conversation: list[dict[str, Any]], **options: Any) -> str:
        def raise_exception(text: str) -> None:
            raise jinja2.TemplateError(text)

        return self.template.render(messages=conversation, raise_exception=raise_exception, **options)


@pytest.mark.parametrize(
    ("template", "reasons"),
    [
        (GOOD, []),
        ("{{ raise_exception('no system role') }}", ["does_not_render"]),
        (GOOD.replace("<assistant>{% endif", "<assistant><think>{% endif"), ["prompt_is_no_prefix"] * 2),
        (GOOD.replace("{{ m.tool_calls or '' }}", ""), ["loses_tool_calls"] * 2),
    ],
)
def test_a_template(template: str, reasons: list[str]) -> None:
    row = {"correction_id": "a", "input": orjson.dumps(TALK).decode(), "chosen": "x", "rejected": "y", "weight": 1.0}
    found = template_problems(JinjaTokenizer(template), read_example(row), Reads.PAIR)
    assert [reason for reason, _ in found] == reasons
