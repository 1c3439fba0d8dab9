"""Improve: train on the newest release, compare with production, promote or refuse."""

import io
from dataclasses import dataclass
from datetime import date, datetime
from math import isnan

import numpy as np
import polars as pl

from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.core.releases import Release, find_release, read_file
from flywheel.core.settings import Settings
from flywheel.core.storage import Store
from flywheel.core.tags import LATEST
from flywheel.improve.decide import Decision, PromotionPolicy, decide
from flywheel.improve.evaluate import Pairing, compare
from flywheel.llm.client import Provider
from flywheel.llm.training import TrainedModel, train
from flywheel.stats.paired import PairedResult, compare_paired, mcnemar_exact

_PRODUCTION = """
select model_id from models
where status = 'promoted' and day <= $day and model_id is distinct from $besides
order by happened_at desc, day desc limit 1
"""
_AUDITS = """
select
    'traffic' as set_name, audits.example_id, cast(null as varchar) as mode_id,
    audits.input, audits.chosen as expected
from audits where audits.day <= $day order by audits.example_id
"""
SEED = 7  # of training and of the bootstrap: the same release gives the same candidate and the same decision


@dataclass(frozen=True, slots=True)
class Workshop:
    """What training and comparing need at hand."""

    lake: Lake
    store: Store
    provider: Provider
    settings: Settings


@dataclass(frozen=True, slots=True)
class Improvement:
    """One turn of training and what came of it."""

    candidate: str
    production: str
    version: int
    failures: PairedResult
    traffic: PairedResult
    decision: Decision


def production_model(lake: Lake, settings: Settings, day: date, besides: str | None = None) -> str:
    """Return the newest promoted model, or the base model before the first promotion.

    `besides` leaves a model out: a candidate that was promoted already is compared with what it replaced, so that a
    second run on the same release finds what the first found.
    """
    return str(lake.scalar(_PRODUCTION, day=day, besides=besides) or settings.base_model)


def improve_day(workshop: Workshop, day: date, now: datetime) -> Improvement:
    """Train a candidate on the newest release, evaluate it and write the decision into `models`.

    Raises:
        UnknownVersion: nothing has been published yet.
        ProviderBusy: the provider stayed away.

    """
    lake, store, settings, provider = workshop.lake, workshop.store, workshop.settings, workshop.provider
    release = find_release(store, settings.dataset, LATEST)
    trained = train(provider, read_file(store, release, "exports/openai-sft.jsonl"), settings.base_model, seed=SEED)
    production = production_model(lake, settings, day, besides=trained.model_id)
    graded = compare(provider, Pairing(trained.model_id, production), _questions(lake, store, release, day))
    lake.land("evaluations", graded.with_columns(pl.lit(day).alias("day")))
    failures, traffic = (_paired(graded, name) for name in ("heldout", "traffic"))
    decision = decide(failures, traffic, PromotionPolicy())
    improvement = Improvement(trained.model_id, production, release.version, failures, traffic, decision)
    lake.land("models", lake.typed("models", [_event(improvement, trained, settings, day, now)]))
    return improvement


def _questions(lake: Lake, store: Store, release: Release, day: date) -> pl.DataFrame:
    """Return held-out failures and audited traffic as (set_name, example_id, mode_id, input, expected)."""
    heldout = pl.read_parquet(io.BytesIO(read_file(store, release, "heldout.parquet"))).select(
        pl.lit("heldout").alias("set_name"),
        pl.col("correction_id").alias("example_id"),
        "mode_id",
        "input",
        pl.col("chosen").alias("expected"),
    )
    return pl.concat([heldout, lake.frame(_AUDITS, day=day)], how="vertical_relaxed")


def _paired(graded: pl.DataFrame, set_name: str) -> PairedResult:
    rows = graded.filter(pl.col("set_name") == set_name)
    return compare_paired(
        np.asarray(rows["production_right"], dtype=bool), np.asarray(rows["candidate_right"], dtype=bool), seed=SEED
    )


def _known(number: float) -> float | None:
    """Return null for what was measured on nothing."""
    return None if isnan(number) else number


def _event(
    improvement: Improvement, trained: TrainedModel, settings: Settings, day: date, now: datetime
) -> dict[str, object]:
    traffic = improvement.traffic
    return {
        "day": day,
        "event_id": content_id(trained.model_id, improvement.production, day),
        "model_id": trained.model_id,
        "base_model": trained.base_model,
        "dataset": settings.dataset,
        "version": improvement.version,
        "status": "promoted" if improvement.decision.promoted else "refused",
        "reason": improvement.decision.reason,
        "compared_with": improvement.production,
        "evaluated_count": improvement.failures.n + traffic.n,
        "production_accuracy": _known(traffic.production_mean),
        "candidate_accuracy": _known(traffic.candidate_mean),
        "difference_low": _known(traffic.difference.low),
        "difference_high": _known(traffic.difference.high),
        "p_value": mcnemar_exact(improvement.failures.fixed, improvement.failures.broken),
        "happened_at": now,
    }
