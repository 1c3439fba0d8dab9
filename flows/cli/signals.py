"""`flywheel signals`: how often each signal fires, with which others, how often it is right, and what it weighs."""

from typing import TYPE_CHECKING, Any

import click

from flows.cli import show
from flows.cli.commands import Command
from flows.cli.opened import at_option, fetch, json_option, open_lake

if TYPE_CHECKING:  # heavy, and only named here
    from flywheel.core.moments import Moment

# What is known to have failed or not: people's audits, and the rewards that systems report.
_TRUTH = """
select trace_id, bool_or(is_failure) as is_failure from audits group by trace_id
union all
select trace_id, min(value) < 0.5 as is_failure from feedback
where kind = 'outcome' and trace_id not in (select trace_id from audits) group by trace_id
"""
_SIGNALS = f"""
with
patterns as (select fired, silent, count(*) as trace_count from votes group by all),
checked as (select trace_id, bool_or(is_failure) as is_failure from audits group by trace_id),
truth as ({_TRUTH}),
fired as (
    select
        signals.signal, signals.trace_id, failures.p_failure, len(failures.signals) as together,
        -- a reward cannot prove itself right
        if(signals.signal = 'negative_outcome', checked.is_failure, truth.is_failure) as is_failure
    from signals
    left join failures on signals.trace_id = failures.trace_id and signals.day = failures.day
    left join truth on signals.trace_id = truth.trace_id
    left join checked on signals.trace_id = checked.trace_id
),
looked as (
    select signal, sum(trace_count)::bigint as looked_count
    from (select unnest(string_split(trim(fired || ' ' || silent), ' ')) as signal, trace_count from patterns)
    group by signal
),
counted as (
    select
        signal,
        count(*) as trace_count,
        count(*) / (select count(*) from traces) as trace_share,
        count(*) / (select count(*) from failures) as failure_share,
        avg((p_failure >= 0.5)::int) as likely_share,
        count(*) filter (together = 1) as alone_count,
        count(is_failure) as known_count,
        avg(is_failure::int) as precision,
        count(*) filter (is_failure) / nullif(if(
            signal = 'negative_outcome',
            (select count(*) from checked where is_failure),
            (select count(*) from truth where is_failure)
        ), 0) as recall
    from fired group by signal
),
weights as (
    select
        signal, list({{'task': task, 'fires_on_failures': sensitivity, 'fires_on_others': false_positive_rate,
        'log_odds_fired': log_odds_fired, 'log_odds_silent': log_odds_silent, 'share': share,
        'audited_count': audited_count}} order by task) as weights
    from signal_weights where day = (select max(day) from signal_weights) group by signal
)
select
    known.signal, coalesce(counted.trace_count, 0) as trace_count, coalesce(looked.looked_count, 0) as looked_count,
    coalesce(counted.trace_share, 0) as trace_share, coalesce(counted.failure_share, 0) as failure_share,
    counted.likely_share, coalesce(counted.alone_count, 0) as alone_count,
    coalesce(counted.known_count, 0) as known_count, counted.precision, counted.recall,
    coalesce(weights.weights, []) as weights
from (select unnest($known::varchar[]) as signal) as known
left join counted on known.signal = counted.signal
left join looked on known.signal = looked.signal
left join weights on known.signal = weights.signal
order by trace_count desc, known.signal
"""  # noqa: S608 - our own query
# patterns are few, traces many
_OVERLAP = """
with
patterns as (
    select string_split(fired, ' ') as names, count(*) as trace_count from votes where fired != '' group by all
),
ballots as (select names, trace_count, unnest(names) as signal from patterns),
pairs as (
    select signal, unnest(names) as other, trace_count from ballots
)
select signal, other, sum(trace_count)::bigint as trace_count from pairs where signal != other group by all
order by signal, trace_count desc, other
"""


@click.command(cls=Command)
@json_option
@at_option
def signals(is_json: bool, at: "Moment | None") -> None:
    """Show how often each signal fires, with which others, and what the label model thinks of it.

    share: of all traces. likely: of the traces it fired on, how many probably failed. alone: traces nothing else
    fired on. precision: of those it fired on whose truth is known, from audits or outcomes, how many failed. on
    failures / others: how often the label model thinks it fires on each, per task.

    Example:
      flywheel signals --json
    """
    from flywheel.core.signals import load_signals

    known = load_signals()
    with open_lake(at) as lake:
        rows = fetch(lake, _SIGNALS, known=list(known))
        pairs = fetch(lake, _OVERLAP)
    told = [_told(row, pairs, known[row["signal"]]) for row in rows]
    if is_json:
        show.print_json(told)
        return
    shown = [_shown(row) for row in told if row["trace_count"]]
    show.print_table(
        shown, list(shown[0]) if shown else [], empty="No signal has fired yet: mine first (flywheel mine)."
    )
    if shown and len(shown) < len(told):
        quiet = ", ".join(row["signal"] for row in told if not row["trace_count"])
        click.echo(f"Silent so far: {quiet}.")


def _told(row: dict[str, Any], pairs: list[dict[str, Any]], signal: Any) -> dict[str, Any]:
    fired_with = [
        {
            "signal": pair["other"],
            "trace_count": pair["trace_count"],
            "share": pair["trace_count"] / row["trace_count"],
        }
        for pair in pairs
        if pair["signal"] == row["signal"] and row["trace_count"]
    ]
    return {**row, "sees": signal.caption, "about": signal.about, "fires_with": fired_with}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    most = row["fires_with"][:2]
    return {
        "signal": row["signal"],
        "traces": row["trace_count"],
        "share": f"{row['trace_share']:.1%}",
        "likely": _percent(row["likely_share"]),
        "alone": row["alone_count"],
        "fires with": ", ".join(f"{one['signal']} {one['share']:.0%}" for one in most),
        "precision": f"{row['precision']:.0%} of {row['known_count']}" if row["known_count"] else None,
        "on failures / others": "; ".join(
            f"{one['task']}: {one['fires_on_failures']:.0%} / {one['fires_on_others']:.1%}" for one in row["weights"]
        ),
    }


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.0%}"
