"""What the lake knows of a candidate beside its rows: their apps, what they cost, how its models were judged."""

from datetime import date

import polars as pl

from flywheel.core.lake import Lake
from flywheel.publish.candidate import Candidate

_APPS = """
select corrections.correction_id, any_value(traces.app) as app
from corrections inner join traces on corrections.trace_id = traces.trace_id
where corrections.day <= $day
group by corrections.correction_id
"""
# what was paid for answers, also for those that were not accepted and for audits
_COSTS = """
select
    coalesce(route, 'none') as route,
    coalesce(author_kind, 'none') as author_kind,
    sum(answer_count)::bigint as answers,
    sum(cost_usd) as cost_usd
from cost_per_accepted where day <= $day
group by all
order by all
"""
_TRUST = """
with judged as (select subject, max(day) as judged_on from judgements where day <= $day group by subject)

select corrector, judged_count as judged, agreement, agreement_low, judged.judged_on
from corrector_trust left join judged on corrector_trust.corrector = judged.subject
where corrector_trust.day <= $day
qualify row_number() over (partition by corrector order by day desc) = 1
order by corrector
"""


def origins_of(lake: Lake, candidate: Candidate, day: date) -> dict[str, object]:
    """Return the facts that rows do not hold, for the manifest.

    `rows_by_app` counts rows of all sides. `costs` has one entry per route and kind of author: answers, their
    `cost_usd`, and the rows they became. `judged_models` has one per model that wrote rows: how many of its answers
    were compared with a person's, the share that agreed, the lower end of its 95 % interval, and the last day.
    """
    return {
        "rows_by_app": _apps(lake, candidate, day),
        "costs": _costs(lake, candidate, day),
        "judged_models": _judged(lake, candidate, day),
    }


def _apps(lake: Lake, candidate: Candidate, day: date) -> dict[str, int]:
    known = lake.frame(_APPS, day=day)
    named = candidate.rows.select("correction_id").join(known, on="correction_id", how="left")
    counted = named.group_by(pl.col("app").fill_null("none")).len().sort("len", "app", descending=[True, False])
    return dict(counted.iter_rows())


def _costs(lake: Lake, candidate: Candidate, day: date) -> list[dict[str, object]]:
    rows = candidate.rows.group_by(pl.col("route").cast(pl.String).fill_null("none"), "author_kind").len("rows")
    paid = lake.frame(_COSTS, day=day).join(rows, on=["route", "author_kind"], how="left")
    return paid.with_columns(pl.col("rows").fill_null(0)).sort("route", "author_kind").to_dicts()


def _judged(lake: Lake, candidate: Candidate, day: date) -> list[dict[str, object]]:
    models = (
        candidate.rows.filter(pl.col("author_kind") == "ai").select(pl.col("author_id").alias("corrector")).unique()
    )
    known = lake.frame(_TRUST, day=day).join(models, on="corrector", how="semi")
    return known.with_columns(pl.col("judged_on").cast(pl.String)).sort("corrector").to_dicts()
