"""Rows of the table `claims` that readers are told of."""

from __future__ import annotations

import pandas as pd

ASKED = ["claim", "question", "measure", "protocol", "mode", "lambda_", "rival", "rival_lambda"]
"""Columns that say what is asked in a place."""


def with_verdict(claims: pd.DataFrame) -> pd.DataFrame:
    """Rows with a verdict; where there is one data set alone, without those that say the same of all.

    Args:
        claims: table `claims`. Of one before version 2, which says in `scope` alone what rows are about, all are given.

    Returns:
        Rows of `claims`, with column `lambda` called `lambda_`.
    """
    rows = claims[claims["verdict"].notna()].rename(columns={"lambda": "lambda_"})
    if "dataset" not in rows or rows["dataset"].nunique() != 1:
        return rows
    over_all = rows["dataset"].isna()
    asked = pd.MultiIndex.from_frame(rows[ASKED].astype(str))
    return rows[~(over_all & asked.isin(asked[~over_all]))]
