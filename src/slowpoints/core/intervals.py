"""Intervals of shares."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

TWO_SIDED = 0.975  # of a 95 % interval


def wilson(successes: ArrayLike, trials: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval of a share, 95 %: ends between 0 and 1, also where none or all succeed.

    As statsmodels' `proportion_confint(..., method="wilson")`, whose import takes longer than all else that a job that
    measures memory imports but PyTorch.

    Args:
        successes: counts, of any shape.
        trials: counts of which they are, all positive, of a shape that broadcasts.

    Returns:
        Low and high ends.
    """
    share, n = np.asarray(successes) / np.asarray(trials), np.asarray(trials)
    z = NormalDist().inv_cdf(TWO_SIDED)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
