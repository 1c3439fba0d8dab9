"""Weigh the signals: how often each fires on failures and on the rest, mostly without knowing which is which."""

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from flywheel.core.lake import Lake
from flywheel.core.signals import Signal, load_signals
from flywheel.stats.calibration import Calibration, fit_calibration
from flywheel.stats.label_model import FIRED, SILENT, Known, LabelModel, SignalPrior, Votes, fit_patterns, no_votes

DAYS = 90  # that weights are fitted on: what signals said of a product of long ago says little of today's
FEWEST_TRACES = 50  # below this EM follows noise, and the prior is the better guess

# people's verdicts on random traces; those of the day itself come later than its failures
_PATTERNS = """
with checked as (
    select trace_id, bool_or(is_failure) as is_failure from audits where day < $day group by trace_id
)
select
    votes.task, votes.fired, votes.silent, count(*) as trace_count,
    count(*) filter (checked.is_failure) as failed_count, count(*) filter (not checked.is_failure) as fine_count
from votes left join checked on votes.trace_id = checked.trace_id
where votes.day <= $day and votes.day > $day - to_days($days) group by all order by all
"""


_STRENGTHS = """
select votes.task, signals.signal, avg(signals.strength) as mean_strength
from signals inner join votes on signals.trace_id = votes.trace_id and signals.day = votes.day
where signals.day <= $day and signals.day > $day - to_days($days) group by all
"""


def weigh_signals(lake: Lake, day: date, run_id: str = "") -> int:
    """Count the day's votes, fit the label model per task on the last 90 days, into `signal_weights`.

    A million traces have a few hundred patterns of votes: they are counted once, and fitting does not grow with them.
    """
    lake.build("votes", day, run_id)
    known = load_signals()
    strengths = {
        (task, signal): mean for task, signal, mean in lake.frame(_STRENGTHS, day=day, days=DAYS).iter_rows()
    }
    rows: list[dict[str, object]] = []
    for patterns in lake.frame(_PATTERNS, day=day, days=DAYS).partition_by("task", maintain_order=True):
        fired = {name for names in patterns["fired"] for name in names.split()}
        signals = [known[name] for name in sorted(fired & set(known))]
        if signals and patterns["trace_count"].sum() >= FEWEST_TRACES:
            task = patterns["task"][0]
            rows += [row | {"mean_strength": strengths[task, row["signal"]]} for row in _weights(signals, patterns)]
    return lake.replace("signal_weights", day, lake.typed("signal_weights", rows), run_id)


def fit_task(signals: Sequence[Signal], patterns: pl.DataFrame) -> tuple[LabelModel, Calibration]:
    """Fit the label model and its calibration to one task's patterns: fired, silent, trace, failed, fine counts."""
    votes = votes_of([signal.name for signal in signals], patterns)
    counts = patterns["trace_count"].to_numpy()
    known = Known(patterns["failed_count"].to_numpy(), patterns["fine_count"].to_numpy())
    model = fit_patterns(votes, counts, prior_of(signals), known)
    return model, fit_calibration(model.log_odds(votes), known.failed, known.fine)


def votes_of(names: Sequence[str], patterns: pl.DataFrame) -> Votes:
    """Return votes (patterns, signals) of what `fired` and `silent` name."""
    votes = no_votes(patterns.height, len(names))
    places = {name: place for place, name in enumerate(names)}
    for row, (fired, silent) in enumerate(patterns.select("fired", "silent").iter_rows()):
        votes[row, [places[name] for name in silent.split() if name in places]] = SILENT
        votes[row, [places[name] for name in fired.split() if name in places]] = FIRED
    return votes


def prior_of(signals: Sequence[Signal]) -> SignalPrior:
    """Return what the signals' files say of them, as the label model wants it."""
    return SignalPrior(
        sensitivity=[signal.sensitivity for signal in signals],
        false_positive=[signal.false_positive for signal in signals],
        is_firm=[signal.is_firm for signal in signals],
    )


def _weights(signals: Sequence[Signal], patterns: pl.DataFrame) -> Iterator[dict[str, object]]:
    model, calibration = fit_task(signals, patterns)
    votes = votes_of([signal.name for signal in signals], patterns)
    counts = patterns["trace_count"].to_numpy()
    audited_count = int((patterns["failed_count"] + patterns["fine_count"]).sum())
    for place, signal in enumerate(signals):
        yield {
            "task": patterns["task"][0],
            "signal": signal.name,
            "fired_count": int(((votes[:, place] == FIRED) * counts).sum()),
            "looked_count": int(((votes[:, place] >= SILENT) * counts).sum()),
            "sensitivity": float(model.sensitivity[place]),
            "false_positive_rate": float(model.false_positive[place]),
            "prevalence": model.prevalence,
            "share": float(model.share[place]),
            "log_odds_fired": float(model.fired_weights[place]),
            "log_odds_silent": float(model.silent_weights[place]),
            "audited_count": audited_count,
            "slope": calibration.slope,
            "intercept": calibration.intercept,
        }
