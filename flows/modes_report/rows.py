"""What the report and the command show: a day's modes, their days, their examples."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from flywheel.core.lake import Lake

Row = dict[str, Any]

_MODES = """
select
    modes.* exclude (run_id, centroid, space_id), views.correction_count,
    (select count(*) from traces where day = $day) as trace_count
from failure_modes as modes
left join failures_by_mode as views on modes.mode_id = views.mode_id and modes.day = views.day
where modes.day = $day order by modes.rank nulls last, modes.size desc, modes.mode_id
"""
_DAYS = """
select
    modes.mode_id, modes.day, modes.size, modes.status, modes.prevalence, modes.prevalence_low,
    modes.prevalence_high, modes.merged_into
from failure_modes as modes where modes.day <= $day and list_contains($modes, modes.mode_id)
order by modes.mode_id, modes.day
"""
_EXAMPLES = """
with wanted as (
    select mode_id, unnest(examples) as trace_id, generate_subscripts(examples, 1) as place
    from failure_modes where day = $day and list_contains($modes, mode_id)
)
select
    wanted.mode_id, wanted.place, traces.trace_id, traces.query, traces.output, members.note, failures.signals,
    failures.p_failure, members.similarity, traces.source_file, traces.source_line
from wanted
inner join traces on wanted.trace_id = traces.trace_id and traces.day = $day
left join mode_members as members on wanted.trace_id = members.trace_id and members.day = $day
left join failures on wanted.trace_id = failures.trace_id and failures.day = $day
order by wanted.mode_id, wanted.place
"""


@dataclass(frozen=True, slots=True)
class ModeView:
    """One mode as a reader sees it."""

    row: Row
    days: list[Row]
    examples: list[Row]


def modes_of(lake: Lake, day: date | None) -> list[Row]:
    """Return the day's modes, best worth first."""
    return lake.frame(_MODES, day=day).to_dicts()


def views_of(lake: Lake, rows: list[Row]) -> list[ModeView]:
    """Return rows of one day with the days and the examples of each mode."""
    if not rows:
        return []
    given = {"day": rows[0]["day"], "modes": [row["mode_id"] for row in rows]}
    days = lake.frame(_DAYS, **given).to_dicts()
    examples = lake.frame(_EXAMPLES, **given).to_dicts()
    return [
        ModeView(
            row,
            [day for day in days if day["mode_id"] == row["mode_id"]],
            [example for example in examples if example["mode_id"] == row["mode_id"]],
        )
        for row in rows
    ]


def sparkline(sizes: list[int]) -> str:
    """Return sizes as eight heights of a bar, the largest the highest."""
    most = max(sizes, default=0)
    return "".join(" ▁▂▃▄▅▆▇█"[round(8 * size / most) if most else 0] for size in sizes)
