"""Which days there is something to do for."""

from datetime import date

from flywheel.core.errors import UsageError
from flywheel.core.lake import Lake

_UNMINED = """
with landed as (select day, count(*) as trace_count from raw_traces group by day),
mined as (select day, count(*) as trace_count from traces group by day)
select landed.day from landed left join mined on landed.day = mined.day
where mined.trace_count is distinct from landed.trace_count
    -- watching builds traces as well; only mining draws the day's hard examples and audits
    or landed.day not in (select hard_examples.day from hard_examples)
order by landed.day
"""


def unmined_days(lake: Lake) -> list[date]:
    """Return the days whose logs hold traces that have not been mined, oldest first."""
    return list(lake.frame(_UNMINED)["day"])


def latest_day(lake: Lake) -> date:
    """Return the newest day that anything is known about.

    Raises:
        UsageError: nothing was ingested yet.

    """
    day = lake.scalar("select max(day) from (select day from raw_traces union all select day from answers)")
    if day is None:
        raise UsageError("The lake holds no traces yet. Read some logs first: flywheel ingest FILE.")
    return day  # type: ignore[no-any-return] # DuckDB's dates are dates
