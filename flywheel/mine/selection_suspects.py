"""Find the failures that may be none: where the complaint, not the answer, looks wrong.

Cartography's lesson (Swayamdipta et al. 2020, arXiv 2009.10795): what a good model keeps getting wrong against all
appearances is more often a wrong label than a hard example. Such a failure goes back to a person, not into training.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flywheel.mine.selection import Numbers, SelectionPolicy


class Suspicion(StrEnum):
    """Why a failure may be none; the strongest first."""

    DEMONSTRATIONS = "demonstrations_disagree"  # users put different things in the place of one answer
    CORRECTED = "contradicts_correction"  # an accepted correction of a near twin says otherwise
    TWINS = "twins_not_failing"  # the same answer to the same question passed again and again
    SURE = "too_sure_to_be_wrong"  # the model had far fewer doubts than usual, and little speaks against it


_EDGE = 1e-6  # keeps odds finite
_LIKELY = 0.5  # below, a failure is more likely none


@dataclass(frozen=True, slots=True)
class Precedent:
    """The earlier correction nearest to each candidate: what it said, and its cosine (0: there is none)."""

    chosen: tuple[str | None, ...]
    likeness: NDArray[np.float32]


def nearest_precedents(likeness: NDArray[np.float32], chosen: pl.Series) -> Precedent:
    """Return, from cosines (candidates, corrections), the nearest correction of each candidate."""
    if likeness.shape[1] == 0:
        return Precedent((None,) * len(likeness), np.zeros(len(likeness), dtype=np.float32))
    nearest = likeness.argmax(axis=1)
    return Precedent(tuple(chosen.gather(nearest)), likeness[np.arange(len(likeness)), nearest])


def suspect(
    candidates: pl.DataFrame, precedent: Precedent, usual_doubt: float, policy: SelectionPolicy
) -> pl.DataFrame:
    """Return (reason, suspicion): null and 0 where nothing is odd, else why and how odd, 0-1.

    `candidates` has output, p_failure, confidence, represents, shown (what users put in its place, lower case) and
    quiet_count; `usual_doubt` is the day's mean of 1 - confidence.
    """
    facts = candidates.with_columns(
        pl.Series("said", precedent.chosen, dtype=pl.String),
        pl.Series("alike", precedent.likeness, dtype=pl.Float64),
        pl.Series("real", really_failed(candidates, usual_doubt), dtype=pl.Float64),
        quiet=pl.col("quiet_count") / (pl.col("quiet_count") + pl.col("represents")),
    )
    found = facts.select(
        pl.when(odd).then(strength).alias(reason.value) for reason, (odd, strength) in _rules(policy).items()
    )
    named = [pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in found.columns]
    return found.select(reason=pl.coalesce(named), suspicion=pl.coalesce([*found.columns, pl.lit(0.0)]))


def _rules(policy: SelectionPolicy) -> dict[Suspicion, tuple[pl.Expr, pl.Expr]]:
    """Return when each suspicion holds, and how strong it then is; the first that holds counts."""
    shown, said = pl.col("shown"), pl.col("said")
    was_confirmed = said == pl.col("output").str.strip_chars().str.to_lowercase()
    was_denied = (shown.list.len() > 0) & ~shown.list.contains(said)
    is_usual = (pl.col("quiet_count") >= policy.confirmed_from) & (pl.col("quiet") >= policy.quiet_share)
    is_sure = (pl.col("confidence") >= policy.sure_from) & (pl.col("real") < _LIKELY)
    return {
        Suspicion.DEMONSTRATIONS: (shown.list.len() > 1, pl.lit(1.0)),
        Suspicion.CORRECTED: ((pl.col("alike") >= policy.twin_from) & (was_confirmed | was_denied), pl.col("alike")),
        Suspicion.TWINS: (is_usual, pl.col("quiet")),
        Suspicion.SURE: (is_sure, 1 - pl.col("real")),
    }


def really_failed(candidates: pl.DataFrame, usual_doubt: float) -> Numbers:
    """Return P(failure) from the signals and from how unsure the model was, by Bayes in odds.

    Doubts count against the usual ones, so that a model that is sure of everything makes nothing suspicious:
    odds = odds(p_failure) * odds(1 - confidence) / odds(usual doubt). Without a confidence p_failure stays.
    """
    p_failure = candidates["p_failure"].to_numpy().astype(np.float64)
    doubt = 1 - candidates["confidence"].fill_null(1 - usual_doubt).to_numpy().astype(np.float64)
    log_odds = _logit(p_failure) + _logit(doubt) - _logit(np.array(usual_doubt))
    return np.asarray(1 / (1 + np.exp(-log_odds)), dtype=np.float64)


def _logit(share: Numbers) -> Numbers:
    kept = np.clip(share, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(kept / (1 - kept)), dtype=np.float64)
