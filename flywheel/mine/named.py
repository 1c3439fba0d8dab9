"""Failure modes of one day: assigned, clustered, named, with their trend, into the lake."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from flywheel.core.ids import content_id
from flywheel.core.lake import Lake
from flywheel.mine.embed import DIMENSIONS, embed
from flywheel.mine.modes import OTHER, Grouping, ModePolicy, group_notes, trend_of
from flywheel.text.terms import distinctive_terms

_KNOWN = """
select mode_id, any_value(name) as name, any_value(description) as description, min(first_seen) as first_seen,
    arg_max(centroid, day) as centroid, list(size order by day) as sizes,
    mode_id in (select mode_id from corrections) as is_corrected
from failure_modes where day < $day group by mode_id order by first_seen, mode_id
"""


def name_modes(lake: Lake, day: date, run_id: str = "", policy: ModePolicy | None = None) -> int:
    """Group and name the day's failures into `mode_members` and `failure_modes`; return the number of modes."""
    policy = policy or ModePolicy()
    failures = lake.frame("select trace_id, note from failures where day = $day order by trace_id", day=day)
    known = lake.frame(_KNOWN, day=day)
    named = known.filter(pl.col("mode_id") != OTHER)
    centroids = np.array(named["centroid"].to_list(), dtype=np.float32).reshape(named.height, DIMENSIONS)
    notes = failures["note"].to_list()
    grouping = group_notes(embed(notes), centroids, policy)
    fresh_ids = [
        content_id("mode", day, index, *_members_of(failures, grouping, index))
        for index in range(len(grouping.centroids))
    ]
    mode_ids = _mode_ids(grouping, named["mode_id"].to_list(), fresh_ids)
    members = [
        {"trace_id": trace_id, "mode_id": mode_id, "similarity": similarity}
        for trace_id, mode_id, similarity in zip(
            failures["trace_id"], mode_ids, grouping.similarity.tolist(), strict=True
        )
    ]
    lake.replace("mode_members", day, lake.typed("mode_members", members), run_id)
    fresh_centroids = dict(zip(fresh_ids, grouping.centroids.tolist(), strict=True))
    rows = _mode_rows(day, mode_ids, notes, known, fresh_centroids)
    return lake.replace("failure_modes", day, lake.typed("failure_modes", rows), run_id)


def _members_of(failures: pl.DataFrame, grouping: Grouping, index: int) -> list[str]:
    return failures["trace_id"].gather(np.flatnonzero(grouping.fresh == index)).to_list()


def _mode_ids(grouping: Grouping, known_ids: Sequence[str], fresh_ids: Sequence[str]) -> list[str]:
    return [
        known_ids[known] if known >= 0 else fresh_ids[fresh] if fresh >= 0 else OTHER
        for known, fresh in zip(grouping.known.tolist(), grouping.fresh.tolist(), strict=True)
    ]


def _mode_rows(
    day: date,
    mode_ids: Sequence[str],
    notes: Sequence[str],
    known: pl.DataFrame,
    fresh_centroids: dict[str, list[float]],
) -> list[dict[str, object]]:
    texts: dict[str, list[str]] = {}
    for mode_id, note in zip(mode_ids, notes, strict=True):
        texts.setdefault(mode_id, []).append(note)
    terms = distinctive_terms({mode: [note.replace("_", " ") for note in group] for mode, group in texts.items()})
    earlier = {row["mode_id"]: row for row in known.iter_rows(named=True)}
    rows = []
    for mode_id, group in sorted(texts.items()):
        before = earlier.get(mode_id)
        sizes = before["sizes"] if before else []
        rows.append(
            {
                "mode_id": mode_id,
                "name": before["name"] if before else _name(mode_id, terms.get(mode_id, [])),
                "description": before["description"] if before else f"e.g. {group[0][:200]}",
                "first_seen": before["first_seen"] if before else day,
                "status": "corrected" if before and before["is_corrected"] else "open",
                "size": len(group),
                "total_size": len(group) + sum(sizes),
                "trend": trend_of(len(group), sizes),
                "centroid": before["centroid"] if before else fresh_centroids.get(mode_id, []),
            }
        )
    return rows


def _name(mode_id: str, terms: Sequence[str]) -> str:
    return OTHER if mode_id == OTHER else " · ".join(terms) or mode_id[:8]
