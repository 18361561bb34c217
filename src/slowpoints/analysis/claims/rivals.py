"""C6, our own: our penalties prolong memory more than the paper's, and than the rivals tested."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pandas as pd

from slowpoints.analysis.claims.claim import Claim, Question
from slowpoints.analysis.claims.rows import Excluded, Row, Subject
from slowpoints.analysis.claims.tunings import LOSS, STRICT_LOSS, cost, gained, tunings
from slowpoints.analysis.claims.wording import (
    CONTRADICTED,
    SUPPORTED,
    UNDECIDED,
    beginning,
    by_verdict,
    numbers,
    penalty,
)
from slowpoints.core.modes import CONTROL, OURS, PAPER, RIVALS

QUESTIONS = dict.fromkeys(PAPER, "surpass") | dict.fromkeys(RIVALS, "rivals")
"""The question of each rival: p is adjusted over the paper's penalties, and over the other rivals."""
MORE = "prolongs memory more, at the study's steps, than"
OUTCOMES = {SUPPORTED: "more than", UNDECIDED: "not demonstrably more than", CONTRADICTED: "less than"}


def surpassed(tuned: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C6: each of `OURS` prolongs memory more than each rival, without loss of accuracy; `OURS` are also compared.

    Args:
        tuned: table `regularisation` of the networks that learned, at the lambdas that were chosen.
        excluded: counts those that did not.
    """
    control = tuned[tuned["mode"] == CONTROL]
    all_tunings = list(tunings(tuned))
    for mode, networks in all_tunings:
        if mode not in OURS:
            continue
        for rival, rivals in all_tunings:
            if rival in QUESTIONS:
                about = Subject("C6", QUESTIONS[rival], "memory_score", mode=mode, rival=rival, stratum="cell")
                yield from gained(about, networks, rivals, excluded, claimed="positive")
        for question, loss in (("surpass", LOSS), ("strict", STRICT_LOSS)):
            about = Subject("C6", question, "nominal_accuracy", mode=mode, rival=CONTROL, stratum="cell")
            yield from gained(about, networks, control, excluded, claimed="no loss", loss=loss)
    ours = [(mode, networks) for mode, networks in all_tunings if mode in OURS]
    for (rival, rivals), (mode, networks) in combinations(sorted(ours, key=lambda tuning: OURS.index(tuning[0])), 2):
        if mode != rival:
            about = Subject("C6", "ours", "memory_score", mode=mode, rival=rival, stratum="cell")
            yield from gained(about, networks, rivals, excluded, claimed="either")


def sentences(rows: pd.DataFrame) -> Iterator[str]:
    """For each of our penalties in each place: the strongest rival, the other rivals in one sentence, and the cost."""
    for _, of_ours in rows.groupby([rows["dataset"].fillna(""), "mode", "lambda_"], sort=False, dropna=False):
        against = of_ours[of_ours["question"].isin(set(QUESTIONS.values()))]
        memory = sorted(against[against["measure"] == "memory_score"].itertuples(), key=lambda row: row.effect)
        if memory:
            yield _against_the_strongest(memory[0], len(memory))
        if len(memory) > 1:
            yield _against_the_others(memory[1:])
        for row in of_ours[of_ours["question"] == "ours"].itertuples():
            more = "prolongs memory more than" if row.effect > 0 else "prolongs memory less than"
            more = more if row.verdict == SUPPORTED else "was not shown to differ in memory from"
            yield f"{beginning(row)} {_name(row)} {more} {_rival(row)} (both our own): {numbers(row)}."
        costs = of_ours[of_ours["measure"] == "nominal_accuracy"]
        strict = costs.loc[costs["question"] == "strict", "verdict"]
        strictly = "".join(f"; no more than {STRICT_LOSS}: {verdict}" for verdict in strict)
        for row in costs[costs["question"] == "surpass"].itertuples():
            yield f"{beginning(row)} {_name(row)} {cost(row)} relative to {_rival(row)}, {numbers(row)}{strictly}."


def _against_the_strongest(row: Any, rivals: int) -> str:
    more = by_verdict(
        row,
        MORE,
        "prolongs memory less, at the study's steps, than",
        "was not shown to prolong memory more, at the study's steps, than",
    )
    strongest = f", the strongest of {rivals} rivals" if rivals > 1 else ""
    whose = " (the paper's)" if row.rival in PAPER else ""
    return f"{beginning(row)} {_name(row)} (our own) {more} {_rival(row)}{whose}{strongest}: {numbers(row)}."


def _against_the_others(memory: list[Any]) -> str:
    parts = []
    for verdict, outcome in OUTCOMES.items():
        if of_verdict := [row for row in memory if row.verdict == verdict]:
            names = ", ".join(f"{_rival(row)} ({row.effect:+.3f})".replace("-", "−") for row in of_verdict)
            parts.append(f"{outcome} {names}")
    return (
        f"{beginning(memory[0])} compared with the other rivals, {_name(memory[0])} prolongs memory {'; '.join(parts)}."
    )


def _name(row: Any) -> str:
    return penalty(row.mode, row.lambda_)


def _rival(row: Any) -> str:
    return penalty(row.rival, row.rival_lambda)


C6 = Claim(
    name="C6",
    title="our penalties prolong memory more than the paper's, and than any rivals tested, without loss of accuracy",
    topic="Which penalty on speed prolongs memory, and at what cost?",
    figure="regularisation",
    questions={
        "surpass": Question("difference"),
        "rivals": Question("difference"),
        "ours": Question("difference"),
        "strict": Question("difference", f"no loss beyond {STRICT_LOSS}"),
    },
    rows=lambda evidence: surpassed(evidence.chosen, evidence.excluded),
    sentences=sentences,
    ours=True,
)
