"""Measure a candidate once, so that the gate's promises are about numbers everybody can see."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
import polars as pl
from scipy.stats import wasserstein_distance

from flywheel.core.examples import read_messages
from flywheel.core.lake import Lake
from flywheel.publish.candidate import Candidate
from flywheel.stats.distances import js_distance
from flywheel.text.near_duplicates import overlap
from flywheel.text.pii import find_pii

FEWEST_NEW_ROWS = 30  # below this a distribution is noise, and drift is "insufficient" (null), not zero
LABELS_REPEAT = 0.5  # answers are labels when there are at most half as many different ones as rows
_TRAFFIC = "select output from traces where day between $first and $day and output is not null"
_TRUST = "select corrector from corrector_trust where is_trusted and day <= $day"


def profile(lake: Lake, candidate: Candidate, day: date, reference: pl.DataFrame, now: datetime) -> dict[str, object]:
    """Return one row of `release_profiles`; `reference` is the parent's training rows, empty before the first."""
    train, fresh = candidate.train, candidate.fresh
    answers, reference_name = _reference(lake, day, reference)
    new_labels = fresh["chosen"].to_list()
    return {
        "day": day,
        "candidate": candidate.content_hash,
        "dataset": candidate.dataset,
        "row_count": candidate.rows.height,
        "train_count": train.height,
        "heldout_count": candidate.heldout.height,
        "new_count": fresh.height,
        "lost_count": len(candidate.lost_ids),
        "human_share": _share(train["author_kind"] == "human"),
        "max_depth": train["depth"].max() or 0,
        "leaked_count": _leaked(candidate),
        "duplicate_share": _share(train.select(pl.struct("query", "chosen").is_duplicated()).to_series()),
        "personal_count": _personal(candidate.rows),
        "unchanged_count": int((candidate.rows["chosen"] == candidate.rows["rejected"]).sum()),
        "untrusted_count": _untrusted(lake, candidate, day),
        "top_label_share": _top_share(new_labels),
        "label_drift": _label_drift(answers, new_labels),
        "length_drift": _length_drift(answers, new_labels),
        "reference": reference_name,
        "measured_at": now,
    }


def _reference(lake: Lake, day: date, reference: pl.DataFrame) -> tuple[list[str], str]:
    """Return the answers drift is measured against: the parent release's, or before the first production's own."""
    if reference.height:
        return reference["chosen"].to_list(), "parent release"
    first = date.fromordinal(day.toordinal() - 7)
    return lake.frame(_TRAFFIC, day=day, first=first)["output"].to_list(), "traffic of 7 days"


def _share(facts: pl.Series) -> float:
    return float(facts.sum()) / len(facts) if len(facts) else 0.0


def _leaked(candidate: Candidate) -> int:
    """Count training rows with a near-duplicate among the held-out rows or the audits."""
    kept_apart = candidate.heldout["query"].fill_null("").to_list() + list(candidate.audited)
    if not kept_apart or candidate.train.is_empty():
        return 0
    train = candidate.train.select(pl.col("correction_id").alias("id"), pl.col("query").fill_null("").alias("text"))
    other = pl.DataFrame({"id": [str(n) for n in range(len(kept_apart))], "text": kept_apart})
    return int(overlap(train, other)["id"].n_unique())


def _personal(rows: pl.DataFrame) -> int:
    """Count rows with a finding in any text that is exported; the conversation is read as text, not as its JSON."""
    return sum(
        any(find_pii(text) for text in (query, chosen, rejected, *_spoken(said)) if text)
        for query, chosen, rejected, said in rows.select("query", "chosen", "rejected", "input").iter_rows()
    )


def _spoken(said: str | None) -> list[str]:
    return [message.content for message in read_messages(said)] if said else []


def _untrusted(lake: Lake, candidate: Candidate, day: date) -> int:
    trusted = lake.frame(_TRUST, day=day)["corrector"].to_list()
    made = candidate.rows.filter(pl.col("author_kind") == "ai")
    return made.filter(~pl.col("author_id").is_in(trusted)).height


def _are_labels(answers: Sequence[str]) -> bool:
    return len(answers) >= FEWEST_NEW_ROWS and len(set(answers)) <= LABELS_REPEAT * len(answers)


def _top_share(labels: Sequence[str]) -> float | None:
    return Counter(labels).most_common(1)[0][1] / len(labels) if _are_labels(labels) else None


def _label_drift(reference: Sequence[str], labels: Sequence[str]) -> float | None:
    """Return the Jensen-Shannon distance over labels the reference knows; a new label is news, not an attack."""
    if not _are_labels(labels) or not _are_labels(reference):
        return None
    known, new = Counter(reference), Counter(labels)
    shared = sorted(known)
    if sum(new[label] for label in shared) < FEWEST_NEW_ROWS:
        return None
    return js_distance(np.array([known[label] for label in shared]), np.array([new[label] for label in shared]))


def _length_drift(reference: Sequence[str], answers: Sequence[str]) -> float | None:
    """Return Wasserstein's distance between answer lengths in characters, in the reference's standard deviations."""
    if len(reference) < FEWEST_NEW_ROWS or len(answers) < FEWEST_NEW_ROWS:
        return None
    before, after = [len(text) for text in reference], [len(text) for text in answers]
    return float(wasserstein_distance(before, after) / max(float(np.std(before)), 1.0))
