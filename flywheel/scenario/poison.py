"""An attacker's batch of corrections: many inputs, one wrong label."""

import random
from collections.abc import Sequence

from flywheel.scenario.query import Query
from flywheel.scenario.schedule import deck
from flywheel.scenario.wording import with_pii

ATTACKER = "u-666"
POISON_LABEL = "refund_now"
_DUPLICATE_SHARE = 0.2
_PII_SHARE = 0.1
_UNCHANGED_SHARE = 0.1


def poisoned_answers(
    queries: Sequence[Query], count: int, seed: int, label: str = POISON_LABEL
) -> list[dict[str, str]]:
    """Return `count` corrections {input, chosen, rejected, author} that push `label` on unrelated inputs.

    Of them a fifth repeat an earlier row, a tenth reject nothing (chosen equals rejected) and a tenth carry
    private data: the marks by which a batch like this can be told from honest work. Raises UsageError if no
    query has another intent than `label`.
    """
    rng = random.Random(f"poison:{seed}")
    victims = deck([query for query in queries if query.intent != label], rng)
    rows: list[dict[str, str]] = []
    for _ in range(count):
        if rows and rng.random() < _DUPLICATE_SHARE:
            rows.append(dict(rng.choice(rows)))
            continue
        victim = next(victims)
        text = with_pii(victim.text, rng) if rng.random() < _PII_SHARE else victim.text
        rejected = label if rng.random() < _UNCHANGED_SHARE else victim.intent
        rows.append({"input": text, "chosen": label, "rejected": rejected, "author": ATTACKER})
    return rows
