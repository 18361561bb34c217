"""Rows of the table `claims`, before their verdicts, and the scopes that claims are tested in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from slowpoints.analysis.comparisons import Effect, Pairs, change, difference
from slowpoints.core.schemas.kinds import CELL
from slowpoints.core.streams import numpy_generator
from slowpoints.task.protocols import PROTOCOLS

DATA_SET, ALL = "data set", "all"
"""Kinds of scope that carry verdicts: one data set's networks, and those of all."""
STRATUM, SINGLE = "data set x architecture", "cell"
"""Kinds of scope that give effect and interval only."""
Named = Callable[[tuple[str, ...]], str]
"""Text that depends on the names that a scope goes by: those of a cell, of a data set, or none."""


@dataclass(frozen=True)
class Row:
    """A claim in a scope.

    Attributes:
        claim: such as "C1".
        kind: kind of scope.
        scope: as the table says it.
        found: effect, interval and test.
        claimed: `positive`, `negative`, `either` (any difference), `none` (an effect within `margin`), `no loss` (none
            beyond `margin`), or None for a row that describes and has no verdict.
        n_excluded: networks of the scope that did not learn and are left out.
        margin: effect, or loss, that counts as none.
        question: where a claim asks several; p is adjusted within each.
    """

    claim: str
    kind: str
    scope: str
    found: Effect
    claimed: str | None
    n_excluded: int
    margin: float = 0.0
    question: str = ""

    def columns(self) -> dict[str, Any]:
        """Columns of the table `claims`, without those that need the other rows."""
        found = self.found._asdict()
        return {
            "claim": self.claim,
            "scope": self.scope,
            "n_excluded": self.n_excluded,
            "p_unadjusted": found.pop("p"),
            "p": np.nan,
            **found,
        }


class Excluded:
    """Counts the networks of a scope that did not learn."""

    def __init__(self, networks: pd.DataFrame):
        self.lost = networks.loc[~networks["learned"].astype(bool), CELL]

    def __call__(self, *names: str | None) -> int:
        """Those of a data set, architecture and protocol, each None or left out for all."""
        lost = self.lost
        for column, name in zip(CELL, names, strict=False):
            lost = lost if name is None else lost[lost[column] == name]
        return len(lost)


@dataclass(frozen=True)
class Contrast:
    """Two protocols compared in a scope: values of either in each stratum, and the names that the scope goes by."""

    kind: str
    scope: str
    names: tuple[str, ...]
    strata: Pairs


def contrasts(table: pd.DataFrame, column: str) -> Iterator[Contrast]:
    """Every pair of protocols in a column, within each data set and architecture, and pooled over these."""
    table = table.dropna(subset=[column])
    present = set(table["protocol"])
    for first, second in combinations([name for name in PROTOCOLS if name in present], 2):
        strata = {}
        for key, group in table.groupby(["dataset", "architecture"], sort=False):
            pair = [group.loc[group["protocol"] == name, column].to_numpy(float) for name in (first, second)]
            if min(map(len, pair)) >= 2:
                strata[key] = tuple(pair)
        text = f"{first} - {second}"
        for key, samples in strata.items():
            yield Contrast(STRATUM, f"{'/'.join(key)}: {text}", key, [samples])
        for dataset in dict.fromkeys(dataset for dataset, _ in strata):
            of_set = [samples for (name, _), samples in strata.items() if name == dataset]
            yield Contrast(DATA_SET, f"{dataset}: {text}", (dataset,), of_set)
        if strata:
            yield Contrast(ALL, f"all: {text}", (), list(strata.values()))


def compared(
    claim: str, table: pd.DataFrame, column: str, excluded: Excluded, *, claimed: str = "either", what: str = ""
) -> Iterator[Row]:
    """Rows on protocols that differ in a column, one value a network.

    Args:
        claim: such as "C2".
        table: with the columns of the network.
        column: to compare.
        excluded: counts who is left out.
        claimed: as `Row.claimed`.
        what: added to the scope.
    """
    for pair in contrasts(table, column):
        found = difference(pair.strata, numpy_generator("claim", claim, column, pair.scope))
        yield Row(claim, pair.kind, pair.scope + what, found, claimed, excluded(*pair.names))


def cell_scopes(table: pd.DataFrame, column: str) -> Iterator[tuple[str, tuple[str, ...], list[np.ndarray]]]:
    """Kind, names and values (one array a cell) of each cell, each data set and all; rows without a value left out."""
    table = table.dropna(subset=[column])
    cells = {key: group[column].to_numpy(float) for key, group in table.groupby(CELL, sort=False)}
    for key, values in cells.items():
        yield SINGLE, key, [values]
    for dataset in dict.fromkeys(key[0] for key in cells):
        yield DATA_SET, (dataset,), [values for key, values in cells.items() if key[0] == dataset]
    if cells:
        yield ALL, (), list(cells.values())


def scope_text(names: tuple[str, ...], what: str | Named = "") -> str:
    """Such as "digits/gru/vocu: control", or "all: control"."""
    return ("/".join(names) or ALL) + (what if isinstance(what, str) else what(names))


def changed(
    claim: str, table: pd.DataFrame, column: str, excluded: Excluded, *, claimed: str | None, what: str | Named
) -> Iterator[Row]:
    """Rows on a column of changes, one value a network, per cell, per data set and over all: as `compared`."""
    for kind, names, strata in cell_scopes(table, column):
        scope = scope_text(names, what)
        found = change(strata, numpy_generator("claim", claim, scope))
        yield Row(claim, kind, scope, found, claimed, excluded(*names))
