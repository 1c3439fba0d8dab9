"""What the report plots, read from the lake."""

from collections.abc import Sequence

from flows.demo.results import DriftValue, ModeDay, ReportSeries, TopMode, Turn, TurnCost
from flows.demo.world import FIRST_DAY
from flywheel.core.connections import open_lake
from flywheel.core.lake import Lake

_MODES = """
select day::varchar as day, name, size from failure_modes where day >= $first order by day, size desc, name
"""
_DRIFT = """
select day::varchar as day, column_name as "column", value, bound, verdict from drift order by day, column_name
"""
_COST = """
select case when author_kind = 'human' then 'people' else 'models' end as who, sum(cost_usd) as cost_usd
from answers where example_id is not null and day between $first::date and $last::date
group by author_kind order by who
"""
_TOP = """
select
    name, sum(size)::bigint as size, arg_max(trend, day) as trend, arg_max(status, day) as status,
    any_value(description) as example
from failure_modes where day >= $first group by mode_id, name order by size desc, name limit 12
"""


def report_series(turns: Sequence[Turn]) -> ReportSeries:
    """Read modes, drift and cost of the demo's days from the lake."""
    with open_lake() as lake:
        return ReportSeries(
            modes_by_day=tuple(ModeDay(**row) for row in lake.frame(_MODES, first=FIRST_DAY).rows(named=True)),
            drift_by_day=tuple(DriftValue(**row) for row in lake.frame(_DRIFT).rows(named=True)),
            cost_by_turn=tuple(cost for turn in turns for cost in _cost(lake, turn)),
            top_modes=tuple(TopMode(**row) for row in lake.frame(_TOP, first=FIRST_DAY).rows(named=True)),
        )


def _cost(lake: Lake, turn: Turn) -> list[TurnCost]:
    rows = lake.frame(_COST, first=turn.days[0], last=turn.days[1]).rows(named=True)
    return [TurnCost(turn.turn, row["who"], row["cost_usd"]) for row in rows]
