"""Baselines for predictors of memory, which need no dynamics: accuracy early in the delay, and the protocol's label."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from slowpoints.core.schemas.schema import NETWORK

ACCURACIES = {f"accuracy_{delay}": delay for delay in (20, 34, 50, 100)}
"""Delay of each accuracy, by name; the second is the frame of settled states, 20 frames after the class centre."""
PROTOCOL = "protocol_label"


def class_accuracies(extrapolation: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Accuracy of each class early in the delay.

    Args:
        extrapolation: table `extrapolation`, mode trained.

    Returns:
        Columns of the network, label and each of `ACCURACIES`, measured at the longest delay that does not exceed
        its own; and, with a row per data set, the delay used for each, and the `longest` delay of all.

    Raises:
        ValueError: naming the data set, if all its delays are longer.
    """
    parts, measured = [], {}
    for dataset, rows in extrapolation.groupby("dataset", sort=False):
        delays = rows["delay"].unique()
        if delays.min() > min(ACCURACIES.values()):
            raise ValueError(
                f"delays of {dataset} start at {delays.min()}; one must be at most 20, the frames of a trial"
            )
        measured[dataset] = {name: delays[delays <= limit].max() for name, limit in ACCURACIES.items()}
        counts = rows.set_index([*NETWORK, "label", "delay"])
        wide = (counts["n_correct"] / counts["n_trials"]).unstack("delay")
        parts.append(pd.DataFrame({name: wide[delay] for name, delay in measured[dataset].items()}).reset_index())
        measured[dataset]["longest"] = delays.max()
    return pd.concat(parts, ignore_index=True), pd.DataFrame.from_dict(measured, orient="index")


def protocol_label(table: pd.DataFrame, stratum: Sequence[str]) -> pd.Series:
    """The protocol of each network as a number: its mean memory in the data set, relative to that of the strata.

    This is the best order of protocols in hindsight, for each data set separately. With two protocols, it only makes
    the correlation positive.

    Args:
        table: with the stratum's columns, `dataset`, `protocol` and `memory_score`.
        stratum: columns within which networks are ranked.
    """
    memory = table["memory_score"] - table.groupby(list(stratum))["memory_score"].transform("mean")
    return memory.groupby([table["dataset"], table["protocol"]]).transform("mean")
