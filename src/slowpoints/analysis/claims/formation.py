"""C5: protocols differ in how slow points form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from slowpoints.analysis.births import birth_counts, births
from slowpoints.analysis.claims.rows import SINGLE, Excluded, Row, changed, compared
from slowpoints.core.schemas.kinds import NETWORK

MEASURES = {
    "merged": ", share of births merged with another before",
    "appeared": ", share of births by a jump",
    "price": ", log10 speed of the parent after less before birth (beside others)",
    "faster": ", log10 speed of newborn less older",
}
"""What is compared between protocols, one value a network, as scopes name it."""
AGAINST_0 = ", price of a birth (as log10 speed of the parent)"
DESCRIBED = {
    "n_births": ", births seen",
    "n_unseen": ", memories there before the first snapshot",
    "gap": ", steps between the snapshots around a birth",
}
"""Given for single cells alone: a class cannot be born before it is in use, and snapshots lie otherwise, so protocols
differ in them by construction."""
SHARES = ("merged", "appeared")
"""Measures of which a difference from zero would mean nothing."""
IN_UNITS_OF_THE_LAST = ("merged", "appeared", "price")
"""Measures that tables of older studies, without distances in units of the last snapshot, don't give."""


def formed(formation: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C5: protocols differ in what memories are born out of, at what price, and how fast.

    Four ways to differ are one question. Another is whether births have a price at all, in a cell and over all
    protocols; its scopes say "price of a birth". Further rows of single cells give the mean over networks.

    Args:
        formation: table `formation` of the networks that learned.
        excluded: counts those that did not.
    """
    table = formation_by_network(formation)
    for column, what in MEASURES.items():
        yield from compared("C5", table, column, excluded, what=what)
    for row in changed("C5", table, "price", excluded, claimed="either", what=AGAINST_0):
        yield replace(row, question="price")
    for column in (*DESCRIBED, *SHARES, "faster"):
        for row in changed("C5", table, column, excluded, claimed=None, what=(MEASURES | DESCRIBED)[column]):
            if row.kind == SINGLE:
                mean = replace(row, found=row.found._replace(test="mean over networks", p=np.nan))
                yield row if column == "faster" else mean


def formation_by_network(formation: pd.DataFrame) -> pd.DataFrame:
    """Counts and measures, a row for each network: means over its births, NaN where it has none that count."""
    born = births(formation)
    born["price"] = born["parent_change"] - born["others_change"]
    born["faster"] = born["log10_speed"] - born["log10_older"]
    born[list(SHARES)] = born[list(SHARES)].astype(float)
    if "nearest_distance" not in formation:
        born[list(IN_UNITS_OF_THE_LAST)] = np.nan
    means = born.groupby(NETWORK)[["gap", *MEASURES]].mean()
    return birth_counts(formation).merge(means, on=NETWORK, how="left")
