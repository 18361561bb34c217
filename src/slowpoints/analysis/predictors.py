"""The table `correlations`: every predictor of memory, over networks and over classes within networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from slowpoints.analysis.aggregation import (
    CENTRE_FRAME,
    as_trained,
    class_memory,
    early_margin_time,
    point_predictors,
)
from slowpoints.analysis.baselines import ACCURACIES, PROTOCOL, class_accuracies, protocol_label
from slowpoints.analysis.correlation import METHODS, Classes, NetworkCorrelation, class_correlation
from slowpoints.core.arguments import table_columns
from slowpoints.core.looks import Look
from slowpoints.core.schemas.schema import CELL, NETWORK
from slowpoints.core.schemas.study import CORRELATIONS
from slowpoints.core.streams import numpy_generator

DIGITS = 12  # of mean accuracies: equal counts must tie, whatever the order of summation
LONGEST = -1
"""`last_frame` of a predictor that looks at every frame up to the longest delay or beyond."""


@dataclass(frozen=True)
class Predictor:
    """A predictor of memory.

    Attributes:
        look: its name in figures and reports.
        sign: whether memory is expected to fall (-1) or rise (1) with it.
        last_frame: last frame of the delay that it uses, or `LONGEST`; None if it uses none.
    """

    look: Look
    sign: int
    last_frame: int | None = None


PRIMARY = "log10_speed"
"""Speed after the authors' descent: the paper's predictor, with which all others are compared."""
SETTLED_FRAME = CENTRE_FRAME + 20
PREDICTORS = {
    PRIMARY: Predictor(Look("speed of slow point"), -1),
    "log10_centre_speed": Predictor(Look("speed at class centre"), -1, CENTRE_FRAME + 1),
    "log10_speed_1000": Predictor(Look("speed after 1,000 steps of descent"), -1),
    "log10_deep_speed": Predictor(Look("speed after deep search"), -1),
    "log10_settled_speed": Predictor(Look("settled speed"), -1, SETTLED_FRAME + 1),
    "log10_drift": Predictor(Look("drift at slow point"), -1),
    "log10_settled_drift": Predictor(Look("drift at settled state"), -1, SETTLED_FRAME + 1),
    "leading": Predictor(Look("leading eigenvalue"), -1),
    "n_unstable": Predictor(Look("unstable directions"), -1),
    "path_distance": Predictor(Look("slow point's distance from path"), -1, LONGEST),
    "margin": Predictor(Look("readout margin"), 1, SETTLED_FRAME),
    "log10_margin_time_20": Predictor(Look("margin time at settled state"), 1, SETTLED_FRAME),
    "log10_margin_time": Predictor(Look("margin time at frame 100"), 1, CENTRE_FRAME + 101),
    "log10_point_lifetime": Predictor(Look("lifetime from slow point"), 1, LONGEST),
    "log10_lifetime": Predictor(Look("lifetime from class centre"), 1, LONGEST),
    "log10_predicted_lifetime": Predictor(Look("predicted lifetime in noise"), 1, LONGEST),
}
"""Predictors with a value for each class; those that a study did not measure have no rows."""
OF_NETWORKS = {
    "memory_score_half_noise": Predictor(Look("memory score at half the noise"), 1, LONGEST),
    "memory_score_no_noise": Predictor(Look("memory score without noise"), 1, LONGEST),
}
"""Predictors with a value for each network only."""
BASELINES = {
    **{name: Predictor(Look(f"accuracy at delay {delay}"), 1, delay) for name, delay in ACCURACIES.items()},
    PROTOCOL: Predictor(Look("protocol's label"), 1),
}
"""Predictors that need no dynamics: accuracy early in the delay and, with the protocols mixed, their label."""
KNOWN = PREDICTORS | OF_NETWORKS | BASELINES
"""All predictors, in the order that figures and tables give to those that use the same frames."""
STRATUM = ["dataset", "architecture"]
STRATA = {"network": CELL, "mixed": STRATUM}
"""Columns within which networks are ranked at each level: within cells, or with the protocols mixed."""
Values = dict[str, np.ndarray]
"""Columns of the networks of a cell, `[n]` each."""
GROUPINGS = (tuple(CELL), tuple(STRATUM), ("dataset",), ("architecture",), ())
"""Groups within which correlations are computed: cells, strata, data sets, architectures, and all networks."""


def predictor_name(predictor: str) -> str:
    """Name of a predictor in figures and reports; its column if it is not known."""
    return KNOWN[predictor].look.label if predictor in KNOWN else predictor


def baseline_of(predictor: str, level: str) -> str | None:
    """The baseline that a predictor must beat: the latest accuracy that looks no further into the delay.

    If there is no such accuracy, it is the protocol's label with the protocols mixed, and None within cells. It is also
    None for baselines, and for predictors that look at every delay, since no baseline looks as far.
    """
    if predictor in BASELINES:
        return None
    last = KNOWN[predictor].last_frame
    if last == LONGEST:
        return None
    earlier = [name for name, delay in ACCURACIES.items() if last is not None and delay <= last]
    return earlier[-1] if earlier else PROTOCOL if level == "mixed" else None


def correlations(
    networks: pd.DataFrame,
    extrapolation: pd.DataFrame,
    points: pd.DataFrame,
    relaxation: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The table `correlations`: every predictor against memory, over networks and over classes within networks.

    Networks that did not learn are excluded. A class without a slow point is excluded from both variables: the memory
    of a network is here the mean over the classes that have one.

    Args:
        networks: table `networks`.
        extrapolation: table `extrapolation`, mode trained.
        points: table `slow_points`, mode trained.
        relaxation: table `relaxation`, mode trained; without it there is no `log10_margin_time_20`.

    Raises:
        TypeError: if a table is not a data frame.
        ValueError: naming the table and the column that it lacks.
    """
    table_columns(networks, [*NETWORK, "learned"], "networks")
    table_columns(extrapolation, [*NETWORK, "delay", "label", "n_trials", "n_correct"], "extrapolation")
    table_columns(points, [*NETWORK, "label", "speed"], "points")
    if relaxation is not None:
        table_columns(relaxation, [*NETWORK, "label", "frame", "margin"], "relaxation")
        points = points.merge(early_margin_time(relaxation), "left", on=[*NETWORK, "label"])
    learned = networks[networks["learned"]]
    predictors = point_predictors(points)
    measured = predictors.columns[predictors.notna().any()]
    names = [name for name in PREDICTORS if name == PRIMARY or name in measured]
    predictors = predictors[[*NETWORK, "label", *names]].astype(dict.fromkeys(names, float))
    by_class = class_memory(extrapolation).merge(predictors, on=[*NETWORK, "label"]).merge(learned[NETWORK], on=NETWORK)
    accuracies, delays = class_accuracies(extrapolation)
    with_point = by_class[by_class[PRIMARY].notna()].merge(accuracies, on=[*NETWORK, "label"])
    by_network = with_point.groupby(NETWORK)[[*names, *ACCURACIES, "memory_score"]].mean().reset_index()
    by_network = by_network.round(dict.fromkeys(ACCURACIES, DIGITS))
    of_networks = [name for name in OF_NETWORKS if name in learned]
    by_network = by_network.merge(learned[[*NETWORK, *of_networks]], on=NETWORK)
    rows: list[dict] = []
    for grouping in GROUPINGS:
        for where in _groups(by_network, grouping):
            of_place = _within(by_network, where)
            place_rows = [*_over_networks(of_place, [*names, *of_networks, *ACCURACIES], where)]
            place_rows += _over_classes(_within(with_point, where), names, where)
            furthest = delays.loc[of_place["dataset"].unique()].max()
            rows += [row | {"last_frame": _last_frame(row["predictor"], furthest)} for row in place_rows]
    table = pd.DataFrame(rows, columns=list(CORRELATIONS.columns))
    return table.sort_values(list(CORRELATIONS.key), ignore_index=True)


def study_correlations(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """`correlations` of a study's trained networks.

    Args:
        tables: tables of the study by name; older studies may lack `relaxation`.
    """
    names = [name for name in ("extrapolation", "slow_points", "relaxation") if name in tables]
    return correlations(tables["networks"], *(as_trained(tables[name]) for name in names))


def _last_frame(predictor: str, delays: pd.Series) -> float | None:
    """Last frame of the delay that a predictor uses; for an accuracy, the delay at which it was measured.

    Args:
        predictor: its name.
        delays: delay of each accuracy by name, and the `longest` delay of all.
    """
    if predictor in ACCURACIES:
        return delays[predictor]
    last = KNOWN[predictor].last_frame
    return delays["longest"] if last == LONGEST else last


def _groups(table: pd.DataFrame, grouping: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Every group of a grouping: the values of its columns, by name."""
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
    """Rows over networks within cells and, if several protocols are pooled, with the protocols mixed."""
    mixed = table.groupby(STRATUM)["protocol"].nunique().max() > 1
    table = table.assign(**{PROTOCOL: protocol_label(table, STRATUM)})
    for level in ("network", "mixed") if mixed else ("network",):
        predictors = [*names, PROTOCOL] if level == "mixed" else names
        strata = _strata(table, level, [*dict.fromkeys([*predictors, PRIMARY]), "memory_score"])
        for predictor in predictors:
            for method in METHODS:
                yield _row(where, level, predictor, method) | _over(strata, level, predictor, method, where)


def _strata(table: pd.DataFrame, level: str, columns: list[str]) -> list[list[Values]]:
    """Columns of the networks of each cell, stratum by stratum."""
    return [
        [{name: cell[name].to_numpy(float) for name in columns} for _, cell in group.groupby(CELL)]
        for _, group in table.groupby(STRATA[level])
    ]


def _over(strata: list[list[Values]], level: str, predictor: str, method: str, where: dict[str, str]) -> dict:
    """Correlation of a predictor with memory, its difference from PRIMARY's and, by rank, from its baseline's."""
    names = (level, predictor, method, *where.values())
    beside_speed = _correlation(strata, method, predictor, PRIMARY)
    columns = asdict(beside_speed.of(0, numpy_generator("correlation", *names)))
    if predictor != PRIMARY:
        columns |= _difference(beside_speed, predictor, PRIMARY, "difference", names)
    baseline = baseline_of(predictor, level)
    if baseline and method == "spearman":
        beside_baseline = _correlation(strata, method, predictor, baseline)
        columns |= {"baseline": baseline} | _difference(
            beside_baseline, predictor, baseline, "baseline_difference", names
        )
    return columns


def _correlation(strata: list[list[Values]], method: str, *predictors: str) -> NetworkCorrelation:
    """Correlations over the networks that have all these predictors, ranked or centred within strata."""
    names = [*dict.fromkeys(predictors), "memory_score"]
    chosen = [[tuple(_complete(np.stack([cell[name] for name in names]))) for cell in cells] for cells in strata]
    return NetworkCorrelation([[cell for cell in cells if len(cell[-1])] for cells in chosen], method)


def _complete(values: np.ndarray) -> np.ndarray:
    """Values `[measures, n]` of the networks that have every predictor; memory comes last."""
    return values[:, ~np.isnan(values[:-1]).any(0)]


def _difference(pair: NetworkCorrelation, predictor: str, other: str, name: str, names: tuple) -> dict[str, float]:
    """Columns of the difference in strength between a predictor and another, the two of `pair`."""
    signs = KNOWN[predictor].sign, KNOWN[other].sign
    interval = pair.difference(0, 1, signs, numpy_generator(name, "correlation", *names))
    return dict(zip((name, f"{name}_low", f"{name}_high"), interval, strict=True))


def _over_classes(table: pd.DataFrame, names: list[str], where: dict[str, str]) -> Iterator[dict]:
    """Rows over classes within networks; memory of a class is its hits minus false alarms."""
    tables = [
        group.pivot_table(index=NETWORK, columns="label", values=[*names, "class_score"], dropna=False)
        for _, group in table.groupby("dataset")
    ]
    for predictor in names:
        datasets = []
        for measured in tables:
            wide = measured[[predictor, "class_score"]].dropna(how="all")
            cell, _ = pd.factorize(wide.index.droplevel("seed"))
            datasets.append(Classes(wide[predictor].to_numpy(float), wide["class_score"].to_numpy(float), cell))
        for method in METHODS:
            rng = numpy_generator("correlation", "class", predictor, method, *where.values())
            yield _row(where, "class", predictor, method) | asdict(class_correlation(datasets, method, rng))
