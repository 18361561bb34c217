"""C5: protocols differ in how slow points form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from slowpoints.analysis.births import birth_counts, births
from slowpoints.analysis.claims.claim import Claim, Question
from slowpoints.analysis.claims.rows import Excluded, Row, ScopeLevel, Subject, changed, compared
from slowpoints.analysis.claims.wording import SUPPORTED, beginning, measure_name, numbers, subject_name
from slowpoints.core.schemas.schema import NETWORK

COMPARED = ("merged_share", "jump_share", "price", "newborn_speed")
"""Measures compared between protocols, one value per network."""
DESCRIBED = ("n_births", "n_unseen", "birth_gap")
"""Measures given for single cells only. Protocols differ in them by construction: a class cannot be born before it is
in use, and their snapshots are taken at different steps."""
SHARES = {"merged": "merged_share", "appeared": "jump_share"}
"""Measures that are shares, whose difference from zero means nothing, by the column of `births` that they average."""
IN_UNITS_OF_THE_LAST = ("merged_share", "jump_share", "price")
"""Measures missing from older studies, whose tables have no distances in units of the last snapshot."""


def formed(formation: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C5: protocols differ in the origin of memories, in the price of a birth, and in the speed of new memories.

    The four comparisons of protocols are one question; whether births have a price at all, in a cell and over all
    protocols, is another. Further rows, for single cells only, give means over networks.

    Args:
        formation: table `formation` of the networks that learned.
        excluded: counts those that did not.
    """
    table = formation_by_network(formation)
    for measure in COMPARED:
        yield from compared(Subject("C5", "differ", measure), table, excluded)
    yield from changed(Subject("C5", "price", "price", stratum="cell"), table, excluded, claimed="either")
    for measure in (*DESCRIBED, *SHARES.values(), "newborn_speed"):
        for row in changed(Subject("C5", "mean", measure, stratum="cell"), table, excluded, claimed=None):
            if row.subject.level == ScopeLevel.CELL:
                mean = replace(row, outcome=row.outcome._replace(test="mean over networks", p=np.nan))
                yield row if measure == "newborn_speed" else mean


def formation_by_network(formation: pd.DataFrame) -> pd.DataFrame:
    """Counts and measures, a row per network: means over its births, NaN if there are none to average."""
    born = births(formation).rename(columns={"gap": "birth_gap", **SHARES})
    born["price"] = born["parent_change"] - born["others_change"]
    born["newborn_speed"] = born["log10_speed"] - born["log10_older"]
    born[list(SHARES.values())] = born[list(SHARES.values())].astype(float)
    if "nearest_distance" not in formation:
        born[list(IN_UNITS_OF_THE_LAST)] = np.nan
    means = born.groupby(NETWORK)[["birth_gap", *COMPARED]].mean()
    return birth_counts(formation).merge(means, on=NETWORK, how="left")


def sentences(rows: pd.DataFrame) -> Iterator[str]:
    """Whether protocols differ in each measure, and whether births have a price."""
    for row in rows.itertuples():
        if row.question == "price":
            statement, effect = "births have a price", measure_name(row)
        else:
            statement, effect = f"protocols differ in the {measure_name(row)}", subject_name(row)
        outcome = statement if row.verdict == SUPPORTED else f"it is undecided whether {statement}"
        yield f"{beginning(row)} {outcome}; {effect}: {numbers(row)}."


C5 = Claim(
    name="C5",
    title="protocols differ in how slow points form",
    topic="Do protocols differ in how memories form?",
    figure="formation",
    questions={"differ": Question("difference"), "price": Question("mean"), "mean": Question("mean")},
    rows=lambda evidence: formed(evidence.formation, evidence.excluded),
    sentences=sentences,
    measures={
        "merged_share": "share of births out of a merged track",
        "jump_share": "share of births by a jump",
        "price": "price of a birth (rise in log10 speed of the memory it splits from, relative to other memories)",
        "newborn_speed": "log10 speed of newborn relative to older memories",
        "n_births": "births observed",
        "n_unseen": "memories present in the first snapshot",
        "birth_gap": "steps between the snapshots around a birth",
    },
)
