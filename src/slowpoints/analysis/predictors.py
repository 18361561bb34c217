"""The table `correlations`: every predictor of memory, over networks and over classes within networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import pandas as pd

from slowpoints.analysis.aggregation import class_memory, point_predictors
from slowpoints.analysis.correlation import METHODS, Classes, NetworkCorrelation, class_correlation
from slowpoints.core.arguments import table_columns
from slowpoints.core.schemas.schema import CELL, NETWORK
from slowpoints.core.schemas.study import CORRELATIONS
from slowpoints.core.streams import numpy_generator

PRIMARY = "log10_speed"
"""The authors' descent: the paper's predictor, with which the others are compared."""
PREDICTORS = {
    PRIMARY: -1,
    "log10_centre_speed": -1,
    "log10_speed_1000": -1,
    "log10_deep_speed": -1,
    "log10_settled_speed": -1,
    "log10_drift": -1,
    "log10_settled_drift": -1,
    "leading": -1,
    "n_unstable": -1,
    "path_distance": -1,
    "margin": 1,
    "log10_margin_time": 1,
    "log10_point_lifetime": 1,
    "log10_lifetime": 1,
}
"""Predictors of points, and whether memory is expected to fall (-1) or rise (1) with them."""
OF_NETWORKS = {"memory_score_half_noise": 1, "memory_score_no_noise": 1}
"""Predictors that a network has as a whole."""
STRATUM = ["dataset", "architecture"]
STRATA = {"network": CELL, "mixed": STRATUM}
"""Within what networks are ranked at each level: a cell, or with the protocols mixed."""
GROUPINGS = (tuple(CELL), tuple(STRATUM), ("dataset",), ("architecture",), ())
"""What correlations are pooled over: nothing, protocols, all but the data set, all but the architecture, all."""


def correlations(networks: pd.DataFrame, extrapolation: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """The table `correlations`: every predictor against memory, over networks and over classes within networks.

    Networks that did not learn are left out. A class without a slow point counts on neither side: a network's memory is
    here the mean over the classes that have one.

    Args:
        networks: table `networks`.
        extrapolation: table `extrapolation`, mode trained.
        points: table `slow_points`, mode trained.

    Raises:
        TypeError: if one of them is no data frame.
        ValueError: naming the table and the column that it lacks.
    """
    table_columns(networks, [*NETWORK, "learned"], "networks")
    table_columns(extrapolation, [*NETWORK, "delay", "label", "n_trials", "n_correct"], "extrapolation")
    table_columns(points, [*NETWORK, "label", "speed"], "points")
    learned = networks[networks["learned"]]
    predictors = point_predictors(points)
    names = [name for name in PREDICTORS if name in predictors]
    predictors = predictors[[*NETWORK, "label", *names]].astype(dict.fromkeys(names, float))
    by_class = class_memory(extrapolation).merge(predictors, on=[*NETWORK, "label"]).merge(learned[NETWORK], on=NETWORK)
    there = by_class[by_class[PRIMARY].notna()]
    by_network = there.groupby(NETWORK)[[*names, "memory_score"]].mean().reset_index()
    wholes = [name for name in OF_NETWORKS if name in learned]
    by_network = by_network.merge(learned[[*NETWORK, *wholes]], on=NETWORK)
    rows: list[dict] = []
    for grouping in GROUPINGS:
        for where in _groups(by_network, grouping):
            rows += _over_networks(_within(by_network, where), [*names, *wholes], where)
            rows += _over_classes(_within(there, where), names, where)
    table = pd.DataFrame(rows, columns=list(CORRELATIONS.columns))
    return table.sort_values(list(CORRELATIONS.key), ignore_index=True)


def _groups(table: pd.DataFrame, grouping: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Every group of a grouping that occurs, by name."""
    if not grouping:
        yield {}
        return
    for key in dict.fromkeys(zip(*(table[name] for name in grouping), strict=True)):
        yield dict(zip(grouping, key, strict=True))


def _within(table: pd.DataFrame, where: dict[str, str]) -> pd.DataFrame:
    return table.loc[(table[list(where)] == pd.Series(where)).all(axis=1)]


def _row(where: dict[str, str], level: str, predictor: str, method: str) -> dict:
    return dict.fromkeys(CELL) | where | {"level": level, "predictor": predictor, "method": method}


def _over_networks(table: pd.DataFrame, names: list[str], where: dict[str, str]) -> Iterator[dict]:
    """Rows over networks within cells, and with the protocols mixed where several are pooled."""
    several = table.groupby(STRATUM)["protocol"].nunique().max() > 1
    for level in ("network", "mixed") if several else ("network",):
        for predictor in names:
            pair = dict.fromkeys((predictor, PRIMARY))
            complete = table.dropna(subset=list(pair))
            strata = [
                [
                    tuple(cell[name].to_numpy(float) for name in (*pair, "memory_score"))
                    for _, cell in group.groupby(CELL)
                ]
                for _, group in complete.groupby(STRATA[level])
            ]
            for method in METHODS:
                names_of = ("correlation", level, predictor, method, *where.values())
                found = NetworkCorrelation(strata, method)
                row = _row(where, level, predictor, method) | asdict(found.of(0, numpy_generator(*names_of)))
                if predictor != PRIMARY:
                    signs = ((PREDICTORS | OF_NETWORKS)[predictor], PREDICTORS[PRIMARY])
                    more = found.difference(0, 1, signs, numpy_generator("difference", *names_of))
                    row |= dict(zip(("difference", "difference_low", "difference_high"), more, strict=True))
                yield row


def _over_classes(table: pd.DataFrame, names: list[str], where: dict[str, str]) -> Iterator[dict]:
    """Rows over classes within networks; a class counts as long as it is remembered and not merely reported."""
    for predictor in names:
        datasets = []
        for _, group in table.groupby("dataset"):
            wide = group.pivot_table(index=NETWORK, columns="label", values=[predictor, "class_score"], dropna=False)
            wide = wide[wide[[predictor, "class_score"]].notna().any(axis=1)]
            cell, _ = pd.factorize(wide.index.droplevel("seed"))
            datasets.append(Classes(wide[predictor].to_numpy(float), wide["class_score"].to_numpy(float), cell))
        for method in METHODS:
            rng = numpy_generator("correlation", "class", predictor, method, *where.values())
            yield _row(where, "class", predictor, method) | asdict(class_correlation(datasets, method, rng))
