"""C3: the speed of slow points predicts memory, from network to network and from change to change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd
from scipy import stats

from slowpoints.analysis.claims.claim import Claim, Question
from slowpoints.analysis.claims.rows import POOLED, Excluded, Place, Row, Subject, agreeing, changed
from slowpoints.analysis.claims.wording import beginning, by_verdict, numbers
from slowpoints.analysis.comparisons import Effect
from slowpoints.analysis.names import AMONG
from slowpoints.analysis.over_cells import OverCells, correlation_over_cells
from slowpoints.core.schemas import study
from slowpoints.core.schemas.schema import CELL, NETWORK

LEAST_MODES = 3  # fewer points a network have no correlation
PREDICTOR = "log10_speed"
WITHIN = {"mixed": "data set x architecture, protocols mixed", "network": "cells"}
"""Within what networks are ranked: as the paper has it, its protocols giving the range; and the stricter question."""
STRATA = {"mixed": "architecture", "network": "cell"}
SCOPES = {"mixed": [CELL, CELL[:2], CELL[:1], []], "network": [CELL, CELL[:1], []]}
"""Columns that name the scopes of which there are rows."""
WEAK, STRONG = 0.3, 0.6
"""Sizes of rho, from which on it is called moderate, and strong."""


def predicted(correlations: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C3 over networks: log10 speed falls where memory_score rises, with the protocols mixed and within cells.

    Args:
        correlations: table `correlations`.
        excluded: counts networks that did not learn.
    """
    chosen = correlations.query("predictor == @PREDICTOR and method == 'spearman'")
    for level, within in WITHIN.items():
        for row in chosen[chosen["level"] == level].itertuples():
            place: Place = {column: name for column in CELL if isinstance(name := getattr(row, column), str)}
            if list(place) in SCOPES[level]:
                outcome = Effect(row.n, row.r, row.low, row.high, f"Spearman, permutation within {within}", row.p)
                subject = Subject("C3", level, PREDICTOR, **place, stratum=STRATA[level])
                made = Row(subject, outcome, "negative", excluded(**place))
                yield (
                    replace(made, cells=_by_cell(chosen, made))
                    if level == "network" and subject.level in POOLED
                    else made
                )


def _by_cell(chosen: pd.DataFrame, row: Row) -> OverCells:
    """Correlations within the cells of a pooled row as a sample."""
    cells = chosen[(chosen["level"] == "network") & chosen[CELL].notna().all(axis=1)].dropna(subset=["r"])
    for column, name in row.subject.place.items():
        cells = cells[cells[column] == name]
    r, n = cells["r"].to_numpy(float), cells["n"].to_numpy(float)
    return correlation_over_cells(r, n, agreeing(r, row))


def dose_and_response(tuned: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C3 over changes: whether of all fine-tuned copies of a network the slower remember longer.

    One value a network: Spearman's correlation of log10 speed with memory_score over its modes and lambdas, control
    among them. Effect and interval only: all networks share their few modes, and a chance order of these would repeat
    in every network, so no test over networks is one.

    Args:
        tuned: table `regularisation` of the networks that learned.
        excluded: counts those that did not.
    """
    for speed in (PREDICTOR, "log10_settled_speed"):
        if f"{speed}_after" not in tuned:
            continue
        within = [
            dict(zip(NETWORK, key, strict=True)) | {speed: _spearman(copies, f"{speed}_after", "memory_score_after")}
            for key, copies in tuned.groupby(NETWORK, sort=False)
        ]
        table = pd.DataFrame(within, columns=[*NETWORK, speed])
        for row in changed(Subject("C3", "copies", speed, stratum="network"), table, excluded, claimed=None):
            test = "mean over networks of Spearman over these modes"
            yield replace(row, outcome=row.outcome._replace(test=test, p=np.nan))


def _spearman(table: pd.DataFrame, x: str, y: str) -> float:
    """NaN for too few rows, or where one side does not vary."""
    pair = table[[x, y]].dropna()
    if len(pair) < LEAST_MODES or (pair.nunique() < 2).any():
        return np.nan
    return float(stats.spearmanr(pair[x], pair[y]).statistic)


def sentences(rows: pd.DataFrame) -> Iterator[str]:
    """Whether, and how strongly, speed predicts memory."""
    for row in rows.itertuples():
        size = abs(row.effect)
        strength = "weak" if size < WEAK else "moderate" if size < STRONG else "strong"
        outcome = by_verdict(
            row,
            f"the slower the slow points, the longer memory lasts (a {strength} correlation)",
            f"the slower the slow points, the shorter memory lasts (a {strength} correlation, against the claim)",
            "it is undecided whether speed predicts memory",
        )
        yield f"{beginning(row)} {outcome} {AMONG[row.question]}; Spearman's ρ {numbers(row)}."


RHO = "Spearman's ρ with memory score"
C3 = Claim(
    name="C3",
    title="the speed of slow points predicts extrapolation",
    topic="Does the speed of slow points predict memory?",
    figure="speed_vs_memory",
    questions={level: Question(RHO, study.LEVELS[level]) for level in WITHIN}
    | {"copies": Question(f"mean {RHO}", "copies of a network")},
    rows=lambda evidence: chain(
        predicted(evidence.correlations, evidence.excluded), dose_and_response(evidence.tuned, evidence.excluded)
    ),
    sentences=sentences,
    each_data_set=True,
)
