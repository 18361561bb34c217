"""C3: the speed of slow points predicts memory, over networks and over the fine-tuned copies of a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from slowpoints.analysis.claims.claim import Claim, Question
from slowpoints.analysis.claims.rows import POOLED, Excluded, Place, Row, Subject, agreeing, changed
from slowpoints.analysis.claims.wording import beginning, bounds, by_verdict, numbers
from slowpoints.analysis.comparisons import Effect
from slowpoints.analysis.over_cells import OverCells, correlation_over_cells
from slowpoints.core.schemas import study
from slowpoints.core.schemas.schema import CELL, NETWORK

LEAST_MODES = 3  # of a network that has a correlation over its modes
PREDICTOR = "log10_speed"
TESTS = {
    "mixed": "Spearman, permutation within data set x architecture, protocols mixed",
    "network": "Spearman, permutation within cells",
    "class": "Spearman, classes permuted in all networks at once",
}
"""Test of each question: networks of all protocols ranked together, as in the paper; networks ranked within cells,
which is stricter; and classes ranked within networks."""
STRATA = {"mixed": "architecture", "network": "cell", "class": "network"}
SCOPES = {
    "mixed": [CELL, CELL[:2], CELL[:1], []],
    "network": [CELL, CELL[:1], []],
    "class": [CELL, CELL[:1], []],
}
"""Columns that name each scope, by question."""
AMONG = {
    "mixed": "among networks of all protocols together, as in the paper",
    "network": "among networks that differ only in their seed",
    "class": "among the classes of a network",
}
"""What speed predicts memory among, by level of `correlations`."""
WEAK, STRONG = 0.3, 0.6
"""Absolute values from which rho is called moderate and strong."""
HETEROGENEOUS = 0.5
"""Value of I² from which cells are said to differ beyond chance."""


def predicted(correlations: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C3: log10 speed correlates negatively with memory, over networks with the protocols mixed and within cells, and
    over classes within networks.

    Args:
        correlations: table `correlations`.
        excluded: counts networks that did not learn.
    """
    chosen = correlations.query("predictor == @PREDICTOR and method == 'spearman'")
    for level, test in TESTS.items():
        for row in chosen[chosen["level"] == level].itertuples():
            place: Place = {column: name for column in CELL if isinstance(name := getattr(row, column), str)}
            if list(place) in SCOPES[level]:
                outcome = Effect(row.n, row.r, row.low, row.high, test, row.p)
                subject = Subject("C3", level, PREDICTOR, **place, stratum=STRATA[level])
                claim_row = Row(subject, outcome, "negative", excluded(**place))
                pools_cells = level == "network" and subject.level in POOLED
                yield replace(claim_row, cells=_by_cell(chosen, claim_row)) if pools_cells else claim_row


def _by_cell(chosen: pd.DataFrame, row: Row) -> OverCells:
    """The correlations within cells behind a pooled row, as a sample of cells."""
    cells = chosen[(chosen["level"] == "network") & chosen[CELL].notna().all(axis=1)].dropna(subset=["r"])
    for column, name in row.subject.place.items():
        cells = cells[cells[column] == name]
    r, n = cells["r"].to_numpy(float), cells["n"].to_numpy(float)
    return correlation_over_cells(r, n, agreeing(r, row))


def dose_and_response(tuned: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C3 over copies: whether the slower of the fine-tuned copies of a network remember longer.

    One value per network: Spearman's correlation of log10 speed with memory_score over its modes and lambdas, including
    control. There is no p: all networks share the same few modes, so a chance order of these repeats in every network,
    and a test over networks would not be valid.

    Args:
        tuned: table `regularisation` of the networks that learned.
        excluded: counts those that did not.
    """
    for speed in (PREDICTOR, "log10_settled_speed"):
        if f"{speed}_after" not in tuned:
            continue
        by_network = [
            dict(zip(NETWORK, key, strict=True)) | {speed: _spearman(copies, f"{speed}_after", "memory_score_after")}
            for key, copies in tuned.groupby(NETWORK, sort=False)
        ]
        table = pd.DataFrame(by_network, columns=[*NETWORK, speed])
        for row in changed(Subject("C3", "copies", speed, stratum="network"), table, excluded, claimed=None):
            test = "mean over networks of Spearman over these modes"
            yield replace(row, outcome=row.outcome._replace(test=test, p=np.nan))


def _spearman(table: pd.DataFrame, x: str, y: str) -> float:
    """Spearman's rho; NaN for too few rows, or if one column does not vary."""
    pair = table[[x, y]].dropna()
    if len(pair) < LEAST_MODES or (pair.nunique() < 2).any():
        return np.nan
    return float(stats.spearmanr(pair[x], pair[y]).statistic)


def sentences(rows: pd.DataFrame) -> Iterator[str]:
    """Whether speed predicts memory, and how strongly."""
    for row in rows.itertuples():
        size = abs(row.effect)
        strength = "weak" if size < WEAK else "moderate" if size < STRONG else "strong"
        outcome = by_verdict(
            row,
            f"the slower the slow points, the longer memory lasts (a {strength} correlation)",
            f"the slower the slow points, the shorter memory lasts (a {strength} correlation, against the claim)",
            "it is undecided whether speed predicts memory",
        )
        rho = "Spearman's ρ " if pd.notna(row.effect) else ""
        yield f"{beginning(row)} {outcome} {AMONG[row.question]}; {rho}{numbers(row)}{_scatter(row)}."


def _scatter(row: Any) -> str:
    """How much cells differ, and the prediction for a further cell."""
    if pd.isna(row.i2):
        return ""
    differ = "differ beyond chance" if row.i2 >= HETEROGENEOUS else "differ little beyond chance"
    mean = bounds(row.cells_low, row.cells_high)
    predicted = pd.notna(row.prediction_low)
    further = f", prediction interval for a further cell {bounds(row.prediction_low, row.prediction_high)}"
    return (
        f"; negative in {row.n_cells_agree:.0f} of {row.n_cells:.0f} cells, which {differ} (Q = {row.q:.1f}, "
        f"I² = {100 * row.i2:.0f} %; mean over cells {row.cells_effect:.3f} {mean}{further if predicted else ''})"
    ).replace("-", "−")


RHO = "Spearman's ρ with memory score"
C3 = Claim(
    name="C3",
    title="the speed of slow points predicts extrapolation",
    topic="Does the speed of slow points predict memory?",
    figure="speed_vs_memory",
    questions={level: Question(RHO, study.LEVELS[level]) for level in TESTS}
    | {"copies": Question(f"mean {RHO}", "copies of a network")},
    rows=lambda evidence: chain(
        predicted(evidence.correlations, evidence.excluded), dose_and_response(evidence.tuned, evidence.excluded)
    ),
    sentences=sentences,
    each_data_set=True,
)
