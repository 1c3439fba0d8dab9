"""Choose one day's hard examples, relabels and audits into the lake."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.mine import selection_rows as rows
from flywheel.mine.selection import SelectionPolicy
from flywheel.mine.selection_pool import choose_hard, resemblance, with_hardness
from flywheel.mine.selection_suspects import Suspicion, nearest_precedents, suspect


@dataclass(frozen=True, slots=True)
class Quota:
    """How much a day may draw: examples to correct or look at again, and beside them random ones to audit."""

    budget: int
    audit_count: int


@dataclass(frozen=True, slots=True)
class _Room:
    """What is left of the quota once what was drawn before is counted."""

    audit: int
    relabel: int
    all: int  # relabels and hard examples together


def choose_examples(
    lake: Lake, day: date, quota: Quota, run_id: str = "", policy: SelectionPolicy | None = None
) -> int:
    """Fill what room is left in the day's `hard_examples`; return how many rows the day has.

    What was drawn stays as it is. Audits are drawn first, by a hash of the trace alone: whatever is chosen beside
    them, they stay a random sample. Then the most suspicious failures, then the hard examples.
    """
    policy = policy or SelectionPolicy()
    held = lake.frame(rows.HELD, day=day)
    room = _room(held, quota, policy)
    audits = lake.frame(rows.AUDITED, day=day, count=room.audit)
    candidates = _candidates(lake, day, audits["trace_id"].to_list(), policy)
    suspects = candidates.filter(pl.col("reason").is_not_null())
    relabels = suspects.sort("suspicion", "trace_id", descending=[True, False]).head(min(room.relabel, room.all))
    # what the model is only sure of may still be a failure; what others contradict is never learned from
    is_fit = pl.col("reason").is_null() | (pl.col("reason") == Suspicion.SURE)
    fit = candidates.filter(is_fit & ~pl.col("trace_id").is_in(relabels["trace_id"].to_list())).drop("reason")
    hard = _hard(lake, day, fit, room.all - relabels.height, policy)
    drawn = [
        _numbered(audits.with_columns(hardness=pl.col("p_failure")), "audit", held),
        _numbered(relabels, "relabel", held),
        _numbered(hard, "hard", held),
    ]
    made = pl.concat([lake.typed("hard_examples", part.iter_rows(named=True)) for part in drawn])
    return lake.replace("hard_examples", day, pl.concat([held.select(made.columns), made]), run_id)


def _room(held: pl.DataFrame, quota: Quota, policy: SelectionPolicy) -> _Room:
    counts = dict(held.group_by("purpose").len().iter_rows())
    relabel_count, hard_count = counts.get("relabel", 0), counts.get("hard", 0)
    return _Room(
        audit=max(0, quota.audit_count - counts.get("audit", 0)),
        relabel=max(0, round(quota.budget * policy.relabel_share) - relabel_count),
        all=max(0, quota.budget - relabel_count - hard_count),
    )


def _candidates(lake: Lake, day: date, audited: list[str], policy: SelectionPolicy) -> pl.DataFrame:
    """Return what could be chosen, with its hardness and what is odd about it."""
    found = lake.frame(rows.CANDIDATES, day=day, audited=audited, most=policy.most_candidates)
    corrected = lake.frame(rows.CORRECTED, day=day, most=policy.most_remembered)
    usual_doubt = lake.scalar(rows.USUAL_DOUBT, day=day)
    _, likeness = resemblance(found["query"].to_list(), corrected["query"].to_list())
    odd = suspect(
        found,
        nearest_precedents(likeness, corrected["chosen"]),
        policy.unknown_doubt if usual_doubt is None else usual_doubt,
        policy,
    )
    return with_hardness(pl.concat([found, odd], how="horizontal"), policy)


def _hard(lake: Lake, day: date, fit: pl.DataFrame, count: int, policy: SelectionPolicy) -> pl.DataFrame:
    before = lake.frame(rows.CHOSEN_BEFORE, day=day, most=policy.most_remembered)["query"].to_list()
    return choose_hard(fit, before, count, policy)


def _numbered(part: pl.DataFrame, purpose: str, held: pl.DataFrame) -> pl.DataFrame:
    """Return rows with their id, and ranks that go on from those drawn before."""
    last = held.filter(pl.col("purpose") == purpose)["rank"].max() or 0
    ids = [content_id(trace_id, purpose) for trace_id in part["trace_id"]]
    plain = {"novelty": 0.0, "represents": 1} if purpose == "audit" else {}
    return part.with_columns(
        pl.Series("example_id", ids, dtype=pl.String),
        pl.int_range(1, pl.len() + 1).alias("rank") + last,
        purpose=pl.lit(purpose),
        **{name: pl.lit(value) for name, value in plain.items()},
    )
