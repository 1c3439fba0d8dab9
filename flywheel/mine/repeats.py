"""Failures that ask the same thing in nearly the same words count as one problem, on whatever day they come.

A day's failing queries are grouped among themselves; a group with a twin among the sketches of earlier days gets that
twin's group id. Only sketches of earlier days are looked at, so a day that is mined again cannot meet itself.
"""

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from flywheel.core.lake import Lake
from flywheel.text.near_duplicates import group_texts
from flywheel.text.sketches import Bar, Corpus, read_corpus
from flywheel.text.text_index import find_candidates, stored_sketches, verify_candidates

# Sketches that pass at a time: 20 MB.
_BATCH = 100_000

# What makes the better of two failures that ask the same. Chosen before comes first, or feedback that comes late
# would have a twin of what people correct already corrected again.
_QUALITY = ("is_chosen", "is_corrected", "p_failure", "is_complete", "context_length")
_FAILING = """
select
    failures.trace_id as id,
    memory.main.compared_text(traces.query, traces.input, traces.trace_id) as text,
    failures.trace_id in (select hard.trace_id from hard_examples as hard where hard.purpose = 'hard') as is_chosen,
    failures.trace_id in (
        select corrections.trace_id from corrections where corrections.trace_id is not null
        union all
        select feedback.trace_id from feedback
        where feedback.kind in ('demonstration', 'edit') and feedback.text is not null
    ) as is_corrected,
    coalesce(failures.p_failure, 0) as p_failure,
    traces.output is not null and traces.error is null
    and coalesce(traces.finish_reason, 'stop') not in ('length', 'content_filter') as is_complete,
    coalesce(length(traces.input::varchar), 0) as context_length
from failures inner join traces on failures.trace_id = traces.trace_id and failures.day = traces.day
where failures.day = $day order by id
"""
_EARLIER = "select fingerprint, kind, band_keys, marks from text_sketches where day < $day"
# In two steps: DuckDB would otherwise hold every text of every trace in memory to find the few.
_OLD = """
select found.distinct, found.kind, found.likeness, old.group_id, old.first_seen, old.trace_id, old.day
from candidate_twins as found
inner join text_sketches as old on found.fingerprint = old.fingerprint and found.kind = old.kind
where old.day < $day
"""
_TEXTS = """
select
    traces.trace_id, traces.day,
    memory.main.compared_text(traces.query, traces.input, traces.trace_id) as text
from traces inner join old_twins as old on traces.trace_id = old.trace_id and traces.day = old.day
"""
_HELD = "select distinct fingerprint, group_id, first_seen from text_sketches where day = $day"


def find_repeats(lake: Lake, day: date, run_id: str = "") -> int:
    """Collapse exact and near duplicates among the day's failures into `duplicates`; return the number of groups.

    What the day's texts look like is kept in `text_sketches`, for the days that follow.
    """
    bar = Bar()
    failing = lake.frame(_FAILING, day=day)
    corpus = read_corpus(failing, bar)
    twins = _earlier_twins(lake, corpus, day, bar)
    groups = _named(lake, corpus, twins, day, bar)
    is_known = twins.filter(pl.col("likeness") > 1).select("distinct")
    asked = corpus.rows.group_by("distinct").agg(trace_id=pl.col("id").min())
    sketches = stored_sketches(corpus).join(is_known, on="distinct", how="anti").join(asked, on="distinct")
    lake.replace("text_sketches", day, sketches.join(groups, on="distinct").drop("distinct"), run_id)
    rows = _members(failing, corpus, groups)
    lake.replace("duplicates", day, rows, run_id)
    return int(rows["is_representative"].sum())


def _earlier_twins(lake: Lake, corpus: Corpus, day: date, bar: Bar) -> pl.DataFrame:
    """Return (distinct, likeness, group_id, first_seen) of texts with a twin of an earlier day; likeness 2 is equal.

    The text of an old twin is read from its trace; where that was forgotten, only an equal text still finds it.
    """
    candidates = find_candidates(corpus, _earlier(lake, day), bar.threshold)
    old = _joined(lake, "candidate_twins", candidates, _OLD, day=day)
    places = ["trace_id", "day"]
    texts = _joined(lake, "old_twins", old.select(places).unique(maintain_order=True), _TEXTS)
    found = old.join(texts, on=places, how="left", maintain_order="left").drop(places)
    readable = found.filter(pl.col("text").is_not_null() | (pl.col("likeness") > 1))
    return verify_candidates(corpus, readable, bar.threshold).drop("text", "kind")


def _joined(lake: Lake, name: str, rows: pl.DataFrame, statement: str, **parameters: date) -> pl.DataFrame:
    """Run a statement that reads `rows` by a name."""
    lake.connection.register(name, rows.to_arrow())
    found = lake.frame(statement, **parameters)
    lake.connection.unregister(name)
    return found


def _earlier(lake: Lake, day: date) -> Iterator[pl.DataFrame]:
    """Yield the sketches of earlier days in batches: the index is never in memory as a whole."""
    reader = lake.connection.execute(_EARLIER, {"day": day}).to_arrow_reader(_BATCH)
    for batch in reader:
        yield pl.DataFrame(batch)


def _named(lake: Lake, corpus: Corpus, twins: pl.DataFrame, day: date, bar: Bar) -> pl.DataFrame:
    """Return (distinct, group_id, first_seen) of every distinct text of the day.

    A group is that of its equal text of an earlier day, else of its near twin, the oldest where it has several; else
    what it was when the day was mined before; else a new one, named by its smallest trace.
    """
    components = pl.DataFrame({"distinct": np.arange(len(corpus)), "component": group_texts(corpus, bar)})
    members = corpus.rows.join(components, on="distinct")
    held = _held(lake, corpus, day)
    claims = pl.concat(
        [twins.with_columns(rank=2 - pl.col("likeness").floor()), held.with_columns(rank=pl.lit(3.0))],
        how="diagonal_relaxed",
    )
    claims = (
        claims.join(components, on="distinct")
        .sort("rank", "first_seen", "group_id")
        .unique("component", keep="first", maintain_order=True)
    )
    new = members.group_by("component").agg(new_id=pl.col("id").min())
    named = components.join(claims.select("component", "group_id", "first_seen"), on="component", how="left").join(
        new, on="component"
    )
    return named.select(
        "distinct", pl.coalesce("group_id", "new_id").alias("group_id"), pl.col("first_seen").fill_null(day)
    )


def _held(lake: Lake, corpus: Corpus, day: date) -> pl.DataFrame:
    """Return (distinct, group_id, first_seen) of texts that have a group since the day was mined before."""
    prints = pl.DataFrame({"fingerprint": corpus.fingerprints.view(np.int64), "distinct": np.arange(len(corpus))})
    return lake.frame(_HELD, day=day).join(prints, on="fingerprint").drop("fingerprint")


def _members(failing: pl.DataFrame, corpus: Corpus, groups: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `duplicates`: every failing trace with its group, and which of the group is the best."""
    placed = failing.join(corpus.rows, on="id").join(groups, on="distinct")
    ordered = placed.sort([*_QUALITY, "id"], descending=[True] * len(_QUALITY) + [False])
    return ordered.select(
        pl.col("id").alias("trace_id"),
        "group_id",
        pl.col("group_id").is_first_distinct().alias("is_representative"),
        pl.len().over("group_id").cast(pl.Int64).alias("group_size"),
        "first_seen",
    )
