"""C1 and C2: protocols reach similar accuracy, and differ in how far memory extrapolates."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from slowpoints.analysis.claims.rows import Excluded, Row, compared, contrasts
from slowpoints.analysis.comparisons import equivalence

MARGIN = 0.03
"""Difference in nominal accuracy between protocols that counts as none."""


def alike(networks: pd.DataFrame) -> Iterator[Row]:
    """C1: protocols reach similar nominal accuracy; networks that did not learn included."""
    for pair in contrasts(networks, "nominal_accuracy"):
        yield Row("C1", pair.kind, pair.scope, equivalence(pair.strata, MARGIN), "none", 0, margin=MARGIN)


def differing(learned: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C2: protocols differ in memory_score."""
    return compared("C2", learned, "memory_score", excluded)
