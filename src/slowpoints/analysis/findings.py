"""What a study came to in sentences, for readers who know neither its tables nor the docs."""

from __future__ import annotations

from typing import Any

import pandas as pd

from slowpoints.analysis.claims import all_claims
from slowpoints.analysis.claims.reading import with_verdict
from slowpoints.analysis.claims.wording import asked, interval, place_name
from slowpoints.analysis.names import AMONG, PREDICTOR_NAMES
from slowpoints.analysis.predictors import OF_NETWORKS, PRIMARY
from slowpoints.core.looks import unit_look
from slowpoints.core.modes import OURS, RIVALS
from slowpoints.task.protocols import PROTOCOLS


def pooled(claims: pd.DataFrame) -> pd.DataFrame:
    """Rows with a verdict: of all data sets together, then of each; of the only data set once.

    Args:
        claims: table `claims`.
    """
    return with_verdict(claims).sort_values("dataset", key=lambda datasets: datasets.notna(), kind="stable")


def overall(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of `pooled` on all data sets together, or on the only one."""
    return rows[rows["dataset"].isna()] if rows["dataset"].nunique() > 1 else rows


def findings(rows: pd.DataFrame, claim: str) -> list[str]:
    """A sentence for each thing that a claim says, in each place of `rows`.

    Args:
        rows: of `pooled`.
        claim: such as "C2".
    """
    return list(all_claims()[claim].sentences(rows[rows["claim"] == claim]))


def unconfirmed(rows: pd.DataFrame, verdict: str) -> list[str]:
    """What the paper claims and this study does not support: for each claim, where, and of what.

    Modes that are not the paper's are left out.

    Args:
        rows: of `pooled`.
        verdict: `contradicted` or `inconclusive`.
    """
    places: dict[str, dict[str, list[str]]] = {name: {} for name, claim in all_claims().items() if not claim.ours}
    for row in rows[(rows["verdict"] == verdict) & ~rows["mode"].isin([*OURS, *RIVALS])].itertuples():
        if row.claim in places:
            places[row.claim].setdefault(asked(row), []).append(place_name(row))
    parts = []
    for claim, of_claim in places.items():
        if of_claim:
            texts = (f"{what} ({', '.join(where)})" for what, where in of_claim.items())
            parts.append(f"{_titled(claim)}: {'; '.join(texts)}.")
    return parts


def counted(rows: pd.DataFrame) -> list[str]:
    """How many tests of each claim came to which verdict."""
    parts = []
    for claim in all_claims():
        verdicts = rows.loc[rows["claim"] == claim, "verdict"].value_counts()
        counts = [f"{count} {verdict}" for verdict, count in verdicts.items()]
        if counts:
            parts.append(f"{_titled(claim)}: {', '.join(counts)}.")
    return parts


def studied(networks: pd.DataFrame) -> str:
    """How many networks of what kinds there are, and how well they do their task.

    Args:
        networks: table `networks`.
    """
    kinds = [
        ", ".join(dict.fromkeys(networks["dataset"])),
        ", ".join(unit_look(name).label for name in dict.fromkeys(networks["architecture"])),
        ", ".join(PROTOCOLS[name].look.label for name in dict.fromkeys(networks["protocol"])),
    ]
    learned = networks[networks["learned"]]
    text = f"{len(networks)} networks (data: {kinds[0]}; recurrent units: {kinds[1]}; training protocols: {kinds[2]})"
    if learned.empty:
        return f"{text}, none of which learned the task."
    low, high = learned["nominal_accuracy"].min(), learned["nominal_accuracy"].max()
    return f"{text}; {len(learned)} learned the task, with an accuracy of {low:.3f} to {high:.3f} on test images."


def best_predictors(correlations: pd.DataFrame) -> list[str]:
    """At each level over networks, which measure of the dynamics orders networks most like their memory.

    Args:
        correlations: table `correlations`.
    """
    found = correlations[correlations[["architecture", "protocol"]].isna().all(axis=1)]
    found = found[(found["method"] == "spearman") & ~found["predictor"].isin(OF_NETWORKS)]
    found = found[found["dataset"].isna()].dropna(subset=["r"])
    parts = []
    for level, among in AMONG.items():
        of_level = found[found["level"] == level]
        if of_level.empty or not (of_level["predictor"] == PRIMARY).any():
            continue
        best, paper = of_level.loc[of_level["r"].abs().idxmax()], of_level[of_level["predictor"] == PRIMARY].iloc[0]
        name = PREDICTOR_NAMES.get(best["predictor"], best["predictor"])
        parts.append(
            f"{among.capitalize()}, the best predictor of memory is {name}, ρ = {_rho(best)}; "
            f"the speed of slow points has ρ = {_rho(paper)}."
        )
    return parts


def _rho(row: Any) -> str:
    return interval(row["n"], row["r"], row["low"], row["high"]).replace("-", "−")


def _titled(claim: str) -> str:
    return f"{claim}, {all_claims()[claim].title}"
