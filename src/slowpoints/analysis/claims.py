"""The paper's claims, each tested on what was measured: effect, interval, test and verdict.

Verdicts stand on rows pooled per data set and over all; rows of a cell, or of a data set and architecture, give
effect and interval only. Networks that did not learn are left out of all but C1, and counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from slowpoints.analysis.births import births
from slowpoints.analysis.comparisons import Effect, change, difference, equivalence
from slowpoints.core.modes import CONTROL, lambda_text
from slowpoints.core.schemas.kinds import CELL, NETWORK
from slowpoints.core.schemas.study import CLAIMS
from slowpoints.core.streams import numpy_generator
from slowpoints.task.protocols import PROTOCOLS

MARGIN = 0.03  # difference in nominal accuracy that counts as none (C1)
ALPHA = 0.05
POOLED = ("data set", "all")


def judge(
    networks: pd.DataFrame, correlations: pd.DataFrame, formation: pd.DataFrame, regularisation: pd.DataFrame
) -> pd.DataFrame:
    """The table `claims`.

    `p` is Holm-adjusted over the rows of a claim with the same kind of scope (cells, data set x architecture, data
    sets, all), `p_unadjusted` is as the test gave it.

    Args:
        networks: table `networks`.
        correlations: table `correlations`.
        formation: table `formation`.
        regularisation: table `regularisation`.
    """
    learned = networks[networks["learned"]]
    counted = _Excluded(networks)
    rows = [
        *_alike(networks),
        *_compared("C2", learned, "memory_score", "either", counted),
        *_predicted(correlations, counted),
        *_prolonged(regularisation.merge(learned[NETWORK], on=NETWORK), counted),
        *_formed(births(formation.merge(learned[NETWORK], on=NETWORK)), counted),
    ]
    table = pd.DataFrame(rows, columns=[*CLAIMS.columns, "kind", "claimed"])
    for _, group in table.groupby(["claim", "kind"]):
        tested = group.index[group["p_unadjusted"].notna()]
        if len(tested):
            table.loc[tested, "p"] = multipletests(table.loc[tested, "p_unadjusted"].astype(float), method="holm")[1]
    table["verdict"] = [verdict(row.low, row.high, row.p, row.claimed) if row.kind in POOLED else None
                        for row in table.itertuples()]  # fmt: skip
    return table[list(CLAIMS.columns)]


def verdict(low: float, high: float, p: float, claimed: str) -> str:
    """supported, contradicted or inconclusive, from the interval and the adjusted p.

    Args:
        low: lower end of the interval.
        high: upper end.
        p: adjusted; of the claim itself where the claim is of equivalence, else two-sided against no effect.
        claimed: `positive`, `negative`, `either` (any difference; finding none contradicts nothing), or `none`
            (an effect within `MARGIN`).
    """
    positive, negative = low > 0, high < 0
    if claimed == "none":
        if low > -MARGIN and high < MARGIN and p < ALPHA:
            return "supported"
        return "contradicted" if low > MARGIN or high < -MARGIN else "inconclusive"
    if not p < ALPHA or not (positive or negative):
        return "inconclusive"
    if claimed == "either":
        return "supported"
    return "supported" if positive == (claimed == "positive") else "contradicted"


class _Excluded:
    """Counts the networks of a scope that did not learn."""

    def __init__(self, networks: pd.DataFrame):
        self.lost = networks.loc[~networks["learned"].astype(bool), CELL]

    def __call__(self, *names: str | None) -> int:
        """Those of a data set, architecture and protocol, each None or left out for all."""
        lost = self.lost
        for column, name in zip(CELL, names, strict=False):
            lost = lost if name is None else lost[lost[column] == name]
        return len(lost)


def _row(claim: str, kind: str, scope: str, found: Effect, claimed: str, excluded: int) -> dict:
    about = {"claim": claim, "kind": kind, "scope": scope, "claimed": claimed, "n_excluded": excluded}
    return about | found._asdict() | {"p": np.nan, "p_unadjusted": found.p}


def _comparisons(table: pd.DataFrame, column: str) -> Iterator[tuple]:
    """Every pair of protocols within each data set and architecture, and pooled: kind, scope, names, strata."""
    table = table.dropna(subset=[column])
    present = set(table["protocol"])
    for first, second in combinations([name for name in PROTOCOLS if name in present], 2):
        strata = {}
        for key, group in table.groupby(["dataset", "architecture"], sort=False):
            pair = [group.loc[group["protocol"] == name, column].to_numpy(float) for name in (first, second)]
            if min(map(len, pair)) >= 2:
                strata[key] = tuple(pair)
        contrast = f"{first} - {second}"
        for key, samples in strata.items():
            yield "data set x architecture", f"{'/'.join(key)}: {contrast}", key, [samples]
        for dataset in dict.fromkeys(dataset for dataset, _ in strata):
            of_set = [samples for (name, _), samples in strata.items() if name == dataset]
            yield "data set", f"{dataset}: {contrast}", (dataset,), of_set
        if strata:
            yield "all", f"all: {contrast}", (), list(strata.values())


def _alike(networks: pd.DataFrame) -> Iterator[dict]:
    """C1: protocols reach similar nominal accuracy."""
    for kind, scope, _, strata in _comparisons(networks, "nominal_accuracy"):
        yield _row("C1", kind, scope, equivalence(strata, MARGIN), "none", 0)


def _compared(
    claim: str, table: pd.DataFrame, column: str, claimed: str, counted: _Excluded, what: str = ""
) -> Iterator[dict]:
    """Protocols differ in a column: C2 in memory_score, C5 in how memories form."""
    for kind, scope, names, strata in _comparisons(table, column):
        found = difference(strata, numpy_generator("claim", claim, column, scope))
        yield _row(claim, kind, scope + what, found, claimed, counted(*names))


def _predicted(correlations: pd.DataFrame, counted: _Excluded) -> Iterator[dict]:
    """C3: the speed of slow points falls where memory_score rises, over networks, per cell and pooled within cells."""
    chosen = correlations.query("level == 'network' and predictor == 'log10_speed' and method == 'spearman'")
    kinds: dict[tuple[bool, ...], str] = {
        (True, True, True): "cell",
        (True, False, False): "data set",
        (False, False, False): "all",
    }
    for row in chosen.itertuples():
        names = [name if isinstance(name, str) else None for name in (row.dataset, row.architecture, row.protocol)]
        kind = kinds.get(tuple(name is not None for name in names))
        if kind:
            scope = "/".join(name for name in names if name) or "all"
            found = Effect(row.n, row.r, row.low, row.high, "Spearman, permutation within cells", row.p)
            yield _row("C3", kind, scope, found, "negative", counted(*names))


def _prolonged(regularisation: pd.DataFrame, counted: _Excluded) -> Iterator[dict]:
    """C4: against control, regularising speed slows the points and prolongs memory, network by network."""
    control = regularisation[regularisation["mode"] == CONTROL]
    tuned = regularisation[regularisation["mode"] != CONTROL]
    paired = tuned.merge(control, on=NETWORK, suffixes=("", "_control"))
    for (mode, lambda_), pairs in paired.groupby(["mode", "lambda"]):
        for measure, claimed in (("memory_score", "positive"), ("log10_speed", "negative")):
            changes = pairs[f"{measure}_after"] - pairs[f"{measure}_after_control"]
            what = f": {mode} {lambda_text(lambda_)}, {measure}"
            yield from _changes("C4", pairs.assign(change=changes), what, claimed, counted)


def _changes(claim: str, table: pd.DataFrame, what: str, claimed: str, counted: _Excluded) -> Iterator[dict]:
    """Rows of the column `change`, one value a network: per cell, per data set and over all."""
    table = table.dropna(subset=["change"])
    cells = {key: group["change"].to_numpy(float) for key, group in table.groupby(CELL, sort=False)}
    scopes = [("cell", key, [changes]) for key, changes in cells.items()]
    for dataset in dict.fromkeys(key[0] for key in cells):
        scopes.append(("data set", (dataset,), [changes for key, changes in cells.items() if key[0] == dataset]))
    if cells:
        scopes.append(("all", (), list(cells.values())))
    for kind, names, strata in scopes:
        scope = ("/".join(names) or "all") + what
        found = change(strata, numpy_generator("claim", claim, scope))
        yield _row(claim, kind, scope, found, claimed, counted(*names))


def _formed(born: pd.DataFrame, counted: _Excluded) -> Iterator[dict]:
    """C5: protocols differ in how many memories split off another, and in how fast the newborn are beside older ones.

    Rows of single protocols give the mean over networks; those of the share have no test.
    """
    born = born.assign(with_parent=born["parent"].notna(), faster=born["log10_speed"] - born["log10_older"])
    shares = born.groupby(NETWORK, sort=False)[["with_parent", "faster"]].mean().reset_index()
    for column, what in (("with_parent", ", births with a parent"), ("faster", ", log10 speed of newborn less older")):
        yield from _compared("C5", shares, column, "either", counted, what)
        for row in _changes("C5", shares.assign(change=shares[column]), what, "either", counted):
            if row["kind"] == "cell":
                tested = column == "faster"
                yield row if tested else row | {"test": "mean over networks", "p_unadjusted": np.nan}
