"""Statistics: correlation within strata, its bootstrap interval and permutation test.

A stratum is a cell of the grid (networks compared with networks) or a network (classes compared with classes):
values are ranked or centred within each, so that differences between strata count for nothing. Intervals
resample networks within cells.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

RESAMPLES = 2000
PERMUTATIONS = 9999
CONFIDENCE = 0.95
LEAST_NETWORKS = 3  # fewer than these a cell have no correlation
STILL = 1e-20  # sum of squares below which a side does not vary, but for rounding
ROUNDING = 1e-9  # share by which a permutation that is as far as what was seen may fall short of it
METHODS = ("spearman", "pearson")


def scores(values: np.ndarray, method: str) -> np.ndarray:
    """Values `[..., n]` of one stratum as deviations from their mean: of ranks (as shares of n + 1), or as they are."""
    if method == "spearman":
        values = stats.rankdata(values, axis=-1) / (values.shape[-1] + 1)
    return values - values.mean(-1, keepdims=True)


def moments(x: np.ndarray, y: np.ndarray, method: str) -> np.ndarray:
    """Sums of squares and products `[3, ...]` of one stratum's scores `[..., n]`: xx, yy, xy."""
    a, b = scores(x, method), scores(y, method)
    return np.stack([(a * a).sum(-1), (b * b).sum(-1), (a * b).sum(-1)])


def correlation(sums: np.ndarray) -> np.ndarray:
    """Correlation `[...]` from moments `[3, ...]` summed over strata; NaN where one side does not vary."""
    xx, yy, xy = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((xx > STILL) & (yy > STILL), xy / np.sqrt(xx * yy), np.nan)


def permutation_p(strata: Sequence[tuple[np.ndarray, np.ndarray]], method: str, rng: np.random.Generator) -> float:
    """Two-sided p of the correlation within strata, the pairing permuted within each stratum.

    Args:
        strata: (x, y) of each, `[n]` both.
        method: one of `METHODS`.
        rng: stream to draw permutations from.
    """
    total, permuted = np.zeros(3), np.zeros(PERMUTATIONS)
    for x, y in strata:
        total += moments(x, y, method)
        # Ranks and means do not depend on the order: permuting scores is permuting values.
        permuted += rng.permuted(np.tile(scores(y, method), (PERMUTATIONS, 1)), axis=1) @ scores(x, method)
    if np.isnan(correlation(total)):
        return np.nan
    as_far = np.abs(permuted) >= abs(total[2]) * (1 - ROUNDING)
    return (1 + as_far.sum()) / (1 + PERMUTATIONS)


def bootstrap(
    samples: Sequence[np.ndarray], statistic: Callable[..., np.ndarray], rng: np.random.Generator
) -> tuple[float, float]:
    """Percentile interval of a statistic of several samples, each resampled by itself.

    Args:
        samples: `[n]` each; a sample of one stays as it is.
        statistic: function of arrays `[..., n]`, one a sample, and `axis`.
        rng: stream to draw from.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        result = stats.bootstrap(
            [np.concatenate([sample, sample]) if len(sample) == 1 else sample for sample in samples],
            statistic,
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            method="percentile",
            vectorized=True,
            rng=rng,
        )
    replicates = result.bootstrap_distribution
    replicates = replicates[~np.isnan(replicates)]  # resamples in which nothing varies
    if not len(replicates):
        return np.nan, np.nan
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def network_correlation(cells: Sequence[tuple[np.ndarray, np.ndarray]], method: str, rng: np.random.Generator) -> dict:
    """Correlation over networks within cells: n, r, low, high, p.

    Args:
        cells: (x, y) of each cell, a value a network.
        method: one of `METHODS`.
        rng: stream to draw from.
    """
    cells = [(x, y) for x, y in cells if len(x) >= LEAST_NETWORKS]
    if not cells:
        return dict.fromkeys(("r", "low", "high", "p"), np.nan) | {"n": 0}

    def statistic(*resampled: np.ndarray, axis: int = -1) -> np.ndarray:
        each = (moments(x[rows], y[rows], method) for (x, y), rows in zip(cells, resampled, strict=True))
        return correlation(sum(each, start=np.zeros(())))

    networks = [np.arange(len(x)) for x, _ in cells]
    low, high = bootstrap(networks, statistic, rng)
    r = float(statistic(*networks))
    return {"n": sum(map(len, networks)), "r": r, "low": low, "high": high, "p": permutation_p(cells, method, rng)}


def class_correlation(
    cells: Sequence[Sequence[tuple[np.ndarray, np.ndarray]]], method: str, rng: np.random.Generator
) -> dict:
    """Correlation over classes within networks: n (points), r, low, high, p; the interval resamples networks.

    Args:
        cells: for each cell, (x, y) of each of its networks, a value a class.
        method: one of `METHODS`.
        rng: stream to draw from.
    """
    networks = [(x, y) for cell in cells for x, y in cell]
    if not networks:
        return dict.fromkeys(("r", "low", "high", "p"), np.nan) | {"n": 0}
    sums = [np.stack([moments(x, y, method) for x, y in cell], axis=1) for cell in cells if len(cell)]  # [3, networks]

    def statistic(*resampled: np.ndarray, axis: int = -1) -> np.ndarray:
        each = (cell[:, rows].sum(-1) for cell, rows in zip(sums, resampled, strict=True))
        return correlation(sum(each, start=np.zeros(())))

    rows = [np.arange(cell.shape[1]) for cell in sums]
    low, high = bootstrap(rows, statistic, rng)
    n = sum(len(x) for x, _ in networks)
    r = float(statistic(*rows))
    return {"n": n, "r": r, "low": low, "high": high, "p": permutation_p(networks, method, rng)}
