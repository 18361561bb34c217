"""The rule by which a mode's lambda is chosen, on the validation images alone."""

from __future__ import annotations

import pandas as pd

from slowpoints.core.modes import CONTROL
from slowpoints.core.schemas.schema import CELL, NETWORK

ACCURACY_ALLOWED = 0.005
"""Loss of nominal accuracy against control that a lambda may cost at most."""
FLOAT_ERROR = 1e-9
"""Of differences between accuracies: a loss of just what is allowed is allowed."""
COLUMNS = ["dataset", "mode", "lambda", "n_lambdas", "memory_gain", "accuracy_loss", "largest_loss"]


def swept_lambdas(validation: pd.DataFrame) -> pd.DataFrame:
    """What each lambda gains and costs against control, network by network, on the validation images.

    Means over networks within cells, then over cells, so that each cell counts alike.

    Args:
        validation: table `validation`.

    Returns:
        A row for each data set, mode and lambda, in this order: these, `memory_gain` (of the memory score),
        `accuracy_loss` (of nominal accuracy), and `largest_loss`, that of the worst cell.

    Raises:
        ValueError: naming a network that control does not have.
    """
    control = validation[validation["mode"] == CONTROL].drop(columns=["mode", "lambda"])
    tuned = validation[validation["mode"] != CONTROL]
    pairs = tuned.merge(control, on=NETWORK, how="left", suffixes=("", "_control"), validate="m:1")
    if len(alone := pairs[pairs["memory_score_control"].isna() & pairs["memory_score"].notna()]):
        place = "/".join(map(str, alone.iloc[0][NETWORK]))
        raise ValueError(f"the network {place} is not among those of mode {CONTROL}, with which modes are compared")
    pairs["memory_gain"] = pairs["memory_score"] - pairs["memory_score_control"]
    pairs["accuracy_loss"] = pairs["nominal_accuracy_control"] - pairs["nominal_accuracy"]
    cells = pairs.groupby([*CELL, "mode", "lambda"])[["memory_gain", "accuracy_loss"]].mean()
    by = cells.groupby(["dataset", "mode", "lambda"])
    return by.mean().assign(largest_loss=by["accuracy_loss"].max()).reset_index()


def chosen_lambdas(validation: pd.DataFrame) -> pd.DataFrame:
    """The lambda of each mode and data set by the rule, on the validation images.

    The largest gain in memory score against control, of all lambdas whose loss of nominal accuracy is at most
    `ACCURACY_ALLOWED`; the smallest of several that gain as much.

    Args:
        validation: table `validation`.

    Returns:
        A row for each data set and mode, with the columns `COLUMNS`: those of `swept_lambdas` at the chosen lambda,
        missing where none qualifies, and the number of lambdas that were tried.

    Raises:
        ValueError: as `swept_lambdas`.
    """
    swept = swept_lambdas(validation)
    tried = swept.groupby(["dataset", "mode"]).size().rename("n_lambdas").reset_index()
    harmless = swept[swept["accuracy_loss"] <= ACCURACY_ALLOWED + FLOAT_ERROR]
    best = harmless.sort_values(["memory_gain", "lambda"], ascending=[False, True])
    best = best.drop_duplicates(["dataset", "mode"])
    return tried.merge(best, on=["dataset", "mode"], how="left", validate="1:1")[COLUMNS]
