"""C4: a penalty on speed prolongs memory."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from slowpoints.analysis.claims.claim import Claim, Question
from slowpoints.analysis.claims.rows import Excluded, Row, Subject
from slowpoints.analysis.claims.tunings import cost, gained, tunings
from slowpoints.analysis.claims.wording import beginning, by_verdict, numbers, penalty, place_name
from slowpoints.core.modes import CONTROL

MEASURES = {
    "memory_score": "positive",
    "log10_speed": "negative",
    "log10_settled_speed": "negative",
    "nominal_accuracy": "no loss",
}
"""What a penalty should change and to which side, or leave."""


def prolonged(tuned: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C4: against control, penalising speed slows networks and prolongs memory; and what that costs in accuracy.

    Args:
        tuned: table `regularisation` of the networks that learned.
        excluded: counts those that did not.
    """
    control = tuned[tuned["mode"] == CONTROL]
    for mode, networks in tunings(tuned):
        for measure, claimed in MEASURES.items():
            if f"{measure}_after" in tuned:
                about = Subject("C4", "prolong", measure, mode=mode, rival=CONTROL, stratum="cell")
                yield from gained(about, networks, control, excluded, claimed=claimed)


def sentences(rows: pd.DataFrame) -> Iterator[str]:
    """A sentence for each penalty in each place, the strongest first, with what it costs."""
    of_memory, costs = (rows[rows["measure"] == measure] for measure in ("memory_score", "nominal_accuracy"))
    order = {name: rank for rank, name in enumerate(dict.fromkeys(map(place_name, rows.itertuples())))}
    accuracies = {(place_name(row), row.mode, str(row.lambda_)): row for row in costs.itertuples()}
    for row in sorted(of_memory.itertuples(), key=lambda row: (order[place_name(row)], -row.effect)):
        outcome = by_verdict(row, "prolongs memory", "shortens memory", "was not shown to prolong memory")
        name = penalty(row.mode, row.lambda_)
        text = f"{beginning(row)} the penalty {name} {outcome}; memory score against control {numbers(row)}"
        accuracy = accuracies.get((place_name(row), row.mode, str(row.lambda_)))  # as text, since NaN is not itself
        yield text + (f"; it {cost(accuracy)}, {numbers(accuracy)}." if accuracy else ".")


C4 = Claim(
    name="C4",
    title="penalising speed prolongs memory",
    topic="Which penalty on speed prolongs memory, and at what cost?",
    figure="regularisation",
    questions={"prolong": Question("change")},
    rows=lambda evidence: prolonged(evidence.tuned, evidence.excluded),
    sentences=sentences,
)
