"""C3: the speed of slow points predicts memory, from network to network and from change to change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from slowpoints.analysis.claims.rows import ALL, DATA_SET, SINGLE, STRATUM, Excluded, Row, changed
from slowpoints.analysis.comparisons import Effect
from slowpoints.core.schemas.kinds import NETWORK
from slowpoints.core.schemas.study import LEVELS

LEAST_MODES = 3  # fewer points a network have no correlation
KINDS: dict[tuple[bool, ...], str] = {
    (True, True, True): SINGLE,
    (True, True, False): STRATUM,
    (True, False, False): DATA_SET,
    (False, False, False): ALL,
}
"""Kind of scope by which of data set, architecture and protocol it names; those left out are of no kind."""
WITHIN = {"mixed": "data set x architecture, protocols mixed", "network": "cells"}
"""Within what networks are ranked: as the paper has it, its protocols giving the range; and the stricter question."""


def predicted(correlations: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C3 over networks: log10 speed falls where memory_score rises, with the protocols mixed and within cells.

    Args:
        correlations: table `correlations`.
        excluded: counts networks that did not learn.
    """
    chosen = correlations.query("predictor == 'log10_speed' and method == 'spearman'")
    for level, within in WITHIN.items():
        for row in chosen[chosen["level"] == level].itertuples():
            names = [name if isinstance(name, str) else None for name in (row.dataset, row.architecture, row.protocol)]
            kind = KINDS.get(tuple(name is not None for name in names))
            if kind is None or (kind == STRATUM and level == "network"):
                continue
            place = "/".join(name for name in names if name) or ALL
            found = Effect(row.n, row.r, row.low, row.high, f"Spearman, permutation within {within}", row.p)
            yield Row("C3", kind, f"{place}: {LEVELS[level]}", found, "negative", excluded(*names), question=level)


def dose_and_response(tuned: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C3 over changes: whether of all fine-tuned copies of a network the slower remember longer.

    One value a network: Spearman's correlation of log10 speed with memory_score over its modes and lambdas, control
    among them. Effect and interval only: all networks share their few modes, and a chance order of these would repeat
    in every network, so no test over networks is one.

    Args:
        tuned: table `regularisation` of the networks that learned.
        excluded: counts those that did not.
    """
    for speed, name in (("log10_speed", "speed of slow points"), ("log10_settled_speed", "settled speed")):
        if f"{speed}_after" not in tuned:
            continue
        within = [
            dict(zip(NETWORK, key, strict=True)) | {"rho": _spearman(copies, f"{speed}_after", "memory_score_after")}
            for key, copies in tuned.groupby(NETWORK, sort=False)
        ]
        table = pd.DataFrame(within, columns=[*NETWORK, "rho"])
        what = f": copies of a network, {name}"
        for row in changed("C3", table, "rho", excluded, claimed=None, what=what):
            test = "mean over networks of Spearman over these modes"
            yield replace(row, found=row.found._replace(test=test, p=np.nan))


def _spearman(table: pd.DataFrame, x: str, y: str) -> float:
    """NaN for too few rows, or where one side does not vary."""
    pair = table[[x, y]].dropna()
    if len(pair) < LEAST_MODES or (pair.nunique() < 2).any():
        return np.nan
    return float(stats.spearmanr(pair[x], pair[y]).statistic)
