"""How well the signals find what really failed: `python -m benchmarks.mining [SET ...]`, Markdown tables on stdout.

The label model sees no truth. Then people's verdicts on random traces are simulated by the truth, and what they were
about is left out of the figures. Data: FLYWHEEL_DATA or ../shared/data.
"""

import argparse
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.metrics import roc_auc_score

from benchmarks.labelled import DAY, SETS, Labelled
from flywheel.core.lake import Lake
from flywheel.mine.labels import weigh_signals
from flywheel.stats.label_model import calibration_error

AUDITS = (30, 100)
SEEDS = 5
Numbers = npt.NDArray[np.float64]

_SCORED = """
select votes.trace_id, votes.task, votes.fired, votes.silent, failures.p_failure
from votes left join failures on votes.trace_id = failures.trace_id order by votes.trace_id
"""
# what the model says where nothing fired, which `failures` has no row for
_QUIET = """
with ballots as (
    select trace_id, task, unnest(string_split(silent, ' ')) as signal from votes where fired = ''
),
tasks as (
    select task, any_value(ln(prevalence / (1 - prevalence))) as prior, any_value(slope) as slope,
        any_value(intercept) as intercept
    from signal_weights group by task
)
select ballots.trace_id, 1 / (1 + exp(-any_value(tasks.intercept) - any_value(tasks.slope) * (
    any_value(tasks.prior) + coalesce(sum(weights.log_odds_silent), 0)))) as p_quiet
from ballots inner join tasks on ballots.task = tasks.task
left join signal_weights as weights on ballots.task = weights.task and ballots.signal = weights.signal
group by ballots.trace_id
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one way of scoring is worth."""

    auc: float
    ece: float
    precision: float
    recall: float

    @classmethod
    def of(cls, score: Numbers, failed: npt.NDArray[np.bool_]) -> "Figures":
        """Compare scores, taken for probabilities, with the truth."""
        flagged = score >= 0.5
        hits = int((flagged & failed).sum())
        return cls(
            float(roc_auc_score(failed, score)),
            calibration_error(score, failed),
            hits / flagged.sum() if flagged.any() else float("nan"),
            hits / failed.sum(),
        )


def signalled(labelled: Labelled) -> Lake:
    """Return a lake with the set's traces, feedback and signals."""
    lake = Lake.in_memory()
    lake.land("raw_traces", lake.typed("raw_traces", [row | {"day": DAY} for row in labelled.traces]))
    lake.land("raw_feedback", lake.typed("raw_feedback", [row | {"day": DAY} for row in labelled.feedback]))
    for table in ("traces", "feedback", "signals"):
        lake.build(table, DAY)
    return lake


def judged(lake: Lake, labelled: Labelled, audited: Sequence[str] = ()) -> pl.DataFrame:
    """Fit the label model, with the truth of some traces as people's audits; return votes and p for each trace."""
    before = DAY - timedelta(days=1)
    checked = [{"example_id": one, "trace_id": one, "is_failure": labelled.failed[one]} for one in audited]
    lake.replace("audits", before, lake.typed("audits", checked))
    weigh_signals(lake, DAY)
    lake.build("failures", DAY)
    scored = lake.frame(_SCORED).join(lake.frame(_QUIET), on="trace_id", how="left", maintain_order="left")
    return scored.with_columns(pl.coalesce("p_failure", "p_quiet").fill_null(0).alias("p"))


def signal_rows(lake: Lake, labelled: Labelled) -> Iterator[str]:
    """Yield a row for each signal that fired: how often, how precise, what it found, what the model makes of it."""
    weights = {row["signal"]: row for row in lake.frame("select * from signal_weights").to_dicts()}
    votes = lake.frame("select signal, list(trace_id) as traces from signals group by signal order by signal")
    failures = sum(labelled.failed.values())
    for signal, traces in votes.iter_rows():
        hits = sum(labelled.failed[trace] for trace in traces)
        model = weights.get(signal)
        rates = f"{model['sensitivity']:.0%} / {model['false_positive_rate']:.1%}" if model else "-"
        shares = f"{hits / len(traces):.0%} | {hits / failures:.0%}"
        yield f"| {labelled.name} | `{signal}` | {len(traces)} | {shares} | {rates} |"


def combined_rows(lake: Lake, labelled: Labelled, scored: pl.DataFrame) -> Iterator[str]:
    """Yield a row for each way to combine: majority vote, any signal, the best single one, the label model."""
    failed = np.array([labelled.failed[trace] for trace in scored["trace_id"]])
    fired = scored["fired"].str.split(" ").list.eval(pl.element().filter(pl.element() != "")).list.len().to_numpy()
    known = lake.frame("select distinct signal from signals")["signal"].to_list()
    looked = np.array([len(set(silent.split()) & set(known)) for silent in scored["silent"]]) + fired
    share = fired / np.maximum(looked, 1)
    yield _row(labelled, "majority vote", Figures.of(share, failed))
    yield _row(labelled, "any signal", Figures.of((fired > 0).astype(float), failed))
    yield _row(labelled, *_best_single(lake, scored, failed))
    yield _row(labelled, "label model", Figures.of(scored["p"].to_numpy(), failed))


def _best_single(lake: Lake, scored: pl.DataFrame, failed: npt.NDArray[np.bool_]) -> tuple[str, Figures]:
    """Return the signal with the highest AUC, which only the truth can tell."""
    found = []
    for (signal,), rows in lake.frame("select signal, trace_id, strength from signals").group_by("signal"):
        strength = scored.join(rows, on="trace_id", how="left", maintain_order="left")["strength"].fill_null(0)
        found.append((f"best single: `{signal}`", Figures.of(strength.to_numpy(), failed)))
    return max(found, key=lambda one: one[1].auc)


def audited_rows(lake: Lake, labelled: Labelled) -> Iterator[str]:
    """Yield the label model's figures with so many random audits, the mean over seeds."""
    for count in [count for count in AUDITS if count <= len(labelled.failed) / 2]:
        figures = []
        for seed in range(SEEDS):
            chosen = random.Random(seed).sample(sorted(labelled.failed), count)
            rest = judged(lake, labelled, chosen).filter(~pl.col("trace_id").is_in(chosen))
            failed = np.array([labelled.failed[trace] for trace in rest["trace_id"]])
            figures.append(Figures.of(rest["p"].to_numpy(), failed))
        means = (float(np.nanmean([getattr(one, name) for one in figures])) for name in Figures.__slots__)
        yield _row(labelled, f"label model, {count} audits", Figures(*means))


def _row(labelled: Labelled, way: str, found: Figures) -> str:
    figures = f"{found.auc:.3f} | {found.ece:.3f} | {found.precision:.0%} | {found.recall:.0%}"
    return f"| {labelled.name} | {way} | {figures} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", help="names of sets; default: all")
    chosen = parser.parse_args().sets
    data = Path(os.environ.get("FLYWHEEL_DATA") or Path(__file__).parents[2] / "shared" / "data")
    per_set, singles, ways = [], [], []
    for load in [load for load in SETS if not chosen or load.__name__ in chosen]:
        labelled = load(data)
        lake = signalled(labelled)
        scored = judged(lake, labelled)
        share = sum(labelled.failed.values()) / len(labelled.failed)
        per_set.append(f"| {labelled.name} | {len(labelled.failed)} | {share:.0%} | {labelled.truth_is} |")
        singles += signal_rows(lake, labelled)
        ways += [*combined_rows(lake, labelled, scored), *audited_rows(lake, labelled)]
        lake.connection.close()
    print("\n".join(["| set | traces | failed | a failure is |", "|---|---|---|---|", *per_set]))
    head = "| set | signal | fired | precision | recall | model: fires on failures / on the rest |"
    print("\n".join(["", head, "|---|---|---|---|---|---|", *singles]))
    head = "| set | way | AUC | ECE | precision at 0.5 | recall at 0.5 |"
    print("\n".join(["", head, "|---|---|---|---|---|---|", *ways]))


if __name__ == "__main__":
    main()
