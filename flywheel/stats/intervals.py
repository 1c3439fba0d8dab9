"""Put an interval around an estimate."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betainc
from scipy.stats import norm

from flywheel.core.errors import UsageError

Numbers = npt.NDArray[np.float64]

RESAMPLES = 10_000
# Above this many distinct rows a table no longer pays; resamples are drawn row by row instead.
_LARGEST_TABLE = 256
# Numbers drawn at a time: 8 million int64 are 64 MB.
_DRAWS_AT_ONCE = 8_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence bounds; all three are nan when there was nothing to estimate from."""

    estimate: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """Return high - low."""
        return self.high - self.low


NOTHING = Interval(float("nan"), float("nan"), float("nan"))


def wilson(successes: float, n: int, level: float = 0.95) -> Interval:
    """Return the share of successes with Wilson's score interval (Wilson 1927); nan for n = 0."""
    if not 0 <= successes <= n:
        raise UsageError(f"{successes!r} successes of {n!r} is not a share; expected 0 <= successes <= n.")
    if n == 0:
        return NOTHING
    z = float(norm.ppf((1 + level) / 2))
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half))


def bootstrap_mean(values: npt.ArrayLike, seed: int, resamples: int = RESAMPLES, level: float = 0.95) -> Interval:
    """Return the mean with a percentile bootstrap interval (Efron 1979); nan for no values."""
    numbers = np.asarray(values, np.float64)
    return (
        interval_of(numbers.mean(), bootstrap_ratios(numbers, None, seed, resamples), level)
        if len(numbers)
        else NOTHING
    )


def bootstrap_ratios(sums: Numbers, sizes: Numbers | None, seed: int, resamples: int = RESAMPLES) -> Numbers:
    """Return `resamples` bootstrap replicates of sum(sums) / sum(sizes), resampling rows.

    One row per observation (sizes None: all ones), or per cluster: then whole clusters are resampled. Few distinct
    rows, as 0/1 outcomes have, are drawn as one multinomial table per replicate: milliseconds for any n.
    """
    rows = np.column_stack([sums, np.ones(len(sums)) if sizes is None else sizes])
    rng = np.random.default_rng(seed)
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    if len(distinct) <= _LARGEST_TABLE:
        drawn = rng.multinomial(len(rows), counts / len(rows), size=resamples) @ distinct
    else:
        step = max(1, _DRAWS_AT_ONCE // len(rows))
        drawn = np.concatenate(
            [_drawn(rows, min(step, resamples - start), rng) for start in range(0, resamples, step)]
        )
    ratios: Numbers = drawn[:, 0] / drawn[:, 1]
    return ratios


def interval_of(estimate: float, replicates: Numbers, level: float = 0.95) -> Interval:
    """Return the percentile interval of bootstrap replicates around an estimate."""
    low, high = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(estimate), float(low), float(high))


def beta_tail(successes: int, failures: int, floor: float, prior: tuple[float, float] = (1.0, 1.0)) -> float:
    """Return P(rate < floor) under the Beta posterior: a worker's accuracy on gold questions, say.

    The default prior is uniform. Methods 3.5 stops trusting a worker when this exceeds .95.
    """
    return float(betainc(prior[0] + successes, prior[1] + failures, floor))


def largest_rate_unseen(n: int, level: float = 0.95) -> float:
    """Return the largest failure rate that n passes without a failure leave possible: about 3 / n for 95%."""
    return float(1 - (1 - level) ** (1 / n)) if n else 1.0


def _drawn(rows: Numbers, resamples: int, rng: np.random.Generator) -> Numbers:
    picks = rng.integers(0, len(rows), size=(resamples, len(rows)))
    return np.column_stack([rows[:, 0][picks].sum(axis=1), rows[:, 1][picks].sum(axis=1)])
