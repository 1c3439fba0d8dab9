"""Gather what a release would hold: accepted corrections nobody refused, split, with their preferences."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from flywheel.core.lake import Lake
from flywheel.core.records import Split
from flywheel.publish.release_rows import content_hash_of
from flywheel.publish.splits import assign_splits
from flywheel.publish.withdrawn import withdrawn

_ROWS = """
with refused as (
    select refused_id from quarantine where table_name = 'corrections' and refused_id is not null
)
select corrections.* exclude (run_id), failure_modes.name as mode_name, routes.route
from corrections
left join (select mode_id, arg_min(name, day) as name from failure_modes group by mode_id) as failure_modes
    on corrections.mode_id = failure_modes.mode_id
left join routes on corrections.example_id = routes.example_id
where corrections.day <= $day and corrections.correction_id not in (select refused.refused_id from refused)
order by corrections.correction_id
"""
_PREFERENCES = """
select preferences.* exclude (run_id) from preferences where preferences.day <= $day order by preference_id
"""
_AUDITED = "select coalesce(query, '') as query from audits where day <= $day order by example_id"


@dataclass(frozen=True, slots=True)
class Candidate:
    """The rows of a release before anybody has promised anything about them."""

    dataset: str
    rows: pl.DataFrame  # all corrections, with split and group_id
    preferences: pl.DataFrame  # of training rows only
    audited: tuple[str, ...]
    parent_ids: frozenset[str]
    withdrawn_ids: frozenset[str] = frozenset()  # of the parent, with a reason to be gone

    @property
    def train(self) -> pl.DataFrame:
        """Rows to learn from."""
        return self.rows.filter(pl.col("split") == Split.TRAIN)

    @property
    def heldout(self) -> pl.DataFrame:
        """Failures to measure with, never to learn from."""
        return self.rows.filter(pl.col("split") == Split.HELDOUT)

    @property
    def retired(self) -> pl.DataFrame:
        """Rows that were trained on and have a twin among what is measured with: neither side takes them any more."""
        return self.rows.filter(pl.col("split") == Split.RETIRED)

    @property
    def fresh(self) -> pl.DataFrame:
        """Rows the parent release does not have."""
        return self.rows.filter(~pl.col("correction_id").is_in(list(self.parent_ids)))

    @property
    def lost_ids(self) -> frozenset[str]:
        """Rows of the parent release that are gone although nobody withdrew them."""
        return self.parent_ids - set(self.rows["correction_id"]) - self.withdrawn_ids

    @property
    def content_hash(self) -> str:
        """Return the identity of the content."""
        return content_hash_of(self.rows, self.preferences)


def gather(lake: Lake, day: date, dataset: str, parent: pl.DataFrame) -> Candidate:
    """Return the candidate of a day; `parent` is (correction_id, trace_id, split) of the newest release, or empty."""
    frozen = dict(parent.select("correction_id", "split").iter_rows())
    audited = lake.frame(_AUDITED, day=day)["query"].to_list()
    rows = assign_splits(lake.frame(_ROWS, day=day), audited, frozen)
    train_ids = rows.filter(pl.col("split") == Split.TRAIN)["correction_id"].to_list()
    preferences = lake.frame(_PREFERENCES, day=day).filter(pl.col("correction_id").is_in(train_ids))
    withdrawn_ids = frozenset(withdrawn(lake, parent)["correction_id"])
    return Candidate(dataset, rows, preferences, tuple(audited), frozenset(frozen), withdrawn_ids)
