"""Read hard examples, with the conversation they come from, as records."""

from datetime import date

import orjson

from flywheel.core.lake import Lake
from flywheel.core.records import HardExample, Message, Purpose

_EXAMPLES = """
select hard_examples.*, traces.task, traces.input, traces.query, traces.output
from hard_examples
inner join traces on hard_examples.trace_id = traces.trace_id and hard_examples.day = traces.day
where hard_examples.day = $day
order by list_position(['hard', 'relabel', 'audit'], hard_examples.purpose), hard_examples.rank
"""


def examples_of(lake: Lake, day: date) -> list[HardExample]:
    """Return the day's hard examples, best first, then what is to be looked at again, then audits."""
    return [
        HardExample(
            example_id=row["example_id"],
            trace_id=row["trace_id"],
            mode_id=row["mode_id"],
            purpose=Purpose(row["purpose"]),
            task=row["task"],
            input=read_messages(row["input"]),
            query=row["query"] or "",
            rejected=row["output"],
            hardness=row["hardness"],
            novelty=row["novelty"],
            rank=row["rank"],
            reason=row["reason"],
        )
        for row in lake.frame(_EXAMPLES, day=day).iter_rows(named=True)
    ]


def read_messages(text: str) -> tuple[Message, ...]:
    """Return the messages of a stored conversation; content that is not text is kept as its JSON, none is empty."""
    messages = []
    for item in orjson.loads(text):
        content = item.get("content") or ""
        spoken = content if isinstance(content, str) else orjson.dumps(content).decode()
        messages.append(Message(str(item.get("role", "user")), spoken))
    return tuple(messages)
