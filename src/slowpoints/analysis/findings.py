"""The results of a study in sentences, for readers who know neither its tables nor the docs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from slowpoints.analysis.baselines import PROTOCOL
from slowpoints.analysis.claims import all_claims
from slowpoints.analysis.claims.prediction import AMONG
from slowpoints.analysis.claims.reading import with_verdict
from slowpoints.analysis.claims.wording import asked, beginning, bounds, interval, penalty, place_name
from slowpoints.analysis.predictors import OF_NETWORKS, PRIMARY, STRATA, predictor_name
from slowpoints.core.looks import unit_look
from slowpoints.core.modes import OURS, RIVALS
from slowpoints.core.schemas.schema import CELL
from slowpoints.task.protocols import PROTOCOLS

MOST_NEEDED = 10_000
"""More networks than anyone trains; above this, the text says only that more are needed."""


def pooled(claims: pd.DataFrame) -> pd.DataFrame:
    """Rows with a verdict: over all data sets, then for each data set. A single data set appears once.

    Args:
        claims: table `claims`.
    """
    return with_verdict(claims).sort_values("dataset", key=lambda datasets: datasets.notna(), kind="stable")


def overall(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of `pooled` over all data sets, or for the only one."""
    return rows[rows["dataset"].isna()] if rows["dataset"].nunique() > 1 else rows


def findings(rows: pd.DataFrame, claim: str) -> list[str]:
    """A sentence for each part of a claim in each place of `rows`.

    Args:
        rows: as returned by `pooled`.
        claim: such as "C2".
    """
    return list(all_claims()[claim].sentences(rows[rows["claim"] == claim]))


def unconfirmed(rows: pd.DataFrame, verdict: str) -> list[str]:
    """The paper's claims with this verdict: for each claim, what was tested, in which places, and how many networks
    would decide it. Modes that are not the paper's are left out.

    Args:
        rows: as returned by `pooled`.
        verdict: `contradicted` or `inconclusive`.
    """
    places: dict[str, dict[str, list[str]]] = {name: {} for name, claim in all_claims().items() if not claim.ours}
    for row in rows[(rows["verdict"] == verdict) & ~rows["mode"].isin([*OURS, *RIVALS])].itertuples():
        if row.claim in places:
            places[row.claim].setdefault(asked(row), []).append(place_name(row) + _needed(row))
    parts = []
    for claim, of_claim in places.items():
        if of_claim:
            tests = (f"{test} ({', '.join(test_places)})" for test, test_places in of_claim.items())
            parts.append(f"{_titled(claim)}: {'; '.join(tests)}.")
    return parts


def _needed(row: Any) -> str:
    """How many networks would decide a row; empty if this is unknown."""
    needed = getattr(row, "n_needed", np.nan)
    if pd.isna(needed):
        return ""
    return f": about {needed:,.0f} networks" if needed <= MOST_NEEDED else f": more than {MOST_NEEDED:,} networks"


def counted(rows: pd.DataFrame) -> list[str]:
    """Number of tests of each claim by verdict; apart, those in which a rival takes the place of a penalty."""
    parts = []
    of_rivals = rows["mode"].isin(RIVALS)
    for claim in all_claims():
        of_claim = rows["claim"] == claim
        own, rivals = (_verdicts(rows[of_claim & chosen]) for chosen in (~of_rivals, of_rivals))
        counts = [own] * bool(own) + [f"rivals: {rivals}"] * bool(rivals)
        if counts:
            parts.append(f"{_titled(claim)}: {'; '.join(counts)}.")
    return parts


def _verdicts(rows: pd.DataFrame) -> str:
    """How many rows have each verdict, such as "2 supported, 1 inconclusive"; empty for no rows."""
    return ", ".join(f"{count} {verdict}" for verdict, count in rows["verdict"].value_counts().items())


def studied(networks: pd.DataFrame) -> str:
    """The networks: how many there are, their data, units and protocols, and how well they perform the task.

    Args:
        networks: table `networks`.
    """
    data = ", ".join(dict.fromkeys(networks["dataset"]))
    units = ", ".join(unit_look(name).label for name in dict.fromkeys(networks["architecture"]))
    protocols = ", ".join(PROTOCOLS[name].look.label for name in dict.fromkeys(networks["protocol"]))
    learned = networks[networks["learned"]]
    text = f"{len(networks)} networks (data: {data}; recurrent units: {units}; training protocols: {protocols})"
    if learned.empty:
        return f"{text}, none of which learned the task."
    low, high = learned["nominal_accuracy"].min(), learned["nominal_accuracy"].max()
    return f"{text}; {len(learned)} learned the task, with an accuracy of {low:.3f} to {high:.3f} on test images."


def better_predictors(correlations: pd.DataFrame) -> list[str]:
    """For each level over networks: how well the paper's speed predicts, and which measures beat their baseline.

    The baseline is accuracy at the delay up to which the measure looks or, with the protocols mixed, their label. The
    sentences give that delay, since a measure taken late in the delay already contains part of the memory score.

    Args:
        correlations: table `correlations`.
    """
    pooled = correlations[correlations[CELL].isna().all(axis=1) & (correlations["method"] == "spearman")]
    pooled = pooled[~pooled["predictor"].isin(OF_NETWORKS)].dropna(subset=["r"])
    parts = []
    for level in STRATA:
        of_level = pooled[pooled["level"] == level].set_index("predictor", drop=False)
        if PRIMARY not in of_level.index:
            continue
        text = f"{AMONG[level].capitalize()}, the speed of slow points has ρ = {_rho(of_level.loc[PRIMARY])}"
        if PROTOCOL in of_level.index:
            text += f", the protocol's label alone {_rho(of_level.loc[PROTOCOL])}"
        parts.append(f"{text}. {_better(of_level)}")
    return parts


def _better(of_level: pd.DataFrame) -> str:
    """Which predictors beat their baseline, strongest first, and up to which frame each looks."""
    if "baseline" not in of_level or of_level["baseline"].isna().all():
        return "No baseline was measured."
    better = of_level[of_level["baseline_difference_low"] > 0].sort_values("r", key=abs, ascending=False)
    if better.empty:
        return "No measure of the dynamics predicts memory better than a baseline that looks as far into the delay."
    names = (
        f"{predictor_name(row.predictor)} (ρ = {_rho(row._asdict())}; {_reach(row)}"
        f"stronger by {row.baseline_difference:.3f} than {predictor_name(row.baseline)})"
        for row in better.itertuples()
    )
    return f"Better than a baseline that looks as far into the delay: {', '.join(names)}."


def _reach(row: Any) -> str:
    """How far into the delay a predictor looks; empty if the table does not say."""
    if "last_frame" not in row._fields:
        return ""
    return "looks at no frame of the delay; " if pd.isna(row.last_frame) else f"looks to frame {row.last_frame:.0f}; "


def mechanism(claims: pd.DataFrame) -> list[str]:
    """Factors by which each mode changes drift and diffusion at settled states, averaged over all its networks.

    Args:
        claims: table `claims`.
    """
    rows = claims[(claims["claim"] == "C4") & claims["question"].isin(["drift", "diffusion"])]
    rows = overall(rows[rows["architecture"].isna()].rename(columns={"lambda": "lambda_"}))
    parts = []
    for (mode, lambda_), of_mode in rows.groupby(["mode", "lambda_"], sort=False, dropna=False):
        factors = (
            f"{row.question} by {10**row.effect:.2f} {bounds(10**row.low, 10**row.high)}"
            for row in of_mode.itertuples()
        )
        parts.append(
            f"{beginning(next(of_mode.itertuples()))} compared with control, {penalty(mode, lambda_)} multiplies "
            f"{' and '.join(factors)} at settled states."
        )
    return parts


def _rho(row: Any) -> str:
    return interval(row["n"], row["r"], row["low"], row["high"]).replace("-", "−")


def _titled(claim: str) -> str:
    return f"{claim}, {all_claims()[claim].title}"
