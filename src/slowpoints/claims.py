"""The paper's claims, each tested on what was measured: effect, interval, test and verdict.

Verdicts stand on rows pooled per data set and over all; rows of a cell, or of a data set and architecture, give
effect and interval only. Networks that did not learn are left out of all but C1, and counted.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from slowpoints.protocols import PROTOCOLS
from slowpoints.statistics import PERMUTATIONS, bootstrap
from slowpoints.storage import CELL
from slowpoints.streams import numpy_generator

MARGIN = 0.03  # difference in nominal accuracy that counts as none (C1)
ALPHA = 0.05
COLUMNS = ["claim", "scope", "n", "effect", "low", "high", "test", "p", "verdict", "p_unadjusted", "n_excluded"]
Samples = list[tuple[np.ndarray, np.ndarray]]  # values of either protocol, for each data set and architecture


def judge(networks: pd.DataFrame, correlations: pd.DataFrame) -> pd.DataFrame:
    """The table `claims`.

    `p` is Holm-adjusted over the rows of a claim with the same kind of scope (cells, data set x architecture, data
    sets, all), `p_unadjusted` is as the test gave it.

    Args:
        networks: table `networks`.
        correlations: table `correlations`.
    """
    learned = networks[networks["learned"]]
    rows = [
        *_protocols_alike(networks),
        *_protocols_differ(learned, networks),
        *_speed_predicts(correlations, networks),
    ]
    table = pd.DataFrame(rows)
    if table.empty:
        return pd.DataFrame(columns=COLUMNS)
    table["p"] = np.nan
    for _, group in table.groupby(["claim", "kind"]):
        tested = group.index[group["p_unadjusted"].notna()]
        if len(tested):
            table.loc[tested, "p"] = multipletests(table.loc[tested, "p_unadjusted"], method="holm")[1]
    table["verdict"] = [_verdict(row) for row in table.itertuples()]
    return table[COLUMNS]


def _verdict(row) -> str | None:
    """supported, contradicted or inconclusive for pooled rows; None for others."""
    if row.kind not in ("data set", "all"):
        return None
    if row.claim == "C1":  # claimed: the interval lies within the margin
        within, beyond = row.low > -MARGIN and row.high < MARGIN, row.low > MARGIN or row.high < -MARGIN
        return "supported" if within and row.p < ALPHA else "contradicted" if beyond else "inconclusive"
    if row.claim == "C2":  # claimed: a difference, either way; its absence cannot be shown by not finding it
        claimed, opposite = row.low > 0 or row.high < 0, False
    else:  # C3 claims a negative correlation
        claimed, opposite = row.high < 0, row.low > 0
    if row.p < ALPHA and (claimed or opposite):
        return "supported" if claimed else "contradicted"
    return "inconclusive"


def _comparisons(networks: pd.DataFrame, column: str):
    """Every pair of protocols compared, within each data set and architecture, and pooled over them."""
    present = set(networks["protocol"])
    for first, second in combinations([name for name in PROTOCOLS if name in present], 2):
        strata = {}
        for key, group in networks.groupby(["dataset", "architecture"], sort=False):
            pair = [group.loc[group["protocol"] == name, column].to_numpy(float) for name in (first, second)]
            if min(map(len, pair)) >= 2:
                strata[key] = tuple(pair)
        pair = f"{first} - {second}"
        for (dataset, architecture), samples in strata.items():
            yield "data set x architecture", f"{dataset}/{architecture}: {pair}", dataset, [samples]
        for dataset in dict.fromkeys(dataset for dataset, _ in strata):
            own = [samples for (name, _), samples in strata.items() if name == dataset]
            yield "data set", f"{dataset}: {pair}", dataset, own
        if strata:
            yield "all", f"all: {pair}", None, list(strata.values())


def _protocols_alike(networks: pd.DataFrame):
    """C1: protocols reach similar nominal accuracy; two one-sided tests within the margin."""
    for kind, scope, _, strata in _comparisons(networks, "nominal_accuracy"):
        effect, low, high, p, test = _equivalence(strata)
        yield _row("C1", kind, scope, strata, effect, low, high, test, p, 0)


def _equivalence(strata: Samples) -> tuple[float, float, float, float, str]:
    """Difference of means with its 95 % interval, and p of two one-sided tests within `MARGIN`."""
    if len(strata) == 1:
        means = CompareMeans(*(DescrStatsW(sample) for sample in strata[0]))
        effect = strata[0][0].mean() - strata[0][1].mean()
        p = means.ttost_ind(-MARGIN, MARGIN, usevar="unequal")[0]
        return effect, *means.tconfint_diff(usevar="unequal"), p, f"TOST within {MARGIN}, Welch"
    data = pd.DataFrame(
        [
            {"stratum": str(stratum), "first": float(side == 0), "value": value}
            for stratum, pair in enumerate(strata)
            for side, sample in enumerate(pair)
            for value in sample
        ]
    )
    fit = smf.ols("value ~ C(stratum) + first", data).fit(cov_type="HC3", use_t=True)
    effect, error = fit.params["first"], fit.bse["first"]
    p = max(stats.t.sf((effect + MARGIN) / error, fit.df_resid), stats.t.sf((MARGIN - effect) / error, fit.df_resid))
    return effect, *fit.conf_int().loc["first"], p, f"TOST within {MARGIN}, least squares within strata, HC3"


def _protocols_differ(learned: pd.DataFrame, networks: pd.DataFrame):
    """C2: protocols differ in memory_score; permutation of protocols within strata."""
    for kind, scope, dataset, strata in _comparisons(learned, "memory_score"):
        rng = numpy_generator("claim C2", scope)
        sides = [np.repeat([0, 1], [len(first), len(second)]) for first, second in strata]
        values = [np.concatenate(pair) for pair in strata]
        effect = float(mean_difference(values, sides))
        permuted = mean_difference(values, [rng.permuted(np.tile(side, (PERMUTATIONS, 1)), axis=1) for side in sides])
        p = (1 + (np.abs(permuted) >= abs(effect) - 1e-12).sum()) / (1 + PERMUTATIONS)
        low, high = bootstrap([sample for pair in strata for sample in pair], _resampled_difference, rng)
        excluded = _excluded(networks, dataset, scope if kind == "data set x architecture" else None)
        yield _row("C2", kind, scope, strata, effect, low, high, "permutation within strata", p, excluded)


def mean_difference(values: list[np.ndarray], sides: list[np.ndarray]) -> np.ndarray:
    """Mean of side 0 less mean of side 1, averaged over strata by their size.

    Args:
        values: `[n]` of each stratum.
        sides: `[..., n]` of each, 0 or 1.
    """
    differences = []
    for value, side in zip(values, sides, strict=True):
        second = (value * side).sum(-1) / side.sum(-1)
        differences.append((value * (1 - side)).sum(-1) / (1 - side).sum(-1) - second)
    return np.average(differences, axis=0, weights=[len(value) for value in values])


def _resampled_difference(*samples: np.ndarray, axis: int = -1) -> np.ndarray:
    """`mean_difference` of samples given in turn for either side of each stratum."""
    pairs = list(zip(samples[::2], samples[1::2], strict=True))
    sizes = [a.shape[axis] + b.shape[axis] for a, b in pairs]
    return np.average([a.mean(axis) - b.mean(axis) for a, b in pairs], axis=0, weights=sizes)


def _speed_predicts(correlations: pd.DataFrame, networks: pd.DataFrame):
    """C3: speed of slow points against memory_score over networks, Spearman, per cell and pooled within cells."""
    chosen = correlations.query("level == 'network' and predictor == 'log10_speed' and method == 'spearman'")
    for row in chosen.itertuples():
        cell = [getattr(row, name) for name in CELL]
        given = [name for name in cell if isinstance(name, str)]
        kind = {3: "cell", 1: "data set", 0: "all"}.get(len(given))
        if kind is None or (len(given) == 1 and not isinstance(row.dataset, str)):
            continue
        own = networks
        for name, value in zip(CELL, cell, strict=True):
            own = own[own[name] == value] if isinstance(value, str) else own
        excluded = int((~own["learned"]).sum())
        test = "Spearman, permutation within cells"
        yield {
            "claim": "C3",
            "kind": kind,
            "scope": "/".join(given) or "all",
            "n": row.n,
            "effect": row.r,
            "low": row.low,
            "high": row.high,
            "test": test,
            "p_unadjusted": row.p,
            "n_excluded": excluded,
        }


def _excluded(networks: pd.DataFrame, dataset: str | None, stratum: str | None) -> int:
    own = networks
    if stratum:
        names = stratum.split(":")[0].split("/")
        own = own[(own["dataset"] == names[0]) & (own["architecture"] == names[1])]
    elif dataset:
        own = own[own["dataset"] == dataset]
    return int((~own["learned"]).sum())


def _row(claim, kind, scope, strata, effect, low, high, test, p, excluded) -> dict:
    return {
        "claim": claim,
        "kind": kind,
        "scope": scope,
        "n": sum(len(sample) for pair in strata for sample in pair),
        "effect": effect,
        "low": low,
        "high": high,
        "test": test,
        "p_unadjusted": p,
        "n_excluded": excluded,
    }
