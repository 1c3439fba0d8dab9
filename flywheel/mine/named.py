"""Failure modes of one day: noted, grouped, matched with those known, named and measured, into the lake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.mine.embed import Embedder, Vectors
from flywheel.mine.identity import matched, overlap, twins
from flywheel.mine.known_modes import KnownMode, known_modes, repeats_of, votes_of
from flywheel.mine.mode_rows import Day, absent_rows, mode_rows
from flywheel.mine.modes import OTHER, Grouping, ModePolicy, group_notes
from flywheel.mine.note_models import NoteModels
from flywheel.mine.notes import evidence_notes
from flywheel.mine.spaces import reproject, space_of_day

_HELD = """
select members.trace_id, members.mode_id from mode_members as members
inner join failure_modes as modes on members.mode_id = modes.mode_id and members.day = modes.day
where members.day = $day and modes.first_seen = $day and members.mode_id != 'other'
"""


@dataclass(frozen=True, slots=True)
class Living:
    """The modes that can take members today: ids, oldest first, and their centroids."""

    ids: list[str]
    centroids: Vectors
    merged: dict[str, str]  # modes that turned out to be one with an older one


def name_modes(
    lake: Lake, day: date, run_id: str = "", policy: ModePolicy | None = None, models: NoteModels | None = None
) -> int:
    """Group and name the day's failures into `mode_members` and `failure_modes`; return the number of modes met.

    Mining a day again gives the same rows: only what was known before the day decides, and a new mode keeps the id
    that it got the first time when it has most of the same members.
    """
    policy, models = policy or ModePolicy(), models or NoteModels()
    notes = models.noted(evidence_notes(lake, day))
    texts = notes["note"].to_list()
    space: Embedder = models.space(texts) or space_of_day(lake, day, texts, run_id)
    vectors = space.embed(texts)
    known = known_modes(lake, day)
    living = _living(lake, day, known, policy, space, vectors.shape[1])
    votes = votes_of(notes["trace_id"].to_list(), repeats_of(lake, day, notes), known, living.ids)
    grouping = group_notes(vectors, living.centroids, policy, votes)
    fresh_ids = _fresh_ids(lake, day, notes["trace_id"].to_list(), grouping)
    members = notes.with_columns(
        pl.Series("mode_id", _mode_ids(grouping, living.ids, fresh_ids), pl.String),
        pl.Series("similarity", grouping.similarity, pl.Float64),
    )
    held = members.select("trace_id", "mode_id", "similarity", "note", "note_origin")
    lake.replace("mode_members", day, held, run_id)
    state = Day(day, space.space_id, known, policy, *_moves(grouping, living, fresh_ids))
    rows = mode_rows(lake, state, members, vectors, models)
    absent = absent_rows(state, {str(row["mode_id"]) for row in rows})
    lake.replace("failure_modes", day, lake.typed("failure_modes", [*rows, *absent]), run_id)
    return len(rows)


def _living(  # noqa: PLR0913 - width: asking a model for it again costs money
    lake: Lake, day: date, known: Mapping[str, KnownMode], policy: ModePolicy, space: Embedder, width: int
) -> Living:
    modes = [mode for mode in known.values() if mode.mode_id != OTHER and not mode.merged_into]
    foreign = [mode.mode_id for mode in modes if mode.space_id != space.space_id]
    moved = reproject(lake, day, space, foreign) if foreign else {}
    held = {mode.mode_id: mode.centroid for mode in modes if mode.space_id == space.space_id}
    centroid_of = held | dict(moved)
    placed = [(mode.mode_id, centroid_of[mode.mode_id]) for mode in modes if mode.mode_id in centroid_of]
    usable = [(mode_id, centroid) for mode_id, centroid in placed if len(centroid) == width]
    ids = [mode_id for mode_id, _ in usable]
    centroids = np.array([centroid for _, centroid in usable], np.float32).reshape(len(usable), width)
    same = twins(centroids, policy.same_centroid)
    kept = [place for place in range(len(ids)) if place not in same]
    return Living(
        [ids[place] for place in kept], centroids[kept], {ids[young]: ids[old] for young, old in same.items()}
    )


def _fresh_ids(lake: Lake, day: date, trace_ids: Sequence[str], grouping: Grouping) -> list[str]:
    """Return an id per new mode: the one the day's earlier run gave the same members, else a new one."""
    count = len(grouping.centroids)
    held = dict(lake.frame(_HELD, day=day).iter_rows())
    ids = sorted(set(held.values()))
    index = {mode_id: place for place, mode_id in enumerate(ids)}
    before = np.array([index.get(held.get(trace_id, ""), -1) for trace_id in trace_ids], np.int64)
    same = matched(overlap(grouping.fresh, count, before, len(ids)), 0.3)
    return [
        ids[same[group]]
        if same[group] >= 0
        else content_id("mode", day, *(trace_ids[row] for row in np.flatnonzero(grouping.fresh == group).tolist()))
        for group in range(count)
    ]


def _mode_ids(grouping: Grouping, known_ids: Sequence[str], fresh_ids: Sequence[str]) -> list[str]:
    return [
        known_ids[known] if known >= 0 else fresh_ids[fresh] if fresh >= 0 else OTHER
        for known, fresh in zip(grouping.known.tolist(), grouping.fresh.tolist(), strict=True)
    ]


def _moves(grouping: Grouping, living: Living, fresh_ids: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what was merged into what, and what was split from what, by id."""
    merged = living.merged | {living.ids[old]: living.ids[new] for old, new in grouping.merged.items()}
    split = {
        fresh_ids[place]: living.ids[home] for place, home in enumerate(grouping.split_from.tolist()) if home >= 0
    }
    return merged, split
