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
    "price": ", parent's log10 speed after less before birth, beside others",
    "faster": ", log10 speed of newborn less older",
}
"""What is compared between protocols, one value a network, as scopes name it."""
COUNTS = {"n_births": ", births seen", "n_unseen": ", memories there before the first snapshot"}
"""Counts of single cells: a class cannot be born before it is in use, so protocols differ in them by construction."""
SHARES = ("merged", "appeared")
"""Measures of which a difference from zero would mean nothing."""


def formed(formation: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C5: protocols differ in what memories are born out of, at what price, and how fast.

    Four ways to differ are one question. Another is whether births have a price at all, in a cell and over all
    protocols; its scopes say "against 0". Further rows of single cells give the mean over networks.

    Args:
        formation: table `formation` of the networks that learned.
        excluded: counts those that did not.
    """
    table = formation_by_network(formation)
    for column, what in MEASURES.items():
        yield from compared("C5", table, column, excluded, what=what)
    for row in changed("C5", table, "price", excluded, claimed="either", what=f"{MEASURES['price']}, against 0"):
        yield replace(row, question="price")
    for column in (*COUNTS, *SHARES, "faster"):
        for row in changed("C5", table, column, excluded, claimed="either", what=(MEASURES | COUNTS)[column]):
            if row.kind == SINGLE:
                mean = replace(row, found=row.found._replace(test="mean over networks", p=np.nan))
                yield row if column == "faster" else mean


def formation_by_network(formation: pd.DataFrame) -> pd.DataFrame:
    """Counts and measures, a row for each network: means over its births, NaN where it has none that count."""
    born = births(formation)
    born["price"] = born["parent_change"] - born["others_change"]
    born["faster"] = born["log10_speed"] - born["log10_older"]
    born["appeared"] = born["appeared"].astype(float)
    means = born.groupby(NETWORK)[list(MEASURES)].mean()
    return birth_counts(formation).merge(means, on=NETWORK, how="left")
