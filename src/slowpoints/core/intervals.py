"""Confidence intervals of shares."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

TWO_SIDED = 0.975  # probability below the high end of a 95 % interval


def wilson(successes: ArrayLike, trials: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's 95 % interval of a share, which lies between 0 and 1 even if no trial succeeds, or all do.

    Equal to statsmodels' `proportion_confint(..., method="wilson")`, which takes longer to import than all else in a
    memory job except PyTorch.

    Args:
        successes: numbers of successes, of any shape.
        trials: numbers of trials, all positive, of a shape that broadcasts with theirs.

    Returns:
        Low and high ends, of the broadcast shape.
    """
    share, n = np.asarray(successes) / np.asarray(trials), np.asarray(trials)
    z = NormalDist().inv_cdf(TWO_SIDED)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
