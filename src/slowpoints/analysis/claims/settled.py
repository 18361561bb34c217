"""C6, our own: penalised at settled states, memory lasts longer than under the paper's penalties."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from slowpoints.analysis.claims.claim import Claim, Question
from slowpoints.analysis.claims.rows import Excluded, Row, Subject
from slowpoints.analysis.claims.tunings import OURS, cost, gained, tunings
from slowpoints.analysis.claims.wording import beginning, by_verdict, label, numbers, penalty
from slowpoints.core.modes import CONTROL

PAPER = ("slow_points", "centre_of_mass")
"""The paper's modes."""


def surpassed(tuned: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C6: `settled` prolongs memory more than each of the paper's modes, at no loss of accuracy.

    Args:
        tuned: table `regularisation` of the networks that learned.
        excluded: counts those that did not.
    """
    control = tuned[tuned["mode"] == CONTROL]
    for ours in (networks for mode, networks in tunings(tuned) if mode == OURS):
        for rival, rivals in tunings(tuned):
            if rival in PAPER:
                about = Subject("C6", "surpass", "memory_score", mode=OURS, rival=rival, stratum="cell")
                yield from gained(about, ours, rivals, excluded, claimed="positive")
        about = Subject("C6", "surpass", "nominal_accuracy", mode=OURS, rival=CONTROL, stratum="cell")
        yield from gained(about, ours, control, excluded, claimed="no loss")


def sentences(rows: pd.DataFrame) -> Iterator[str]:
    """Against each of the paper's penalties, and what it costs."""
    ours = f"“{label(OURS)}”"
    for row in rows.itertuples():
        rival = penalty(row.rival, row.rival_lambda)
        if row.measure == "memory_score":
            more = by_verdict(
                row, "prolongs memory more", "prolongs memory less", "was not shown to prolong memory more"
            )
            yield f"{beginning(row)} {ours} (our own) {more} than {rival} (the paper's): {numbers(row)}."
        else:
            yield f"{beginning(row)} {ours} {cost(row)} against {rival}; {numbers(row)}."


C6 = Claim(
    name="C6",
    title="penalising speed at settled states prolongs memory most, at no loss of accuracy",
    topic="Which penalty on speed prolongs memory, and at what cost?",
    figure="regularisation",
    questions={"surpass": Question("difference")},
    rows=lambda evidence: surpassed(evidence.tuned, evidence.excluded),
    sentences=sentences,
    ours=True,
)
