"""C4: a penalty on speed prolongs memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from slowpoints.analysis.claims.claim import Claim, Question
from slowpoints.analysis.claims.rows import Excluded, Row, Subject
from slowpoints.analysis.claims.tunings import cost, gained, tunings
from slowpoints.analysis.claims.wording import beginning, bounds, by_verdict, numbers, penalty, place_name
from slowpoints.analysis.over_cells import LEAST_TO_PREDICT
from slowpoints.core.modes import CONTROL, RIVALS

MEASURES = {
    "memory_score": "positive",
    "log10_speed": "negative",
    "log10_settled_speed": "negative",
    "nominal_accuracy": "no loss",
}
"""Measures that a penalty should change, and in which direction, or leave unchanged."""
OF_RIVALS = {measure: MEASURES[measure] for measure in ("memory_score", "nominal_accuracy")}
MECHANISM = {"log10_settled_drift": "drift", "log10_settled_diffusion": "diffusion"}
"""Measures that a penalty may reduce at settled states, with the question of each: described, not claimed."""


def prolonged(tuned: pd.DataFrame, excluded: Excluded, chosen: pd.DataFrame | None = None) -> Iterator[Row]:
    """C4: compared with control, penalising speed slows networks and prolongs memory, and what that costs in accuracy.

    Lambdas of a sweep that were not chosen are described, without a verdict.

    Args:
        tuned: table `regularisation` of the networks that learned.
        excluded: counts those that did not.
        chosen: rows of `tuned` at the lambdas that were chosen; None for all.
    """
    chosen = tuned if chosen is None else chosen
    control = tuned[tuned["mode"] == CONTROL]
    for mode, networks in tunings(tuned.drop(chosen.index)):
        for measure in OF_RIVALS:
            about = Subject("C4", "sweep", measure, mode=mode, rival=CONTROL, stratum="cell")
            yield from gained(about, networks, control, excluded, claimed=None)
    for mode, networks in tunings(chosen):
        rival = mode in RIVALS
        for measure, claimed in (OF_RIVALS if rival else MEASURES).items():
            if f"{measure}_after" in tuned:
                question = "rivals" if rival else "prolong"
                about = Subject("C4", question, measure, mode=mode, rival=CONTROL, stratum="cell")
                yield from gained(about, networks, control, excluded, claimed=claimed)
        for measure, question in MECHANISM.items():
            if f"{measure}_after" in tuned:
                about = Subject("C4", question, measure, mode=mode, rival=CONTROL, stratum="cell")
                yield from gained(about, networks, control, excluded, claimed=None)


def sentences(rows: pd.DataFrame) -> Iterator[str]:
    """For each place, a sentence for each penalty, strongest first, with its cost; then one for all rivals."""
    of_memory, costs = (rows[rows["measure"] == measure] for measure in ("memory_score", "nominal_accuracy"))
    accuracies = {(place_name(row), row.mode, str(row.lambda_)): row for row in costs.itertuples()}
    for _, of_place in of_memory.groupby([place_name(row) for row in of_memory.itertuples()], sort=False):
        by_effect = sorted(of_place.itertuples(), key=lambda row: -row.effect)
        rivals = [row for row in by_effect if row.question == "rivals"]
        for row in by_effect:
            if row.question == "prolong":
                # Lambda as text, since NaN is not equal to itself.
                yield _of_penalty(row, accuracies.get((place_name(row), row.mode, str(row.lambda_))))
        if rivals:
            gains = ", ".join(f"{penalty(row.mode, row.lambda_)} {numbers(row)}" for row in rivals)
            yield f"{beginning(rivals[0])} rivals compared with control: {gains}."


def _of_penalty(row: Any, accuracy: Any) -> str:
    outcome = by_verdict(row, "prolongs memory", "shortens memory", "was not shown to prolong memory")
    name = penalty(row.mode, row.lambda_)
    text = f"{beginning(row)} the penalty {name} {outcome}; memory score relative to control {numbers(row)}"
    text += _by_cells(row)
    return text + (f"; it {cost(accuracy)}, {numbers(accuracy)}." if accuracy else ".")


def _by_cells(row: Any) -> str:
    """How many cells agree, and the prediction for a further cell."""
    if pd.isna(row.n_cells) or row.n_cells < LEAST_TO_PREDICT:
        return ""
    text = f", positive in {row.n_cells_agree:.0f} of {row.n_cells:.0f} cells"
    if pd.isna(row.prediction_low):
        return text
    return text + f", prediction interval for a further cell {bounds(row.prediction_low, row.prediction_high)}"


C4 = Claim(
    name="C4",
    title="penalising speed prolongs memory",
    topic="Which penalty on speed prolongs memory, and at what cost?",
    figure="regularisation",
    questions=dict.fromkeys(("prolong", "rivals", *MECHANISM.values()), Question("change"))
    | {"sweep": Question("change", "lambda not chosen")},
    rows=lambda evidence: prolonged(evidence.tuned, evidence.excluded, evidence.chosen),
    sentences=sentences,
    measures={
        "log10_settled_drift": "log10 drift at settled states",
        "log10_settled_diffusion": "log10 diffusion at settled states",
    },
)
