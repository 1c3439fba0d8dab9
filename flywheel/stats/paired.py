"""Compare two models on the same prompts: candidate against production."""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil, isnan, sqrt

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, norm

from flywheel.core.errors import UsageError
from flywheel.stats.intervals import NOTHING, RESAMPLES, Interval, Numbers, bootstrap_ratios, interval_of

# One-sided 5%, as non-inferiority is tested (methods 9.2).
_ONE_SIDED = 0.95
# Below 300 prompts a slice cannot support a margin of 2 points (methods 9.2); others scale with 1 / margin^2.
_PROMPTS_AT_TWO_POINTS = 300
_FEWEST_PROMPTS = 30
# With no discordant pair seen, up to 3 are possible at 95% (rule of three, Hanley and Lippman-Hand 1983).
_FEWEST_DISCORDANT = 3


class NonInferiority(StrEnum):
    """What a test against a margin says."""

    SHOWN = "non_inferior"
    NOT_SHOWN = "not_shown"
    INFERIOR = "inferior"
    UNDERPOWERED = "underpowered"


@dataclass(frozen=True, slots=True)
class NonInferiorityResult:
    """The difference candidate - production, its z-score and p-value against -margin, and the verdict."""

    difference: float
    z: float
    p_value: float
    verdict: NonInferiority


@dataclass(frozen=True, slots=True)
class PairedResult:
    """Two models on the same n prompts; fixed and broken count the prompts that got better and worse."""

    n: int
    production_mean: float
    candidate_mean: float
    fixed: int
    broken: int
    difference: Interval
    p_value: float


def mcnemar_exact(b: int, c: int, mid_p: bool = False) -> float:
    """Return McNemar's two-sided p-value from the discordant counts, by the exact binomial.

    b: only the candidate is right; c: only production is. The mid-p version counts tables as extreme as the
    observed one by half and is less conservative (Fagerland, Lydersen and Laake 2013).
    """
    if b + c == 0:
        return 1.0
    p_value = min(1.0, 2 * float(binom.cdf(min(b, c), b + c, 0.5)))
    if not mid_p:
        return p_value
    as_extreme = float(binom.pmf(b, b + c, 0.5)) * (1 if b == c else 2)
    return p_value - as_extreme / 2


def paired_bootstrap(
    production: npt.ArrayLike,
    candidate: npt.ArrayLike,
    seed: int,
    resamples: int = RESAMPLES,
    clusters: npt.ArrayLike | None = None,
) -> Interval:
    """Return mean(candidate - production) with a 95% bootstrap interval over prompts.

    With `clusters` (conversation or template of each prompt) whole clusters are resampled: prompts of one
    conversation are not independent, and intervals that ignore it come out up to three times too narrow
    (Miller 2024, arXiv 2411.00640). Raises UsageError on unequal lengths; nan without prompts.
    """
    differences = _differences(production, candidate)
    if len(differences) == 0:
        return NOTHING
    sums, sizes = _by_cluster(differences, clusters)
    return interval_of(differences.mean(), bootstrap_ratios(sums, sizes, seed, resamples))


def compare_paired(
    production: npt.ArrayLike, candidate: npt.ArrayLike, seed: int, clusters: npt.ArrayLike | None = None
) -> PairedResult:
    """Compare outcomes or scores of the same prompts, in the same order.

    The p-value is McNemar's mid-p (for scores: the sign test), or with clusters a sign-flip test over clusters.
    """
    before, after = np.asarray(production, np.float64), np.asarray(candidate, np.float64)
    differences = _differences(before, after)
    fixed, broken = int((differences > 0).sum()), int((differences < 0).sum())
    if clusters is None:
        p_value = mcnemar_exact(fixed, broken, mid_p=True)
    else:
        p_value = _sign_flip(_by_cluster(differences, clusters)[0], seed)
    return PairedResult(
        n=len(differences),
        production_mean=float(before.mean()) if len(before) else float("nan"),
        candidate_mean=float(after.mean()) if len(after) else float("nan"),
        fixed=fixed,
        broken=broken,
        difference=paired_bootstrap(before, after, seed, clusters=clusters),
        p_value=p_value,
    )


def non_inferiority(b: int, c: int, n: int, margin: float) -> NonInferiorityResult:
    """Test that the candidate is not worse than production by `margin` or more (methods 9.2), one-sided 5%.

    z = ((b - c) / n + margin) / SE, SE = sqrt((b + c) / n - ((b - c) / n)^2) / sqrt(n). Fewer than 3 discordant
    pairs count as 3: seeing no change in a few prompts is no proof that there is none.
    """
    if margin <= 0:
        raise UsageError(f"Margin {margin!r} leaves nothing to test; use a positive share such as 0.02.")
    if n == 0:
        return NonInferiorityResult(float("nan"), float("nan"), 1.0, NonInferiority.UNDERPOWERED)
    difference = (b - c) / n
    spread = max(b + c, _FEWEST_DISCORDANT) / n - difference**2
    z = (difference + margin) / sqrt(max(spread, 1 / n**2) / n)
    return NonInferiorityResult(difference, z, float(norm.sf(z)), _verdict(z, n, margin))


def prompts_needed(
    discordance: float, effect: float, margin: float = 0.0, power: float = 0.8, level: float = 0.95
) -> int:
    """Return how many prompts a paired test needs, from the share of prompts on which the models differ.

    With a margin: to show non-inferiority when the models are equally good (effect 0), one-sided. Without: to
    detect `effect` two-sided. n = (z_level + z_power)^2 var / distance^2, var = discordance - effect^2.
    """
    z_level = float(norm.ppf(level if margin else (1 + level) / 2))
    variance = discordance - effect**2
    return ceil((z_level + float(norm.ppf(power))) ** 2 * variance / (effect + margin) ** 2)


def _verdict(z: float, n: int, margin: float) -> NonInferiority:
    if n < max(_FEWEST_PROMPTS, _PROMPTS_AT_TWO_POINTS * (0.02 / margin) ** 2):
        return NonInferiority.UNDERPOWERED
    bar = float(norm.ppf(_ONE_SIDED))
    if z > bar:
        return NonInferiority.SHOWN
    return NonInferiority.INFERIOR if z < -bar else NonInferiority.NOT_SHOWN


def _differences(production: npt.ArrayLike, candidate: npt.ArrayLike) -> Numbers:
    before, after = np.asarray(production, np.float64), np.asarray(candidate, np.float64)
    if before.shape != after.shape:
        raise UsageError(f"Got {before.size} outcomes of production and {after.size} of the candidate; pair them.")
    differences: Numbers = after - before
    if isnan(differences.sum()):
        raise UsageError("Some outcomes are nan: leave unscored prompts out of both sides, and count them.")
    return differences


def _by_cluster(differences: Numbers, clusters: npt.ArrayLike | None) -> tuple[Numbers, Numbers | None]:
    if clusters is None:
        return differences, None
    labels, member = np.unique(np.asarray(clusters), return_inverse=True)
    if len(member) != len(differences):
        raise UsageError(f"Got {len(member)} cluster labels for {len(differences)} prompts; one each is needed.")
    sums: Numbers = np.bincount(member, weights=differences, minlength=len(labels)).astype(np.float64)
    return sums, np.bincount(member, minlength=len(labels)).astype(np.float64)


def _sign_flip(sums: Numbers, seed: int) -> float:
    """Return the two-sided p-value that the clusters' sums have no direction, over random sign flips."""
    rng = np.random.default_rng(seed)
    moved = sums[sums != 0]
    flips = rng.integers(0, 2, size=(RESAMPLES, len(moved)), dtype=np.int8) * 2 - 1
    # One part in 10^9 of slack: sums of the same numbers in another order differ in the last digits.
    as_far = np.abs(flips @ moved) >= abs(moved.sum()) - 1e-9 * np.abs(moved).sum()
    return float((1 + as_far.sum()) / (1 + RESAMPLES))
