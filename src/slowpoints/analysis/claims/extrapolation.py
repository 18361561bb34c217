"""C2: protocols differ in how far memory extrapolates."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from slowpoints.analysis.claims.claim import Claim, Question
from slowpoints.analysis.claims.rows import Excluded, Row, Subject, compared
from slowpoints.analysis.claims.wording import SUPPORTED, beginning, label, numbers, subject_name


def differing(learned: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C2: protocols differ in memory_score."""
    return compared(Subject("C2", "differ", "memory_score"), learned, excluded)


def sentences(rows: pd.DataFrame) -> Iterator[str]:
    """Which protocol remembers longer, for each pair of protocols."""
    for row in rows.itertuples():
        names = label(row.protocol), label(row.rival)
        longer, shorter = names if row.effect > 0 else names[::-1]
        if row.verdict == SUPPORTED:
            outcome = f"networks trained under {longer} remember longer than those under {shorter}"
        else:
            outcome = f"neither {' nor '.join(names)} was found to remember longer"
        yield f"{beginning(row)} {outcome}; memory score, {subject_name(row)}: {numbers(row)}."


C2 = Claim(
    name="C2",
    title="protocols differ in extrapolation",
    topic="Which protocol remembers longer?",
    figure="extrapolation",
    questions={"differ": Question("difference")},
    rows=lambda evidence: differing(evidence.learned, evidence.excluded),
    sentences=sentences,
    each_data_set=True,
)
