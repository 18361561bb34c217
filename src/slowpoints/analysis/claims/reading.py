"""Rows of the table `claims` that are reported to readers."""

from __future__ import annotations

import pandas as pd

ASKED = ["claim", "question", "measure", "protocol", "mode", "lambda_", "rival", "rival_lambda"]
"""Columns that identify what is tested in a place."""


def with_verdict(claims: pd.DataFrame) -> pd.DataFrame:
    """Rows with a verdict; with a single data set, without the rows over all, which would repeat it.

    Args:
        claims: table `claims`. Before version 2 it did not tell these apart: all rows with a verdict are returned.

    Returns:
        Rows of `claims`, with column `lambda` called `lambda_`.
    """
    rows = claims[claims["verdict"].notna()].rename(columns={"lambda": "lambda_"})
    if "dataset" not in rows or rows["dataset"].nunique() != 1:
        return rows
    over_all = rows["dataset"].isna()
    asked = pd.MultiIndex.from_frame(rows[ASKED].astype(str))
    return rows[~(over_all & asked.isin(asked[~over_all]))]
