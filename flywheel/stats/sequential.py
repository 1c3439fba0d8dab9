"""Look at a running comparison as often as you like without fooling yourself.

The mixture sequential probability ratio test (Robbins 1970; Johari et al. 2017) for the mean of paired differences:
its p-value holds at every look. Looking 20 times with an ordinary test alarms in 24% of null comparisons, this one
in 1 to 3% (methods 9.3).
"""

import numpy as np
import numpy.typing as npt

from flywheel.stats.intervals import Numbers

# Before 100 pairs the variance estimate is too rough to divide by (methods 9.3).
BURN_IN = 100


def always_valid_p_values(differences: npt.ArrayLike, expected_effect: float, null: float = 0.0) -> Numbers:
    """Return the p-value after each pair that mean(candidate - production) is `null` (-margin, say).

    Stop as soon as one is at most your level. `expected_effect` is the standard deviation of the mixture: about the
    difference you hope to see. 1 during the burn-in of 100 pairs.
    """
    values = np.asarray(differences, np.float64)
    n = np.arange(1, len(values) + 1)
    means = np.cumsum(values) / n
    variances = np.maximum(np.cumsum(values**2) / n - means**2, 1e-12)
    spread = variances + n * expected_effect**2
    evidence = 0.5 * np.log(variances / spread)
    evidence += n**2 * expected_effect**2 * (means - null) ** 2 / (2 * variances * spread)
    evidence[: BURN_IN - 1] = 0.0
    p_values: Numbers = np.minimum.accumulate(np.exp(-np.maximum(evidence, 0.0)))
    return p_values
