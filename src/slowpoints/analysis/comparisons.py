"""Comparisons of two groups of networks: equivalence, difference, and change in pairs.

A stratum is a data set and architecture, or a cell of the grid. Groups are compared within strata, and the differences
averaged over strata, weighted by size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from slowpoints.analysis.correlation import PERMUTATIONS, bootstrap

TIE_TOLERANCE = 1e-12  # rounding error by which a permutation that ties with the observed value may fall short of it

Pairs = Sequence[tuple[np.ndarray, np.ndarray]]
"""Values of the first and of the second group, for each stratum."""


class Effect(NamedTuple):
    """An effect with its 95 % interval and its test."""

    n: int
    effect: float
    low: float
    high: float
    test: str
    p: float


def equivalence(strata: Pairs, margin: float) -> Effect:
    """Difference of means, first minus second, and two one-sided tests of whether it lies within a margin.

    If no sample varies, there is no interval and no p, since no error can be estimated; `test` says so.
    """
    import statsmodels.formula.api as smf  # seconds to import
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

    n = sum(len(sample) for pair in strata for sample in pair)
    if all(np.ptp(sample) == 0 for pair in strata for sample in pair):
        sizes = [len(first) + len(second) for first, second in strata]
        effect = np.average([first.mean() - second.mean() for first, second in strata], weights=sizes)
        return Effect(n, float(effect), np.nan, np.nan, f"TOST within {margin}: no sample varies", np.nan)
    if len(strata) == 1:
        first, second = strata[0]
        means = CompareMeans(DescrStatsW(first), DescrStatsW(second))
        p = means.ttost_ind(-margin, margin, usevar="unequal")[0]
        low, high = means.tconfint_diff(usevar="unequal")
        return Effect(n, first.mean() - second.mean(), low, high, f"TOST within {margin}, Welch", p)
    data = pd.DataFrame(
        [
            {"stratum": str(stratum), "first": float(side == 0), "value": value}
            for stratum, pair in enumerate(strata)
            for side, sample in enumerate(pair)
            for value in sample
        ]
    )
    fit = smf.ols("value ~ C(stratum) + first", data).fit(cov_type="HC3", use_t=True)
    effect, error = fit.params["first"], fit.bse["first"]
    p = max(stats.t.sf((effect + margin) / error, fit.df_resid), stats.t.sf((margin - effect) / error, fit.df_resid))
    low, high = fit.conf_int().loc["first"]
    return Effect(n, effect, low, high, f"TOST within {margin}, least squares within strata, HC3", p)


def difference(strata: Pairs, rng: np.random.Generator) -> Effect:
    """Difference of means, first minus second, and a two-sided permutation test of the groups within strata."""
    sides = [np.repeat([0, 1], [len(first), len(second)]) for first, second in strata]
    values = [np.concatenate(pair) for pair in strata]
    effect = float(mean_difference(values, sides))
    permuted = mean_difference(values, [rng.permuted(np.tile(side, (PERMUTATIONS, 1)), axis=1) for side in sides])
    p = (1 + (np.abs(permuted) >= abs(effect) - TIE_TOLERANCE).sum()) / (1 + PERMUTATIONS)
    low, high = bootstrap([sample for pair in strata for sample in pair], _resampled_difference, rng)
    return Effect(sum(map(len, values)), effect, low, high, "permutation within strata", p)


def mean_difference(values: Sequence[np.ndarray], sides: Sequence[np.ndarray]) -> np.ndarray:
    """Mean of side 0 minus mean of side 1, averaged over strata, weighted by size.

    Args:
        values: values in each stratum, `[n]`.
        sides: side of each value, 0 or 1, `[..., n]` for each stratum.
    """
    differences = []
    for value, side in zip(values, sides, strict=True):
        second = (value * side).sum(-1) / side.sum(-1)
        differences.append((value * (1 - side)).sum(-1) / (1 - side).sum(-1) - second)
    return np.average(differences, axis=0, weights=[len(value) for value in values])


def _resampled_difference(*samples: np.ndarray, axis: int = -1) -> np.ndarray:
    """`mean_difference` of samples: the two sides of each stratum, stratum by stratum."""
    pairs = list(zip(samples[::2], samples[1::2], strict=True))
    sizes = [first.shape[axis] + second.shape[axis] for first, second in pairs]
    return np.average([first.mean(axis) - second.mean(axis) for first, second in pairs], axis=0, weights=sizes)


def change(strata: Sequence[np.ndarray], rng: np.random.Generator) -> Effect:
    """Mean of changes, one per network, and Wilcoxon's signed-rank test; the interval resamples within strata.

    If each stratum has one network, there is no interval; `test` says so.
    """
    changes = np.concatenate(strata)
    p = stats.wilcoxon(changes).pvalue if np.any(changes != 0) else 1.0
    sizes = [len(stratum) for stratum in strata]  # not the resampled sizes: `bootstrap` doubles a sample of one

    def mean(*samples: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.average([sample.mean(axis) for sample in samples], axis=0, weights=sizes)

    low, high = bootstrap(strata, mean, rng)
    note = ", no interval: one network a cell" if np.isnan(low) else ""
    return Effect(len(changes), float(changes.mean()), low, high, f"Wilcoxon signed-rank{note}", p)


def no_loss(strata: Sequence[np.ndarray], margin: float, rng: np.random.Generator) -> Effect:
    """As `change`, but with a one-sided t-test of whether the loss is within a margin.

    If changes do not vary, as with one network, there is no interval and no p, since no error can be estimated; `test`
    says so.
    """
    effect = change(strata, rng)
    changes = np.concatenate(strata)
    if np.ptp(changes) == 0:
        return effect._replace(low=np.nan, high=np.nan, test=f"no loss beyond {margin}: no change varies", p=np.nan)
    from statsmodels.stats.weightstats import DescrStatsW  # seconds to import

    p = DescrStatsW(changes).ttest_mean(-margin, alternative="larger")[1]
    return effect._replace(test=f"no loss beyond {margin}, one-sided paired t", p=p)


def no_gain(strata: Sequence[np.ndarray], margin: float, rng: np.random.Generator) -> Effect:
    """As `no_loss`, for a gain."""
    loss = no_loss([-stratum for stratum in strata], margin, rng)
    test = loss.test.replace("no loss", "no gain")
    return loss._replace(effect=-loss.effect, low=-loss.high, high=-loss.low, test=test)
