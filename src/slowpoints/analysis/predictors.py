"""The table `correlations`: every predictor of memory, over networks and over classes within networks."""

from __future__ import annotations

import pandas as pd

from slowpoints.analysis.aggregation import memory_measures, point_predictors
from slowpoints.analysis.correlation import METHODS, class_correlation, network_correlation
from slowpoints.core.schemas.kinds import CELL, NETWORK
from slowpoints.core.schemas.study import CORRELATIONS
from slowpoints.core.streams import numpy_generator

PREDICTORS = (
    "log10_speed",  # primary: the authors' descent
    "log10_centre_speed",
    "log10_speed_1000",
    "log10_deep_speed",
    "leading",
    "n_unstable",
    "log10_lifetime",
)
GROUPINGS = (tuple(CELL), ("dataset", "architecture"), ("dataset",), ("architecture",), ())
"""What correlations are pooled over: nothing, protocols, all but the data set, all but the architecture, all."""


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
            for level, table, stratum in (("network", by_network, CELL), ("class", by_class, NETWORK)):
                pooled = table.loc[(table[list(where)] == pd.Series(where)).all(axis=1)] if where else table
                for predictor in PREDICTORS:
                    rows += _rows(pooled, level, stratum, predictor, where)
    table = pd.DataFrame(rows, columns=list(CORRELATIONS.columns))
    return table.sort_values(list(CORRELATIONS.key), ignore_index=True)


def _rows(table: pd.DataFrame, level: str, stratum: list[str], predictor: str, where: dict) -> list[dict]:
    table = table.dropna(subset=[predictor, "memory_score"])
    groups = [
        (key, group[predictor].to_numpy(float), group["memory_score"].to_numpy(float))
        for key, group in table.groupby(stratum)
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
