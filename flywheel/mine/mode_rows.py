"""Write a day's modes as rows: those met today with everything measured, those closed or merged with why."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from flywheel.core.lake import Lake
from flywheel.mine.described import description_of, name_of, topics_of
from flywheel.mine.embed import Vectors
from flywheel.mine.known_modes import KnownMode
from flywheel.mine.lifecycle import Status, is_over, status_when_seen
from flywheel.mine.measures import Measures, harm_of, measure, mend_of, pick_examples
from flywheel.mine.modes import OTHER, ModePolicy, trend_of, unit
from flywheel.mine.note_models import NoteModels

Row = dict[str, object]

_SIGNALS_SHOWN = 5
UNKNOWN_HARM = 0.5  # of a failure without a signal to go by


@dataclass(frozen=True, slots=True)
class Day:
    """What the rows of a day are made with."""

    day: date
    space_id: str
    known: Mapping[str, KnownMode]
    policy: ModePolicy
    merged: Mapping[str, str]  # mode -> mode that has its failures from today on
    split: Mapping[str, str]  # new mode -> mode that had its failures before


def mode_rows(lake: Lake, state: Day, members: pl.DataFrame, vectors: Vectors, models: NoteModels) -> list[Row]:
    """Return the rows of the modes that the day's failures are in, ranked."""
    groups = _by_mode(lake, state.day, members)
    trace_count = int(lake.scalar("select count(*) from traces where day = $day", day=state.day))
    told = _told(groups, state.known, models)
    rows = []
    for mode_id, group in sorted(groups.items()):
        before = state.known.get(mode_id)
        measured = measure(group, trace_count, before.accepted if before else (0, 0))
        rows.append(
            {"mode_id": mode_id, "name": told[mode_id][0], "description": told[mode_id][1]}
            | _history(state, before, len(group))
            | _measured(measured)
            | _shown(state, mode_id, group)
            | {"centroid": _centroid(before, state.space_id, mode_id, vectors[group["row"].to_numpy()])}
        )
    named = [row for row in rows if row["mode_id"] != OTHER]
    for rank, row in enumerate(sorted(named, key=_worth), 1):
        row["rank"] = rank
    return rows


def absent_rows(state: Day, met: Collection[str]) -> list[Row]:
    """Return rows for modes without failures today whose state changes: merged into another one, or over."""
    rows = []
    for mode_id, mode in state.known.items():
        into = state.merged.get(mode_id)
        is_done = mode_id in met or mode.merged_into is not None or mode_id == OTHER
        if is_done or not (into or is_over(mode.past, state.day, state.policy.closed_after_days)):
            continue
        rows.append(
            {
                "mode_id": mode_id, "name": mode.name, "description": mode.description, "status": Status.CLOSED.value,
                "first_seen": mode.first_seen, "last_seen": mode.past.last_seen, "size": 0,
                "total_size": mode.total_size, "trend": 0.0, "centroid": mode.centroid, "space_id": mode.space_id,
                "signals": [], "examples": [], "merged_into": into, "split_from": mode.split_from,
            }
        )  # fmt: skip
    return rows


def _by_mode(lake: Lake, day: date, members: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the members by mode, with their place among the day's vectors, harm, mend and near-duplicate group."""
    signals = lake.frame("select trace_id, signal, strength from signals where day = $day", day=day)
    groups = lake.frame("select trace_id, group_id from duplicates where day = $day", day=day)
    found = (
        members.with_columns(mend_of(members), pl.int_range(pl.len()).alias("row"))
        .join(harm_of(signals), "trace_id", "left")
        .join(groups, "trace_id", "left")
        .with_columns(pl.col("harm").fill_null(UNKNOWN_HARM), pl.col("p_failure").fill_null(UNKNOWN_HARM))
        .sort("row")
    )
    return {str(key[0]): part for key, part in found.partition_by("mode_id", as_dict=True).items()}


def _told(
    groups: Mapping[str, pl.DataFrame], known: Mapping[str, KnownMode], models: NoteModels
) -> dict[str, tuple[str, str]]:
    """Return name and description by mode: what they were called before, else by their pattern or by a model."""
    is_new = any(mode_id not in known and mode_id != OTHER for mode_id in groups)
    terms = topics_of(groups) if is_new else {}  # terms are what others do not have: one new mode needs all of them
    told = {
        mode_id: (known[mode_id].name, known[mode_id].description)
        if mode_id in known
        else (name_of(group, terms.get(mode_id, ())) or mode_id[:8], description_of(group, terms.get(mode_id, ())))
        for mode_id, group in groups.items()
    }
    if OTHER in groups:
        told[OTHER] = (OTHER, "Failures that fit no mode and are too few, or too unlike each other, to be one.")
    new = {
        mode_id: group["note"].to_list()
        for mode_id, group in groups.items()
        if mode_id not in known and mode_id != OTHER
    }
    return told | {mode_id: (name, told[mode_id][1]) for mode_id, name in models.names(new).items()}


def _history(state: Day, before: KnownMode | None, size: int) -> Row:
    return {
        "first_seen": before.first_seen if before else state.day,
        "last_seen": state.day,
        "status": status_when_seen(before.past if before else None).value,
        "size": size,
        "total_size": size + (before.total_size if before else 0),
        "trend": trend_of(size, before.sizes if before else []),
        "space_id": state.space_id,
    }


def _measured(found: Measures) -> Row:
    return {
        "prevalence": found.prevalence.estimate, "prevalence_low": found.prevalence.low,
        "prevalence_high": found.prevalence.high, "severity": found.severity, "fixability": found.fixability,
        "worth": found.worth, "worth_low": found.worth_low,
    }  # fmt: skip


def _shown(state: Day, mode_id: str, group: pl.DataFrame) -> Row:
    fired = Counter(group["signals"].explode().drop_nulls().to_list())
    ranked = sorted(fired, key=lambda signal: (-fired[signal], signal))
    before = state.known.get(mode_id)
    return {
        "signals": ranked[:_SIGNALS_SHOWN],
        "examples": pick_examples(group, state.policy.examples),
        "split_from": before.split_from if before else state.split.get(mode_id),
    }


def _centroid(before: KnownMode | None, space_id: str, mode_id: str, vectors: Vectors) -> list[float]:
    """Return the mean of all notes so far; one from another space starts anew with today's."""
    if mode_id == OTHER:
        return []
    total = vectors.sum(axis=0)
    if before is not None and before.space_id == space_id and len(before.centroid) == len(total):
        total = total + before.total_size * np.asarray(before.centroid, np.float32)
    return [float(number) for number in unit(np.asarray(total, np.float32))]


def _worth(row: Row) -> tuple[float, str]:
    return -float(str(row["worth_low"])), str(row["mode_id"])
