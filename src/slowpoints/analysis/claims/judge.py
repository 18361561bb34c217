"""Verdicts on claims.

Rows pooled per data set and over all have verdicts; rows of a cell, or of a data set and architecture, have only an
effect and an interval. In claims about recurrent units, it is the rows of each unit of a data set that have verdicts.
Networks that did not learn are excluded from all claims except C1, and counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from slowpoints.analysis.claims import all_claims
from slowpoints.analysis.claims.claim import Evidence
from slowpoints.analysis.claims.rows import Excluded, Row
from slowpoints.analysis.claims.wording import UNDECIDED, scope_text
from slowpoints.analysis.lambdas import at_chosen_lambdas
from slowpoints.analysis.power import networks_needed
from slowpoints.core.arguments import table_columns
from slowpoints.core.schemas.schema import NETWORK, TUNED_NETWORK
from slowpoints.core.schemas.study import CLAIMS, CORRELATIONS

ALPHA = 0.05
FAMILY = ["claim", "level", "question"]


def judge(
    networks: pd.DataFrame,
    correlations: pd.DataFrame,
    formation: pd.DataFrame,
    regularisation: pd.DataFrame,
    validation: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The table `claims`.

    `p` is Holm-adjusted over the rows of a claim with the same level of scope (cells, data set x architecture, data
    sets, all) and the same question; `p_unadjusted` is the p of the test itself. `n_needed` is how many networks would
    decide an inconclusive row (`power.networks_needed`).

    Args:
        networks: table `networks`.
        correlations: table `correlations`.
        formation: table `formation`.
        regularisation: table `regularisation`.
        validation: table `validation`, from which the lambda of each mode is chosen; None in a study without a sweep.

    Raises:
        TypeError: if a table is not a data frame.
        ValueError: naming the table and the column that it lacks.
    """
    table_columns(networks, [*NETWORK, "learned", "nominal_accuracy", "memory_score"], "networks")
    table_columns(correlations, [*CORRELATIONS.key, "n", "r", "low", "high", "p"], "correlations")
    table_columns(formation, NETWORK, "formation")
    table_columns(regularisation, TUNED_NETWORK, "regularisation")
    if validation is not None:
        table_columns(validation, [*TUNED_NETWORK, "memory_score", "nominal_accuracy"], "validation")
    learned = networks[networks["learned"]]
    formation, tuned = (table.merge(learned[NETWORK], on=NETWORK) for table in (formation, regularisation))
    chosen = at_chosen_lambdas(tuned, validation)
    evidence = Evidence(networks, learned, correlations, formation, tuned, chosen, Excluded(networks))
    return judged([row for claim in all_claims().values() for row in claim.rows(evidence)])


def judged(rows: Sequence[Row]) -> pd.DataFrame:
    """The table `claims` from its rows: with adjusted p, verdicts, and scopes in words."""
    columns = [
        {
            **row.subject.columns(),
            **row.outcome._asdict(),
            **(row.cells._asdict() if row.cells else {}),
            "p_unadjusted": row.outcome.p,
            "p": np.nan,
            "n_excluded": row.n_excluded,
            "scope": scope_text(row.subject),
        }
        for row in rows
    ]
    from statsmodels.stats.multitest import multipletests  # seconds to import

    table = pd.DataFrame(columns, columns=list(CLAIMS.columns))
    for _, family in table.assign(level=[row.subject.level for row in rows]).groupby(FAMILY):
        tested = family.index[family["p_unadjusted"].notna()]
        if len(tested):
            table.loc[tested, "p"] = multipletests(table.loc[tested, "p_unadjusted"].astype(float), method="holm")[1]
    judgeable = [row.claimed is not None and row.subject.level in row.levels for row in rows]
    table["verdict"] = [
        verdict(row, p) if has_verdict else None
        for row, p, has_verdict in zip(rows, table["p"], judgeable, strict=True)
    ]
    undecided = table["verdict"] == UNDECIDED
    table["n_needed"] = [networks_needed(row) if open_ else np.nan for row, open_ in zip(rows, undecided, strict=True)]
    return table


def verdict(row: Row, p: float) -> str:
    """supported, contradicted or inconclusive, from the interval, what is claimed, and the adjusted p.

    Args:
        row: effect, interval and what is claimed. A claim of any difference cannot be contradicted.
        p: adjusted; of the claim itself if it claims no effect, loss or gain, otherwise two-sided against no effect.
    """
    low, high = row.outcome.low, row.outcome.high
    if row.claimed == "none":
        if low > -row.margin and high < row.margin and p < ALPHA:
            return "supported"
        return "contradicted" if low > row.margin or high < -row.margin else "inconclusive"
    if row.claimed == "no loss":
        if low > -row.margin and p < ALPHA:
            return "supported"
        return "contradicted" if high < -row.margin else "inconclusive"
    if row.claimed == "no gain":
        if high < row.margin and p < ALPHA:
            return "supported"
        return "contradicted" if low > row.margin else "inconclusive"
    positive, negative = low > 0, high < 0
    if not p < ALPHA or not (positive or negative):
        return "inconclusive"
    if row.claimed == "either":
        return "supported"
    return "supported" if positive == (row.claimed == "positive") else "contradicted"
