"""Weigh the signals: how often each fires on failures and on the rest, without knowing which is which."""

from datetime import date

import numpy as np

from flywheel.core.lake import Lake
from flywheel.core.queries import load_folder
from flywheel.stats.label_model import fit_label_model

FEWEST_TRACES = 50  # below this EM follows noise, and the prior is the better guess

_PATTERNS = """
with fired as (
    select trace_id, list_sort(list(signal)) as fired from signals where day <= $day group by trace_id
),
patterns as (
    select coalesce(fired.fired, []) as fired from traces
    left join fired on traces.trace_id = fired.trace_id where traces.day <= $day
)
select fired, count(*) as trace_count from patterns group by fired order by fired
"""


def weigh_signals(lake: Lake, day: date, run_id: str = "") -> int:
    """Fit the label model on all traces up to the day, by vote pattern, into `signal_weights`.

    A million traces have a few hundred patterns of signals, so the cost does not grow with traffic.
    """
    patterns = lake.frame(_PATTERNS, day=day)
    names = sorted({name for fired in patterns["fired"] for name in fired} & set(load_folder("signals")))
    counts = patterns["trace_count"].to_numpy()
    if not names or counts.sum() < FEWEST_TRACES:
        return lake.replace("signal_weights", day, lake.typed("signal_weights", []), run_id)
    votes = np.array([[int(name in fired) for name in names] for fired in patterns["fired"]], dtype=np.int8)
    model = fit_label_model(votes, counts=counts)
    rows = [
        {
            "signal": name,
            "fired_count": int((votes[:, index] * counts).sum()),
            "sensitivity": float(model.sensitivity[index]),
            "false_positive_rate": float(model.false_positive_rate[index]),
            "prevalence": model.prevalence,
            "log_odds_fired": float(np.log(model.sensitivity[index] / model.false_positive_rate[index])),
            "log_odds_silent": float(np.log((1 - model.sensitivity[index]) / (1 - model.false_positive_rate[index]))),
        }
        for index, name in enumerate(names)
    ]
    return lake.replace("signal_weights", day, lake.typed("signal_weights", rows), run_id)
