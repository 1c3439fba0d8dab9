"""Weigh the signals: how often each fires on failures and on the rest, without knowing which is which."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from flywheel.core.lake import Lake
from flywheel.core.queries import load_folder
from flywheel.stats.label_model import fit_patterns

FEWEST_TRACES = 50  # below this EM follows noise, and the prior is the better guess

_PATTERNS = """
with fired as (
    select trace_id, list_sort(list(signal)) as fired from signals where day <= $day group by trace_id
),
patterns as (
    select traces.task, coalesce(fired.fired, []) as fired from traces
    left join fired on traces.trace_id = fired.trace_id where traces.day <= $day
)
select task, fired, count(*) as trace_count from patterns group by task, fired order by task, fired
"""


def weigh_signals(lake: Lake, day: date, run_id: str = "") -> int:
    """Fit the label model per task on all traces up to the day, by vote pattern, into `signal_weights`.

    A million traces have a few hundred patterns of signals, so the cost does not grow with traffic.
    """
    known = set(load_folder("signals"))
    rows: list[dict[str, object]] = []
    for patterns in lake.frame(_PATTERNS, day=day).partition_by("task", maintain_order=True):
        names = sorted({name for fired in patterns["fired"] for name in fired} & known)
        if names and patterns["trace_count"].sum() >= FEWEST_TRACES:
            rows += _weights(names, patterns)
    return lake.replace("signal_weights", day, lake.typed("signal_weights", rows), run_id)


def _weights(names: Sequence[str], patterns: pl.DataFrame) -> list[dict[str, object]]:
    counts = patterns["trace_count"].to_numpy()
    votes = np.array([[int(name in fired) for name in names] for fired in patterns["fired"]], dtype=np.int8)
    model = fit_patterns(votes, counts)
    return [
        {
            "task": patterns["task"][0],
            "signal": name,
            "fired_count": int((votes[:, index] * counts).sum()),
            "sensitivity": float(model.sensitivity[index]),
            "false_positive_rate": float(model.false_positive[index]),
            "prevalence": model.prevalence,
            "log_odds_fired": float(model.fired_weights[index]),
            "log_odds_silent": float(model.silent_weights[index]),
        }
        for index, name in enumerate(names)
    ]
