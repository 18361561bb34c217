"""C1: protocols reach similar accuracy."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from slowpoints.analysis.claims.claim import Claim, Question
from slowpoints.analysis.claims.rows import Row, Subject, compared
from slowpoints.analysis.claims.wording import beginning, by_verdict, numbers, subject_name
from slowpoints.analysis.comparisons import equivalence

EQUIVALENCE_MARGIN = 0.03
"""Largest difference in nominal accuracy between protocols that counts as none."""


def alike(networks: pd.DataFrame) -> Iterator[Row]:
    """C1: protocols reach similar nominal accuracy; networks that did not learn are included."""
    about = Subject("C1", "alike", "nominal_accuracy")
    return compared(
        about,
        networks,
        None,
        claimed="none",
        margin=EQUIVALENCE_MARGIN,
        test=lambda strata, _: equivalence(strata, EQUIVALENCE_MARGIN),
    )


def sentences(rows: pd.DataFrame) -> Iterator[str]:
    """Whether accuracies are alike, for each pair of protocols."""
    for row in rows.itertuples():
        verb = by_verdict(
            row,
            f"are equally accurate to within {EQUIVALENCE_MARGIN}",
            f"differ in accuracy by more than {EQUIVALENCE_MARGIN}",
            f"may or may not differ in accuracy by more than {EQUIVALENCE_MARGIN}",
        )
        yield f"{beginning(row)} networks of both protocols {verb}; accuracy, {subject_name(row)}: {numbers(row)}."


C1 = Claim(
    name="C1",
    title="protocols reach similar nominal accuracy",
    topic="Which protocol remembers longer?",
    figure="extrapolation",
    questions={"alike": Question("difference")},
    rows=lambda evidence: alike(evidence.networks),
    sentences=sentences,
    each_data_set=True,
)
