"""Rows of the table `claims`: selected by subject, and simulated."""

from __future__ import annotations

import pandas as pd

from slowpoints.analysis.claims.rows import Subject
from slowpoints.core.schemas.schema import CELL
from slowpoints.core.schemas.study import CLAIMS

VALUES = {"n": 8, "p": 0.0123, "p_unadjusted": 0.01, "n_excluded": 0, "test": "a test", "scope": "in words"}
VOCU_DECU = {"protocol": "vocu", "rival": "decu"}


def select(table, claim, **about):
    """Rows of a claim with these columns; data set, architecture and protocol must be null unless named."""
    rows = table[table["claim"] == claim]
    for column, value in (dict.fromkeys(CELL) | about).items():
        rows = rows[rows[column].isna() if value is None else rows[column] == value]
    return rows


def only(table, claim, **about):
    """The one row of a claim with these columns."""
    rows = select(table, claim, **about)
    assert len(rows) == 1, rows[["claim", "scope"]]
    return rows.iloc[0]


def made_up(*rows):
    """A table `claims` of (subject, effect, verdict), each with an interval of ± 0.1."""
    columns = [
        Subject(**about).columns()
        | VALUES
        | {"effect": effect, "low": effect - 0.1, "high": effect + 0.1, "verdict": said}
        for about, effect, said in rows
    ]
    return pd.DataFrame(columns, columns=list(CLAIMS.columns))


def about(claim, **columns):
    """The subject of a row of a claim: its usual question and measure, or others."""
    usual = {
        "C1": {"question": "alike", "measure": "nominal_accuracy", **VOCU_DECU},
        "C2": {"question": "differ", "measure": "memory_score", **VOCU_DECU},
        "C3": {"question": "network", "measure": "log10_speed"},
        "C4": {
            "question": "prolong",
            "measure": "memory_score",
            "mode": "settled",
            "lambda_": 300.0,
            "rival": "control",
        },
        "C5": {"question": "price", "measure": "price"},
        "C6": {
            "question": "surpass",
            "measure": "nominal_accuracy",
            "mode": "settled",
            "lambda_": 1.0,
            "rival": "control",
        },
        "C7": {"question": "beyond", "measure": "beyond_spectrum", "architecture": "mingru"},
    }
    return {"claim": claim, **usual[claim], **columns}
