"""C7, our own: affine units hold no memory beyond their spectrum, and a penalty gains them none.

A unit is affine if, under a constant input, the state after a frame is affine in the state before (`Unit.affine`). The
spectrum is that of the noise-averaged map, which mean states follow exactly (`measures.spectral_lifetimes`). What it
allows is a prediction of accuracy, not a theorem, since single trials are not their mean. In tables, affine units are
those with a score that the spectrum allows, which is measured for them alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from slowpoints.analysis.claims.claim import Claim, Question
from slowpoints.analysis.claims.rows import Excluded, Row, ScopeLevel, Subject, changed, unit_scopes
from slowpoints.analysis.claims.tunings import gained, tunings
from slowpoints.analysis.claims.wording import beginning, by_verdict, numbers, penalty
from slowpoints.core.looks import unit_look
from slowpoints.core.modes import CONTROL, RIVALS

ALLOWED = "spectral_score"
BEYOND = "beyond_spectrum"
"""Memory score minus what the spectrum in noise allows."""
LIMIT = "what the spectrum in noise allows"
GAIN = 0.02
"""Largest gain of memory score that counts as none: about a tenth of what `settled` gains for other units."""


def bounded(learned: pd.DataFrame, tuned: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C7, for each affine unit of each data set: memory stays below what the spectrum in noise allows, as trained and
    after each penalty; a penalty gains no memory over control, however it changes the spectrum.

    Args:
        learned: table `networks`, networks that learned.
        tuned: table `regularisation` of these.
        excluded: counts those that did not learn.
    """
    if ALLOWED in learned:
        about = Subject("C7", "beyond", BEYOND, stratum="cell")
        yield from _below(about, learned, "", excluded)
    if f"{ALLOWED}_after" not in tuned:
        return
    affine = tuned.dropna(subset=[f"{ALLOWED}_after"])
    control = affine[affine["mode"] == CONTROL]
    for mode, networks in tunings(affine):
        if mode in RIVALS:
            continue
        about = Subject("C7", "beyond", BEYOND, mode=mode, stratum="cell")
        yield from _below(about, networks, "_after", excluded)
        for question, measure, claimed in (("gain", "memory_score", "no gain"), ("allowed", ALLOWED, None)):
            about = Subject("C7", question, measure, mode=mode, rival=CONTROL, stratum="cell")
            rows = gained(about, networks, control, excluded, claimed=claimed, loss=GAIN, scopes=unit_scopes)
            yield from map(_judged_by_unit, rows)


def _below(about: Subject, networks: pd.DataFrame, when: str, excluded: Excluded) -> Iterator[Row]:
    """Rows on memory beyond the spectrum, from columns that end in `when`."""
    table = networks.assign(**{BEYOND: networks[f"memory_score{when}"] - networks[f"{ALLOWED}{when}"]})
    return map(_judged_by_unit, changed(about, table, excluded, claimed="negative", scopes=unit_scopes))


def _judged_by_unit(row: Row) -> Row:
    return replace(row, levels=(ScopeLevel.STRATUM,))


def sentences(rows: pd.DataFrame) -> Iterator[str]:
    """For each unit of each data set: memory against the spectrum, then each penalty."""
    for row in rows.itertuples():
        unit = f"{beginning(row)} {unit_look(row.architecture).label}"
        if row.measure == BEYOND:
            outcome = by_verdict(row, "stays below", "exceeds", "was not shown to stay below")
            tuned = f" with {_name(row)}" if isinstance(row.mode, str) else ""
            yield f"{unit}{tuned}: memory {outcome} {LIMIT}; memory score minus that {numbers(row)}."
        else:
            outcome = by_verdict(row, "gains no memory", "gains memory", "was not shown to gain no memory")
            yield f"{unit}: {_name(row)} {outcome}, to within {GAIN}; memory score relative to control {numbers(row)}."


def _name(row: Any) -> str:
    return penalty(row.mode, row.lambda_)


C7 = Claim(
    name="C7",
    title="affine units hold no memory beyond their spectrum, and a penalty gains them none",
    topic="Which units can hold a memory?",
    figure="units",
    questions={"beyond": Question("difference"), "gain": Question("change"), "allowed": Question("change")},
    rows=lambda evidence: bounded(evidence.learned, evidence.tuned, evidence.excluded),
    sentences=sentences,
    measures={BEYOND: f"memory score less {LIMIT}", ALLOWED: "memory score that the spectrum in noise allows"},
    each_data_set=True,
    ours=True,
)
