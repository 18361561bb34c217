"""Tables over the whole grid, gathered from those of its cells.

S networks, D delays, C classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from slowpoints.analysis.memory_score import half_life, memory_score
from slowpoints.core.modes import TRAINED
from slowpoints.core.schemas.kinds import CELL, NETWORK, TUNED_NETWORK, Kind
from slowpoints.core.tables import read_table
from slowpoints.task.timing import FRAMES

LOG_FLOOR = -12.0
"""Least log10 of a speed: below lies only rounding."""
LEAST_ACCURACY, LEAST_SHARE = 0.5, 0.8
"""A network has learned if its nominal accuracy reaches both the first and the second times its cell's median."""


def collate(paths: Iterable[str | Path], kind: Kind, seeds: dict[str, int]) -> pd.DataFrame:
    """One table of a kind over all cells and blocks, sorted by its key.

    Args:
        paths: a file for each block of each cell.
        kind: what tables they are.
        seeds: how many networks of each data set's cells belong to the study: seeds 0, 1, ... below that number.
    """
    table = pd.concat([read_table(path) for path in paths], ignore_index=True)
    table = table[table["seed"] < table["dataset"].map(seeds).astype(int)]
    return table.sort_values(list(kind.key), ignore_index=True)


def log10_floored(speeds: np.ndarray) -> np.ndarray:
    """log10 of speeds, not below `LOG_FLOOR`; NaN stays NaN."""
    return np.log10(np.maximum(speeds, 10.0**LOG_FLOOR))


def accuracy_by_delay(extrapolation: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Accuracy over all classes and trials: a row for each group of `by`, a column for each delay."""
    counts = extrapolation.groupby([*by, "delay"], dropna=False)[["n_correct", "n_trials"]].sum()
    return (counts["n_correct"] / counts["n_trials"]).unstack("delay")


def memory_measures(extrapolation: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """memory_score, half_life and half_life_reached of each group of `by`, which become columns.

    Data sets may differ in their delays and classes; where `by` names no data set, there must be one.
    """
    if "dataset" in by:
        parts = [_memory_of_one(rows, by) for _, rows in extrapolation.groupby("dataset", sort=False)]
        return pd.concat(parts, ignore_index=True)
    return _memory_of_one(extrapolation, by)


def _memory_of_one(extrapolation: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    curves = accuracy_by_delay(extrapolation, by)
    delays = curves.columns.to_numpy()
    classes = extrapolation["label"].nunique()
    lives = half_life(delays, curves.to_numpy(), chance=1 / classes, trained=FRAMES - 1)
    measures = {
        "memory_score": memory_score(delays, curves.to_numpy()),
        "half_life": lives,
        "half_life_reached": ~np.isnan(lives),
    }
    return pd.DataFrame(measures, index=curves.index).reset_index()


def point_predictors(points: pd.DataFrame) -> pd.DataFrame:
    """The slow-point table with every predictor of memory that the statistics compare, one column each.

    Speeds and lifetimes as log10 (speeds floored, lifetimes + 1), eigenvalue and number of unstable directions as
    they are.
    """
    names = {"speed": "log10_speed", "speed_1000": "log10_speed_1000", "centre_speed": "log10_centre_speed"}
    names["deep_speed"] = "log10_deep_speed"
    columns = {new: log10_floored(points[old].to_numpy(float)) for old, new in names.items()}
    columns["log10_lifetime"] = np.log10(points["lifetime"].to_numpy(float) + 1)
    return points.assign(**columns)


def as_trained(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the networks as trained."""
    return table[table["mode"] == TRAINED]


def network_table(accuracy: pd.DataFrame, extrapolation: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """The table `networks`: one row for each network as trained.

    Args:
        accuracy: table `accuracy`.
        extrapolation: table `extrapolation`.
        points: table `slow_points`.
    """
    accuracy, extrapolation, points = (as_trained(table) for table in (accuracy, extrapolation, points))
    table = accuracy.drop(columns=["mode", "lambda"])
    median = table.groupby(CELL)["nominal_accuracy"].transform("median")
    least = np.maximum(LEAST_ACCURACY, LEAST_SHARE * median)
    table["learned"] = table["nominal_accuracy"] >= least
    predictors = point_predictors(points)
    columns = ["log10_speed", "log10_centre_speed", "log10_deep_speed", "log10_lifetime"]
    speeds = ["centre_speed", "speed", "deep_speed"]
    means = predictors.groupby(NETWORK)[columns].mean().reset_index()
    floored = (points[speeds] < 10.0**LOG_FLOOR).sum(axis=1).groupby([points[name] for name in NETWORK]).sum()
    for other in (memory_measures(extrapolation, NETWORK), means, floored.rename("n_floored").reset_index()):
        table = table.merge(other, on=NETWORK, validate="1:1")
    return table


def regularisation_table(accuracy: pd.DataFrame, extrapolation: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """The table `regularisation`: measures of each network before and after each mode of fine-tuning.

    Args:
        accuracy: table `accuracy`.
        extrapolation: table `extrapolation`.
        points: table `slow_points`.
    """
    speeds = point_predictors(points).groupby(TUNED_NETWORK, dropna=False)["log10_speed"].mean().reset_index()
    measured = accuracy[[*TUNED_NETWORK, "nominal_accuracy"]]
    for other in (memory_measures(extrapolation, TUNED_NETWORK)[[*TUNED_NETWORK, "memory_score"]], speeds):
        measured = measured.merge(other, on=TUNED_NETWORK, validate="1:1")
    before = as_trained(measured).drop(columns=["mode", "lambda"])
    after = measured[measured["mode"] != TRAINED]
    return after.merge(before, on=NETWORK, suffixes=("_after", "_before"), validate="m:1")
