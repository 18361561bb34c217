"""Statistics: correlation within strata, its bootstrap interval and permutation test.

A stratum is a cell of the grid (networks compared with networks) or a network (classes compared with classes):
values are ranked or centred within each, so that differences between strata count for nothing. Intervals
resample networks within cells.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from slowpoints.storage import CELL
from slowpoints.streams import numpy_generator
from slowpoints.tables import NETWORK, memory_measures, point_predictors

RESAMPLES = 2000
PERMUTATIONS = 9999
CONFIDENCE = 0.95
LEAST_NETWORKS = 3  # fewer than these a cell have no correlation

PREDICTORS = (
    "log10_speed",  # primary: the authors' descent
    "log10_centre_speed",
    "log10_speed_1000",
    "log10_deep_speed",
    "leading",
    "n_unstable",
    "log10_lifetime",
)
METHODS = ("spearman", "pearson")
GROUPINGS = (tuple(CELL), ("dataset", "architecture"), ("dataset",), ("architecture",), ())
"""What correlations are pooled over: nothing, protocols, all but the data set, all but the architecture, all."""


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
        return np.where((xx > 1e-20) & (yy > 1e-20), xy / np.sqrt(xx * yy), np.nan)


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
    as_far = np.abs(permuted) >= abs(total[2]) * (1 - 1e-9)
    return (1 + as_far.sum()) / (1 + PERMUTATIONS)


def bootstrap(samples: Sequence[np.ndarray], statistic, rng: np.random.Generator) -> tuple[float, float]:
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

    def statistic(*resampled, axis=-1):
        return correlation(sum(moments(x[own], y[own], method) for (x, y), own in zip(cells, resampled, strict=True)))

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

    def statistic(*resampled, axis=-1):
        return correlation(sum(own[:, rows].sum(-1) for own, rows in zip(sums, resampled, strict=True)))

    rows = [np.arange(own.shape[1]) for own in sums]
    low, high = bootstrap(rows, statistic, rng)
    n = sum(len(x) for x, _ in networks)
    r = float(statistic(*rows))
    return {"n": n, "r": r, "low": low, "high": high, "p": permutation_p(networks, method, rng)}


def correlations(networks: pd.DataFrame, extrapolation: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """The table `correlations`: every predictor against memory, over networks and over classes within networks.

    Networks that did not learn are left out.

    Args:
        networks: table `networks`.
        extrapolation: table `extrapolation`, mode trained.
        points: table `slow_points`, mode trained.
    """
    learned = networks.loc[networks["learned"], [*NETWORK, "memory_score"]]
    by_class = memory_measures(extrapolation, [*NETWORK, "label"])[[*NETWORK, "label", "memory_score"]]
    predictors = point_predictors(points)[[*NETWORK, "label", *PREDICTORS]].astype(dict.fromkeys(PREDICTORS, float))
    by_class = by_class.merge(predictors, on=[*NETWORK, "label"]).merge(learned[NETWORK], on=NETWORK)
    by_network = learned.merge(predictors.groupby(NETWORK)[list(PREDICTORS)].mean().reset_index(), on=NETWORK)
    rows = []
    for grouping in GROUPINGS:
        for key in dict.fromkeys(zip(*(by_network[name] for name in grouping), strict=True)) if grouping else [()]:
            where = dict(zip(grouping, key, strict=True))
            for level, table, unit in (("network", by_network, CELL), ("class", by_class, NETWORK)):
                own = table.loc[(table[list(where)] == pd.Series(where)).all(axis=1)] if where else table
                for predictor in PREDICTORS:
                    rows += _rows(own, level, unit, predictor, where)
    table = pd.DataFrame(rows, columns=[*CELL, "level", "predictor", "method", "n", "r", "low", "high", "p"])
    return table.sort_values([*CELL, "level", "predictor", "method"], ignore_index=True)


def _rows(table: pd.DataFrame, level: str, unit: list[str], predictor: str, where: dict) -> list[dict]:
    table = table.dropna(subset=[predictor, "memory_score"])
    groups = [
        (key, group[predictor].to_numpy(float), group["memory_score"].to_numpy(float))
        for key, group in table.groupby(unit)
        if len(group) > 1
    ]
    rows = []
    for method in METHODS:
        rng = numpy_generator("correlation", level, predictor, method, *where.values())
        if level == "network":
            found = network_correlation([(x, y) for _, x, y in groups], method, rng)
        else:
            cells: dict[tuple, list] = {}
            for key, x, y in groups:
                cells.setdefault(key[:3], []).append((x, y))
            found = class_correlation(list(cells.values()), method, rng)
        rows.append(dict.fromkeys(CELL) | where | {"level": level, "predictor": predictor, "method": method} | found)
    return rows
