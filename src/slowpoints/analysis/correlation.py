"""Correlation within strata, its bootstrap interval and permutation test.

Over networks, a stratum is a data set and architecture with the protocols mixed, or a cell of the grid; over classes it
is a network. Values are ranked or centred within strata, so that differences between strata have no influence.
Intervals resample networks within cells and, for correlations over classes, also the classes of a data set.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from scipy import stats

RESAMPLES = 2000
PERMUTATIONS = 9999
CONFIDENCE = 0.95
LEAST_NETWORKS = 3  # of a stratum that has a correlation
LEAST_CLASSES = 3  # of a network that has one
STILL = 1e-20  # sum of squares up to which variation is rounding error
TIE_TOLERANCE = 1e-9  # relative rounding error by which a permutation that ties with the data may fall short
METHODS = ("spearman", "pearson")

Cells = Sequence[tuple[np.ndarray, ...]]
"""The cells of a stratum: for each, the values of its networks, `[n]` for each of several measures."""
Interval = tuple[float, float]


def scores(values: np.ndarray, method: str) -> np.ndarray:
    """Values `[..., n]` of one stratum, or their ranks (as shares of n + 1), as deviations from their mean."""
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
    """Two-sided p of the correlation within strata, from permutations of the pairs within each stratum.

    Args:
        strata: x and y of each stratum, `[n]` each.
        method: one of `METHODS`.
        rng: stream from which to draw permutations.
    """
    total, permuted = np.zeros(3), np.zeros(PERMUTATIONS)
    for x, y in strata:
        total += moments(x, y, method)
        # Ranks and means do not depend on order, so scores can be permuted in place of values.
        permuted += rng.permuted(np.tile(scores(y, method), (PERMUTATIONS, 1)), axis=1) @ scores(x, method)
    return _p(total, permuted)


def _p(total: np.ndarray, permuted: np.ndarray) -> float:
    """Share of permuted sums of products that are at least as far from zero as the observed sum, `total[2]`."""
    if np.isnan(correlation(total)):
        return np.nan
    as_extreme = np.abs(permuted) >= abs(total[2]) * (1 - TIE_TOLERANCE)
    return (1 + as_extreme.sum()) / (1 + len(permuted))


def percentiles(replicates: np.ndarray) -> Interval:
    """Interval of the middle 95 % of replicates, without those in which a side does not vary (NaN)."""
    replicates = replicates[~np.isnan(replicates)]
    if not len(replicates):
        return np.nan, np.nan
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def bootstrap(
    samples: Sequence[np.ndarray], statistic: Callable[..., np.ndarray], rng: np.random.Generator
) -> Interval:
    """Percentile interval of a statistic of several samples, which are resampled independently.

    Args:
        samples: `[n]` each. A sample of one stays as it is; if all are of one, the interval is NaN.
        statistic: function of arrays `[..., n]`, one per sample, and of `axis`.
        rng: stream from which to draw.
    """
    if max(map(len, samples)) < 2:
        return np.nan, np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        result = stats.bootstrap(
            [np.concatenate([sample, sample]) if len(sample) == 1 else sample for sample in samples],
            statistic,
            n_resamples=RESAMPLES,
            method="percentile",
            vectorized=True,
            rng=rng,
        )
    return percentiles(result.bootstrap_distribution)


@dataclass(frozen=True)
class Correlation:
    """A correlation over n values, with its 95 % interval and the p of no correlation."""

    n: int = 0
    r: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan


def missing(n: int) -> str:
    """Why there is no correlation over n networks or classes, in words."""
    return "too few networks" if n < LEAST_NETWORKS else "nothing to rank: one side does not vary"


class NetworkCorrelation:
    """Correlations of measures of networks with their memory, within strata.

    Args:
        strata: the cells of each stratum; each cell has the values of the predictors and then memory, `[n]` each.
        method: one of `METHODS`.
    """

    def __init__(self, strata: Sequence[Cells], method: str):
        self.strata = [cells for cells in strata if sum(len(cell[-1]) for cell in cells) >= LEAST_NETWORKS]
        self.method = method
        # First and last index of each stratum's cells in the list of all cells.
        self.spans = list(pairwise(accumulate(map(len, self.strata), initial=0)))
        self.cells = [cell for cells in self.strata for cell in cells]

    def of(self, predictor: int, rng: np.random.Generator) -> Correlation:
        """Correlation of one of the predictors, given by its index."""
        if not self.strata:
            return Correlation()
        rows = self._rows()
        low, high = bootstrap(rows, lambda *resampled, axis=-1: self._r(predictor, resampled), rng)
        pairs = [
            (np.concatenate([cell[predictor] for cell in cells]), np.concatenate([cell[-1] for cell in cells]))
            for cells in self.strata
        ]
        p = permutation_p(pairs, self.method, rng)
        return Correlation(sum(map(len, rows)), float(self._r(predictor, rows)), low, high, p)

    def difference(
        self, first: int, second: int, signs: tuple[int, int], rng: np.random.Generator
    ) -> tuple[float, float, float]:
        """How much more strongly the first predictor correlates than the second, with the interval.

        Strength is the correlation times its expected sign. Both correlations are computed from the same resamples.
        """
        if not self.strata:
            return np.nan, np.nan, np.nan

        def statistic(*resampled: np.ndarray, axis: int = -1) -> np.ndarray:
            return signs[0] * self._r(first, resampled) - signs[1] * self._r(second, resampled)

        return float(statistic(*self._rows())), *bootstrap(self._rows(), statistic, rng)

    def _rows(self) -> list[np.ndarray]:
        return [np.arange(len(cell[-1])) for cell in self.cells]

    def _r(self, predictor: int, rows: Sequence[np.ndarray]) -> np.ndarray:
        """Correlation `[...]` over the rows `[..., n]` of each cell."""
        total = np.zeros(())
        for first, last in self.spans:
            chosen = [  # as many of each cell as it has, since `bootstrap` doubles a cell of one
                np.stack([cell[measure][drawn[..., : len(cell[-1])]] for measure in (predictor, -1)])
                for cell, drawn in zip(self.cells[first:last], rows[first:last], strict=True)
            ]
            x, y = np.concatenate(chosen, axis=-1)
            total = total + moments(x, y, self.method)
        return correlation(total)


@dataclass(frozen=True)
class Classes:
    """Measures of the classes of all networks of one data set, NaN where a class is missing. S networks, C classes.

    Attributes:
        predictor: values of the predictor, `[S, C]`.
        memory: how long each class is remembered, `[S, C]`.
        cell: number of each network's cell, `[S]`.
    """

    predictor: np.ndarray
    memory: np.ndarray
    cell: np.ndarray


def class_correlation(datasets: Sequence[Classes], method: str, rng: np.random.Generator) -> Correlation:
    """Correlation over classes within networks.

    Networks share classes: what makes a class easy does so in all of them, so classes of different networks are not
    independent. The test permutes the classes of a data set in all of its networks at once, and the interval resamples
    the classes of a data set, and networks within cells (Owen 2007).

    Args:
        datasets: measures of each data set.
        method: one of `METHODS`.
        rng: stream from which to draw.
    """
    tables = [_class_scores(classes, method) for classes in datasets]
    total = sum((table.moments(np.ones((1, table.present.shape[1]))).sum((1, 2)) for table in tables), np.zeros(3))
    n = int(sum(table.present.sum() for table in tables))
    if np.isnan(correlation(total)):
        return Correlation(n)
    permuted = sum((table.permuted(rng) for table in tables), np.zeros(PERMUTATIONS))
    resampled = sum((table.resampled(rng) for table in tables), np.zeros((3, RESAMPLES)))
    low, high = percentiles(correlation(resampled))
    return Correlation(n, float(correlation(total)), low, high, _p(total, permuted))


@dataclass(frozen=True)
class _ClassScores:
    """Scores of classes within each network of a data set, 0 where a class is missing, `[S, C]`; cells, `[S]`."""

    x: np.ndarray
    y: np.ndarray
    present: np.ndarray
    cell: np.ndarray

    def moments(self, weights: np.ndarray) -> np.ndarray:
        """Sums of squares and products of each network, `[3, R, S]`, with R weightings of classes, `[R, C]`."""
        count = np.maximum(weights @ self.present.T, 1)
        x, y = ((side, weights @ side.T) for side in (self.x, self.y))
        pairs = ((x, x), (y, y), (x, y))
        return np.stack([weights @ (a * b).T - sum_a * sum_b / count for (a, sum_a), (b, sum_b) in pairs])

    def permuted(self, rng: np.random.Generator) -> np.ndarray:
        """Sums of products with the classes permuted in all networks at once, `[PERMUTATIONS]`."""
        products = self.x.T @ self.y  # of the predictor of each class with the memory of each class
        classes = np.arange(len(products))
        orders = rng.permuted(np.tile(classes, (PERMUTATIONS, 1)), axis=1)
        return products[classes, orders].sum(1)

    def resampled(self, rng: np.random.Generator) -> np.ndarray:
        """Moments `[3, RESAMPLES]` with classes, and networks within cells, resampled."""
        classes = _multiplicities(self.present.shape[1], rng)
        networks = np.empty((RESAMPLES, len(self.cell)))
        for cell in np.unique(self.cell):
            members = np.flatnonzero(self.cell == cell)
            networks[:, members] = _multiplicities(len(members), rng)
        return (self.moments(classes) * networks).sum(-1)


def _multiplicities(n: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n is drawn in n draws with replacement, `[RESAMPLES, n]`."""
    return rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)


def _class_scores(classes: Classes, method: str) -> _ClassScores:
    """Scores within each network, over the classes with both measures; networks with too few of these are left out."""
    present = ~np.isnan(classes.predictor) & ~np.isnan(classes.memory)
    enough = present.sum(1) >= LEAST_CLASSES
    present, sides = present[enough], [side[enough] for side in (classes.predictor, classes.memory)]
    x, y = (np.zeros(present.shape) for _ in sides)
    for row, valid in enumerate(present):
        for out, side in zip((x, y), sides, strict=True):
            out[row, valid] = scores(side[row, valid], method)
    return _ClassScores(x, y, present.astype(float), classes.cell[enough])
