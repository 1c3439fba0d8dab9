"""Which days there is something to do for."""

from datetime import date

from flywheel.core.errors import UsageError
from flywheel.core.lake import Lake

_UNMINED = """
with landed as (
    select
        raw_traces.day,
        count(distinct raw_traces.trace_id) as trace_count,
        count(raw_feedback.feedback_id) as feedback_count
    from raw_traces
    left join raw_feedback on raw_traces.trace_id = raw_feedback.trace_id and raw_traces.day = raw_feedback.day
    group by raw_traces.day
),
mined as (
    select traces.day, count(*) as trace_count from traces group by traces.day
),
heard as (
    select feedback.day, count(*) as feedback_count from feedback group by feedback.day
)
select landed.day from landed
left join mined on landed.day = mined.day
left join heard on landed.day = heard.day
where mined.trace_count is distinct from landed.trace_count
    -- feedback that came late reopens the day of its trace
    or coalesce(heard.feedback_count, 0) != landed.feedback_count
    -- watching builds traces as well; only mining draws the day's hard examples and audits
    or landed.day not in (select hard_examples.day from hard_examples)
order by landed.day
"""


def unmined_days(lake: Lake) -> list[date]:
    """Return the days that hold traces or feedback nobody mined yet, oldest first."""
    return list(lake.frame(_UNMINED)["day"])


_UNROUTED = """
select distinct hard_examples.day from hard_examples
left join routes on hard_examples.example_id = routes.example_id
where routes.example_id is null order by hard_examples.day
"""


def unrouted_days(lake: Lake) -> list[date]:
    """Return the days with hard examples nobody has routed yet, oldest first."""
    return list(lake.frame(_UNROUTED)["day"])


def latest_day(lake: Lake) -> date:
    """Return the newest day that anything is known about.

    Raises:
        UsageError: nothing was ingested yet.

    """
    day = lake.scalar(
        "select max(day) from (select day from raw_traces union all select day from answers) "
        # a clock that runs ahead must not make tomorrow the day everything is about
        "where day <= current_date"
    )
    if day is None:
        raise UsageError("The lake holds no traces yet. Read some logs first: flywheel ingest FILE.")
    return day  # type: ignore[no-any-return] # DuckDB's dates are dates
