"""How many networks would decide a claim."""

from __future__ import annotations

import math

from scipy import stats

from slowpoints.analysis.claims.rows import Row

POWER = 0.8
"""Probability of a verdict with as many networks as `networks_needed` returns."""
LEVEL = 0.95  # of intervals


def networks_needed(row: Row) -> float:
    """Number of networks with which the interval of a row would exclude what its claim denies, in `POWER` of studies.

    Effect and spread are taken as estimated, and the width of the interval as proportional to 1 / sqrt(n). The half of
    the interval that faces the bound counts, since intervals of correlations may be asymmetric. The number of tests is
    not taken into account.

    Args:
        row: row of the table `claims`.

    Returns:
        More than the present number; infinity if the effect lies on the bound. NaN if nothing is claimed, if there is
        no interval, or if the interval is already narrow enough and only p (adjusted, or of few networks) is too large.
    """
    n, effect, low, high = row.outcome[:4]
    if row.claimed is None or math.isnan(low) or math.isnan(high):
        return math.nan
    margins = {"none": (-row.margin, row.margin), "no loss": (-row.margin,), "no gain": (row.margin,)}
    bounds = margins.get(row.claimed, (0.0,))
    bound = min(bounds, key=lambda candidate: abs(effect - candidate))
    distance, half_width = abs(effect - bound), effect - low if effect > bound else high - effect
    if distance == 0:
        return math.inf
    normal = stats.norm.ppf
    factor = 1 + normal(POWER) / normal((1 + LEVEL) / 2)
    needed = math.ceil(n * (factor * half_width / distance) ** 2)
    return float(needed) if needed > n else math.nan
