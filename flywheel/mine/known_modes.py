"""What the lake knows of modes before a day: their last state, their history, and where repeats of today's went."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from flywheel.core.lake import Lake
from flywheel.mine.lifecycle import Past, Status

_KNOWN = """
with past as (select * from failure_modes where day < $day),
published as (
    select max(day) as day from release_profiles
    where day < $day and candidate not in (select candidate from gates where severity = 'critical' and not is_success)
),
corrected as (
    select mode_id, max(day) as day from corrections where day < $day and mode_id is not null group by mode_id
),
answered as (
    select examples.mode_id, count(*) as answered, count(*) filter (verdicts.verdict = 'accepted') as accepted
    from answer_verdicts as verdicts
    inner join hard_examples as examples on verdicts.example_id = examples.example_id
    where verdicts.day < $day and verdicts.is_final and verdicts.verdict != 'audit_only' group by all
),
last as (select * from past qualify row_number() over (partition by mode_id order by day desc) = 1),
broken as (
    select past.mode_id, max(past.day) as day from past inner join last on past.mode_id = last.mode_id
    where past.status != last.status group by past.mode_id
),
steady as (
    select past.mode_id, min(past.day) as day from past left join broken on past.mode_id = broken.mode_id
    where broken.day is null or past.day > broken.day group by past.mode_id
)
select
    last.mode_id, last.name, last.description, last.first_seen, last.status, last.centroid, last.space_id,
    last.merged_into, last.split_from, coalesce(last.last_seen, last.day) as last_seen, steady.day as since,
    corrected.day as corrected_on, case when corrected.day is not null then published.day end as released_on,
    coalesce(answered.answered, 0) as answered, coalesce(answered.accepted, 0) as accepted, sizes.sizes
from last
inner join (select mode_id, list(size order by day) as sizes from past group by mode_id) as sizes
    on last.mode_id = sizes.mode_id
inner join steady on last.mode_id = steady.mode_id
cross join published
left join corrected on last.mode_id = corrected.mode_id
left join answered on last.mode_id = answered.mode_id
order by last.first_seen, last.mode_id
"""

# The same note, or a near-duplicate of the same problem, on an earlier day: the newest such failure decides.
_REPEATS = """
with earlier as (select * from mode_members where day < $day and day >= $day - interval 30 day),
today as (select * from made_notes),
groups as (select trace_id, group_id, day from duplicates where day <= $day and day >= $day - interval 30 day),
-- one row per note and per group before they meet today's: a note that everybody has would meet itself squared
by_note as (
    select note, max(day) as day, arg_max(mode_id, (day, mode_id)) as mode_id from earlier group by note
),
by_group as (
    select
        before.group_id, max(earlier.day) as day,
        arg_max(earlier.mode_id, (earlier.day, earlier.mode_id)) as mode_id
    from groups as before inner join earlier on before.trace_id = earlier.trace_id and before.day = earlier.day
    where before.day < $day group by before.group_id
),
met as (
    select today.trace_id, by_note.mode_id, by_note.day, 1 as nearness from today
    inner join by_note on today.note = by_note.note
    union all
    select today.trace_id, by_group.mode_id, by_group.day, 0 as nearness from today
    inner join groups as now on today.trace_id = now.trace_id and now.day = $day
    inner join by_group on now.group_id = by_group.group_id
)
select trace_id, arg_max(mode_id, (nearness, day, mode_id)) as mode_id from met group by trace_id
"""


@dataclass(frozen=True, slots=True)
class KnownMode:
    """A mode as it was before the day."""

    mode_id: str
    name: str
    description: str
    first_seen: date
    centroid: list[float]
    space_id: str | None
    merged_into: str | None
    split_from: str | None
    sizes: list[int]
    accepted: tuple[int, int]  # answers accepted, of how many
    past: Past

    @property
    def total_size(self) -> int:
        """Return the failures it had so far."""
        return sum(self.sizes)


def known_modes(lake: Lake, day: date) -> dict[str, KnownMode]:
    """Return every mode with a row before the day, oldest first."""
    return {row["mode_id"]: _known(row) for row in lake.frame(_KNOWN, day=day).iter_rows(named=True)}


def repeats_of(lake: Lake, day: date, notes: pl.DataFrame) -> Mapping[str, str]:
    """Return the mode that repeats of the day's failures (trace_id, note) went to, by trace id."""
    lake.connection.register("made_notes", notes.select("trace_id", "note").to_arrow())
    try:
        return dict(lake.frame(_REPEATS, day=day).iter_rows())
    finally:
        lake.connection.unregister("made_notes")


def home_of(mode_id: str, known: Mapping[str, KnownMode]) -> str:
    """Return where a mode's failures go now: itself, or the mode it was merged into, however often."""
    seen = {mode_id}
    while (mode := known.get(mode_id)) is not None and mode.merged_into and mode.merged_into not in seen:
        mode_id = mode.merged_into
        seen.add(mode_id)
    return mode_id


def votes_of(
    trace_ids: list[str], repeats: Mapping[str, str], known: Mapping[str, KnownMode], ids: list[str]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return for each failure the index in `ids` of the mode its repeats are in, -1 for none."""
    index = {mode_id: place for place, mode_id in enumerate(ids)}
    homes = {mode_id: index.get(home_of(mode_id, known), -1) for mode_id in set(repeats.values())}
    return np.array([homes.get(repeats.get(trace_id, ""), -1) for trace_id in trace_ids], dtype=np.int64)


def _known(row: dict[str, object]) -> KnownMode:
    given = {name: row[name] for name in ("mode_id", "name", "description", "first_seen", "centroid", "space_id")}
    given |= {name: row[name] for name in ("merged_into", "split_from", "sizes")}
    past = Past(
        status=Status(str(row["status"])),
        **{name: row[name] for name in ("since", "last_seen", "corrected_on", "released_on")},  # type: ignore[arg-type]
    )
    return KnownMode(**given, accepted=(row["accepted"], row["answered"]), past=past)  # type: ignore[arg-type]
