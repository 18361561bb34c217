"""How much longer memories last with less noise: whether diffusion or drift ends them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from slowpoints.core.schemas.memory import QUIETER
from slowpoints.core.schemas.schema import CELL

CONFIDENCE = 0.95
COLUMNS = {name: f"half_life_{name}_noise" for name in QUIETER}
"""Columns of table `networks`, by the amount of noise (a key of `QUIETER`)."""


def half_life_ratios(networks: pd.DataFrame) -> pd.DataFrame:
    """Half-lives with less noise relative to those in full noise: a row for each cell and level of noise.

    A half-life beyond the longest delay counts as infinite. Networks whose half-life in full noise is beyond it have no
    ratio and are left out, as are those that did not learn.

    Args:
        networks: table `networks`; one without `COLUMNS`, from an older study, gives no rows.

    Returns:
        Columns of the cell, `noise` (a key of `QUIETER`), `n` networks, `n_beyond` of which have a half-life beyond the
        longest delay with less noise, the median `ratio` (infinite if most have), and its 95 % interval `low`, `high`
        (from order statistics; NaN for too few networks).
    """
    rows = []
    for noise, column in COLUMNS.items():
        if column not in networks:
            continue
        known = networks[networks["learned"].astype(bool) & networks["half_life"].notna()]
        ratios = (known[column] / known["half_life"]).fillna(np.inf)
        for cell, of_cell in ratios.groupby([known[name] for name in CELL], sort=False):
            interval = stats.quantile_test(of_cell, p=0.5).confidence_interval(CONFIDENCE)
            counts = {"n": len(of_cell), "n_beyond": int(np.isinf(of_cell).sum())}
            median = {"ratio": float(np.median(of_cell)), "low": interval.low, "high": interval.high}
            rows.append(dict(zip(CELL, cell, strict=True)) | {"noise": noise} | counts | median)
    return pd.DataFrame(rows, columns=[*CELL, "noise", "n", "n_beyond", "ratio", "low", "high"])


def longer_without_noise(networks: pd.DataFrame) -> list[str]:
    """What the ratios show, in a sentence for each data set.

    Args:
        networks: table `networks`.
    """
    sentences = []
    ratios = half_life_ratios(networks)
    for dataset, cells in ratios[ratios["noise"] == "no"].groupby("dataset", sort=False):
        longer = int((cells["low"] > 1).sum())
        half = ratios[(ratios["noise"] == "half") & (ratios["dataset"] == dataset)]
        parts = [
            f"{dataset}: half-lives are {_range(cells)} times as long without noise as with it, and {_range(half)} "
            "times as long with half of it (medians of cells)",
            f"noise shortens memory in {longer} of {len(cells)} cells (interval above 1)",
            f"without noise, {cells['n_beyond'].sum()} of {cells['n'].sum()} networks outlast the longest delay, and "
            "drift ends the memories of the others",
        ]
        sentences.append("; ".join(parts) + ".")
    return sentences


def _range(cells: pd.DataFrame) -> str:
    """Such as "1.30 to 2.03"."""
    least, most = (
        "immeasurably many" if np.isinf(value) else f"{value:.2f}"
        for value in (cells["ratio"].min(), cells["ratio"].max())
    )
    return least if least == most else f"{least} to {most}"
