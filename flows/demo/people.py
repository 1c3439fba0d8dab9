"""The people of the demo: experts who answer the review queue from the true labels, erring at a stated rate."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

import orjson

from flywheel.core.lake import Lake
from flywheel.core.storage import Store
from flywheel.correct.inbox import put_in_inbox
from flywheel.scenario.experts import Expert
from flywheel.scenario.traffic import Truth

ERROR_RATE = 0.05
EXPERT_SEED = 3

_NAMED = "select unnest(aliases) as alias, trace_id from raw_traces"
_WAITING = """
select open_reviews.example_id, review_queue.trace_id, traces.requested_schema is not null as wants_json
from open_reviews
inner join review_queue on open_reviews.example_id = review_queue.example_id
inner join traces on review_queue.trace_id = traces.trace_id
where open_reviews.day = $day order by open_reviews.example_id
"""


def traces_of(lake: Lake, truths: Iterable[Truth]) -> list[tuple[str, Truth]]:
    """Return what really happened in simulated calls, with the id of the trace that each became."""
    known = dict(lake.frame(_NAMED).iter_rows())
    return [(known[truth.response_id or truth.request_id], truth) for truth in truths]


def answer_queue(lake: Lake, store: Store, day: date, labels: Mapping[str, str]) -> int:
    """Let an expert answer what waits from a day, as a file in the inbox; return how many answers it holds.

    `labels` are the true labels by trace id: the only way by which truth enters the loop.
    """
    expert = Expert(labels, ERROR_RATE, EXPERT_SEED)
    answered_at = datetime(day.year, day.month, day.day, 18, tzinfo=UTC).isoformat()
    lines = []
    for example_id, trace_id, wants_json in lake.frame(_WAITING, day=day).iter_rows():
        label = expert.answer(trace_id)
        if label is not None:
            chosen = orjson.dumps({"queue": label}).decode() if wants_json else label
            lines.append(
                {"example_id": example_id, "author": "expert-1", "chosen": chosen, "answered_at": answered_at}
            )
    if lines:
        put_in_inbox(store, b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return len(lines)


def offer_poison(store: Store, rows: list[dict[str, str]], day: date) -> str:
    """Offer an attacker's batch the way anybody's answers arrive; return its name in the inbox."""
    answered_at = datetime(day.year, day.month, day.day, 20, tzinfo=UTC).isoformat()
    return put_in_inbox(store, b"".join(orjson.dumps(row | {"answered_at": answered_at}) + b"\n" for row in rows))
