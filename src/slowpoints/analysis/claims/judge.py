"""Verdicts on claims.

Verdicts stand on rows pooled per data set and over all; rows of a cell, or of a data set and architecture, give
effect and interval only. Networks that did not learn are left out of all but C1, and counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from statsmodels.stats.multitest import multipletests

from slowpoints.analysis.claims.control import prolonged, surpassed
from slowpoints.analysis.claims.formation import formed
from slowpoints.analysis.claims.prediction import dose_and_response, predicted
from slowpoints.analysis.claims.protocols import alike, differing
from slowpoints.analysis.claims.rows import ALL, DATA_SET, Excluded, Row
from slowpoints.core.schemas.kinds import NETWORK
from slowpoints.core.schemas.study import CLAIMS

ALPHA = 0.05


def judge(
    networks: pd.DataFrame, correlations: pd.DataFrame, formation: pd.DataFrame, regularisation: pd.DataFrame
) -> pd.DataFrame:
    """The table `claims`.

    `p` is Holm-adjusted over the rows of a claim with the same kind of scope (cells, data set x architecture, data
    sets, all) and the same question, `p_unadjusted` is as the test gave it.

    Args:
        networks: table `networks`.
        correlations: table `correlations`.
        formation: table `formation`.
        regularisation: table `regularisation`.
    """
    learned = networks[networks["learned"]]
    tuned = regularisation.merge(learned[NETWORK], on=NETWORK)
    excluded = Excluded(networks)
    return judged(
        [
            *alike(networks),
            *differing(learned, excluded),
            *predicted(correlations, excluded),
            *dose_and_response(tuned, excluded),
            *prolonged(tuned, excluded),
            *formed(formation.merge(learned[NETWORK], on=NETWORK), excluded),
            *surpassed(tuned, excluded),
        ]
    )


def judged(rows: Sequence[Row]) -> pd.DataFrame:
    """The table of rows, their p adjusted and verdicts given."""
    table = pd.DataFrame([row.columns() for row in rows], columns=list(CLAIMS.columns))
    families = pd.DataFrame([(row.claim, row.kind, row.question) for row in rows])
    for _, family in families.groupby(list(families)):
        tested = family.index[table.loc[family.index, "p_unadjusted"].notna()]
        if len(tested):
            table.loc[tested, "p"] = multipletests(table.loc[tested, "p_unadjusted"].astype(float), method="holm")[1]
    judgeable = [row.claimed is not None and row.kind in (DATA_SET, ALL) for row in rows]
    table["verdict"] = [
        verdict(row, p) if given else None for row, p, given in zip(rows, table["p"], judgeable, strict=True)
    ]
    return table


def verdict(row: Row, p: float) -> str:
    """supported, contradicted or inconclusive, from the interval, what is claimed, and the adjusted p.

    Args:
        row: effect, interval and what is claimed. Finding no difference contradicts nothing where any is claimed.
        p: adjusted; of the claim itself where that is of no effect or no loss, else two-sided against no effect.
    """
    low, high = row.found.low, row.found.high
    if row.claimed == "none":
        if low > -row.margin and high < row.margin and p < ALPHA:
            return "supported"
        return "contradicted" if low > row.margin or high < -row.margin else "inconclusive"
    if row.claimed == "no loss":
        if low > -row.margin and p < ALPHA:
            return "supported"
        return "contradicted" if high < -row.margin else "inconclusive"
    positive, negative = low > 0, high < 0
    if not p < ALPHA or not (positive or negative):
        return "inconclusive"
    if row.claimed == "either":
        return "supported"
    return "supported" if positive == (row.claimed == "positive") else "contradicted"
