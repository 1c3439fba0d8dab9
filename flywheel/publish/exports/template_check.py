"""Whether a model's chat template does what trainers need of it, record by record."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from jinja2 import TemplateError

from flywheel.publish.exports.conversation import for_templates
from flywheel.publish.exports.example import Example, Reads

RENDERS, PREFIX, CALLS = "does_not_render", "prompt_is_no_prefix", "loses_tool_calls"


class Templated(Protocol):
    """What a tokenizer of transformers offers."""

    def apply_chat_template(self, conversation: list[dict[str, Any]], **options: Any) -> Any:
        """Return the conversation as text."""
        ...


def template_problems(tokenizer: Templated, example: Example, reads: Reads) -> Iterator[tuple[str, str]]:
    """Yield (reason, detail) of what a template does wrong with an example.

    It does not render it, e.g. since it does not know a role; the rendered prompt is not the beginning of prompt and
    answer, which TRL tells the answer by; or calls of tools do not show in what it renders.
    """
    options: Mapping[str, Any] = {"tools": list(example.tools) or None, "tokenize": False}
    for prompt, answer in example.sequences(reads):
        try:
            asked = tokenizer.apply_chat_template(for_templates(prompt), add_generation_prompt=True, **options)
            whole = tokenizer.apply_chat_template(for_templates(prompt + answer), **options) if answer else asked
        except (TemplateError, TypeError, ValueError, KeyError) as refused:
            roles = ", ".join(dict.fromkeys(message["role"] for message in prompt))
            yield RENDERS, f"{refused} (its roles: {roles})"
            return
        if not whole.startswith(asked):
            yield PREFIX, f"the prompt ends in {asked[-40:]!r}"
        lost = [name for name in example.calls if name not in whole]
        if lost:
            yield CALLS, f"{lost[0]!r} does not show"
