"""The rule that chooses the lambda of a mode, from validation images alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from slowpoints.core.modes import CONTROL
from slowpoints.core.schemas.schema import CELL, NETWORK

ACCURACY_ALLOWED = 0.005
"""Largest loss of nominal accuracy, relative to control, that a lambda may cost."""
FLOAT_ERROR = 1e-9
"""Rounding error of differences between accuracies, so that a loss of exactly what is allowed qualifies."""
COLUMNS = ["dataset", "mode", "lambda", "n_lambdas", "memory_gain", "accuracy_loss", "largest_loss"]


def swept_lambdas(validation: pd.DataFrame) -> pd.DataFrame:
    """What each lambda gains and costs relative to control, on the validation images.

    Differences within networks are averaged over each cell, then over cells, so that all cells have the same weight.

    Args:
        validation: table `validation`.

    Returns:
        A row for each data set, mode and lambda, in this order: these, `memory_gain` (of the memory score),
        `accuracy_loss` (of nominal accuracy), and `largest_loss`, the accuracy loss of the worst cell.

    Raises:
        ValueError: naming a network that mode control lacks.
    """
    control = validation[validation["mode"] == CONTROL].drop(columns=["mode", "lambda"])
    tuned = validation[validation["mode"] != CONTROL]
    pairs = tuned.merge(control, on=NETWORK, how="left", suffixes=("", "_control"), validate="m:1")
    if len(unpaired := pairs[pairs["memory_score_control"].isna() & pairs["memory_score"].notna()]):
        place = "/".join(map(str, unpaired.iloc[0][NETWORK]))
        raise ValueError(f"the network {place} is not among those of mode {CONTROL}, with which modes are compared")
    pairs["memory_gain"] = pairs["memory_score"] - pairs["memory_score_control"]
    pairs["accuracy_loss"] = pairs["nominal_accuracy_control"] - pairs["nominal_accuracy"]
    cells = pairs.groupby([*CELL, "mode", "lambda"])[["memory_gain", "accuracy_loss"]].mean()
    by = cells.groupby(["dataset", "mode", "lambda"])
    return by.mean().assign(largest_loss=by["accuracy_loss"].max()).reset_index()


def chosen_lambdas(validation: pd.DataFrame) -> pd.DataFrame:
    """The lambda that the rule chooses for each data set and mode.

    Of all lambdas that cost at most `ACCURACY_ALLOWED` of nominal accuracy relative to control, it is the one that
    gains most memory score, and the smallest of several that gain as much.

    Args:
        validation: table `validation`.

    Returns:
        A row for each data set and mode, with the columns `COLUMNS`: those of `swept_lambdas` at the chosen lambda,
        missing if none qualifies, and the number of lambdas tried.

    Raises:
        ValueError: as `swept_lambdas`.
    """
    best = _best(validation)
    best.loc[best["harmful"], ["lambda", "memory_gain", "accuracy_loss", "largest_loss"]] = np.nan
    return best[COLUMNS]


def at_chosen_lambdas(tuned: pd.DataFrame, validation: pd.DataFrame | None) -> pd.DataFrame:
    """Rows of networks that were fine-tuned with the lambda that the rule chooses.

    A mode that has a single lambda on a data set keeps it. Where every lambda costs more accuracy than the rule allows,
    the one that costs least is taken, so that the mode is compared all the same.

    Args:
        tuned: table `regularisation`.
        validation: table `validation`; None in a study without a sweep, all of whose rows are returned.

    Raises:
        ValueError: as `swept_lambdas`.
    """
    if validation is None:
        return tuned
    by = ["dataset", "mode"]
    best = _best(validation)[[*by, "lambda"]].rename(columns={"lambda": "best"})
    best = tuned[by].merge(best, on=by, how="left", validate="m:1")["best"].set_axis(tuned.index)
    single = tuned.groupby(by)["lambda"].transform("nunique") <= 1
    return tuned[single | best.isna() | (tuned["lambda"] == best)]


def _best(validation: pd.DataFrame) -> pd.DataFrame:
    """The row of `swept_lambdas` that the rule prefers for each data set and mode, with the number of lambdas, and
    whether it is `harmful`: whether all of them cost more accuracy than is allowed."""
    swept = swept_lambdas(validation)
    swept["n_lambdas"] = swept.groupby(["dataset", "mode"])["lambda"].transform("size")
    harmful = ~(swept["accuracy_loss"] <= ACCURACY_ALLOWED + FLOAT_ERROR)
    swept = swept.assign(harmful=harmful, rank=swept["accuracy_loss"].where(harmful, -swept["memory_gain"]))
    best = swept.sort_values(["dataset", "mode", "harmful", "rank", "lambda"]).drop_duplicates(["dataset", "mode"])
    return best.drop(columns="rank").reset_index(drop=True)
