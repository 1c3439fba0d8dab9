"""Keep the space that notes are put into: fitted on the first days, kept in the lake, fitted again only by rule."""

import logging
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl

from flywheel.core.lake import Lake
from flywheel.mine.embed import Embedder, Space, Vectors, fit_space, units

# A space is fitted again when it is young - fitted on fewer than _GROWN notes, and there are now twice as many - or
# when it does not know what a day says: more than _UNKNOWN of the weight of at least _ENOUGH notes is in new terms.
_GROWN = 500
_UNKNOWN = 0.4
_ENOUGH = 100
_MOST_NOTES = 5_000  # newest first, that a space is fitted on: bounds the time of a fit
_MEMBERS = 200  # newest of a mode, whose mean is its centroid in a new space

_log = logging.getLogger(__name__)

_SPACE = """
select space_id, note_count, term, rarity, place from note_spaces
where day = (
    select coalesce(max(day) filter (day <= $day), min(day)) from note_spaces
) order by term
"""
_EARLIER = (
    "select note from mode_members where day < $day and note is not null order by day desc, trace_id limit $most"
)
_MEMBER_NOTES = """
select members.mode_id, coalesce(members.note, failures.note, '') as note
from mode_members as members
left join failures on members.trace_id = failures.trace_id and members.day = failures.day
where members.day < $day and list_contains($modes, members.mode_id)
qualify row_number() over (partition by members.mode_id order by members.day desc, members.trace_id) <= $most
order by members.mode_id, members.day, members.trace_id
"""


def space_of_day(lake: Lake, day: date, notes: Sequence[str], run_id: str = "") -> Space:
    """Return the space the day's notes belong in, fitting and keeping a new one where the rule says so."""
    rows = lake.frame(_SPACE, day=day)
    held = _read(rows)
    if rows.height and lake.scalar("select count(*) > 0 from note_spaces where day = $day", day=day):
        return held  # the day has been mined before: its centroids are in this space
    earlier_count = int(lake.scalar("select count(*) from mode_members where day < $day", day=day))
    is_young = held.note_count < _GROWN and earlier_count + len(notes) >= 2 * held.note_count
    is_lost = not is_young and len(notes) >= _ENOUGH and held.unknown_share(notes) > _UNKNOWN
    if not (is_young or is_lost):
        return held
    earlier = lake.frame(_EARLIER, day=day, most=_MOST_NOTES)["note"].to_list()
    fresh = fit_space([*notes, *earlier][:_MOST_NOTES])
    if fresh.terms:
        lake.replace("note_spaces", day, _rows(lake, fresh), run_id)
    return fresh


def reproject(lake: Lake, day: date, space: Embedder, mode_ids: Sequence[str]) -> Mapping[str, Vectors]:
    """Return the centroids of modes in a space they were not made in: the means of their members' notes.

    Where the notes cost more than is left, there are none.
    """
    found = lake.frame(_MEMBER_NOTES, day=day, modes=list(mode_ids), most=_MEMBERS)
    notes = found["note"].to_list()
    if not space.affords(notes):
        _log.warning("%d modes take no members on %s: embedding them costs more than is left", len(mode_ids), day)
        return {}
    vectors = space.embed(notes)
    return {
        mode_id: units(vectors[np.flatnonzero(found["mode_id"] == mode_id)].mean(axis=0, keepdims=True))[0]
        for mode_id in found["mode_id"].unique(maintain_order=True)
    }


def _read(rows: pl.DataFrame) -> Space:
    if rows.is_empty():
        return Space()
    return Space(
        terms=tuple(rows["term"].to_list()),
        rarity=rows["rarity"].to_numpy(),
        places=np.array(rows["place"].to_list(), np.float32),
        note_count=int(rows["note_count"][0]),
    )


def _rows(lake: Lake, space: Space) -> pl.DataFrame:
    return lake.typed(
        "note_spaces",
        (
            {
                "space_id": space.space_id,
                "note_count": space.note_count,
                "term": term,
                "rarity": rarity,
                "place": place,
            }
            for term, rarity, place in zip(space.terms, space.rarity.tolist(), space.places.tolist(), strict=True)
        ),
    )
