"""What a study came to in sentences, for readers who know neither its tables nor the docs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from slowpoints.analysis.claims import TITLES
from slowpoints.analysis.claims.control import MARGIN as LOSS
from slowpoints.analysis.claims.control import OURS
from slowpoints.analysis.claims.protocols import MARGIN as ALIKE
from slowpoints.analysis.claims.reading import QUANTITIES, subject_name, with_verdict
from slowpoints.analysis.claims.rows import ALL
from slowpoints.analysis.names import PREDICTOR_NAMES
from slowpoints.analysis.predictors import OF_NETWORKS, PRIMARY
from slowpoints.analysis.summary import interval, p_value
from slowpoints.core.looks import Look, look_of
from slowpoints.core.modes import LOOKS
from slowpoints.core.schemas.study import LEVELS
from slowpoints.task.protocols import PROTOCOLS

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "inconclusive"
WEAK, STRONG = 0.3, 0.6
"""Sizes of rho, from which on it is called moderate, and strong."""
SENSES = {
    LEVELS["mixed"]: "among networks of all protocols together, as in the paper",
    LEVELS["network"]: "among networks that differ in their seed alone",
}
OURS_ALONE = ("C6",)
"""Claims that the paper does not make."""


def pooled(claims: pd.DataFrame) -> pd.DataFrame:
    """Rows with a verdict, in parts: of all data sets together, then of each; of the only data set once.

    Args:
        claims: table `claims`.
    """
    return with_verdict(claims).sort_values("place", key=lambda places: places != ALL, kind="stable")


def overall(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of `pooled` on all data sets together, or on the only one."""
    together = rows["place"] == ALL
    return rows[together] if rows.loc[~together, "place"].nunique() > 1 else rows


def findings(rows: pd.DataFrame, claim: str) -> list[str]:
    """A sentence for each thing that a claim says, in each place of `rows`.

    Args:
        rows: of `pooled`.
        claim: such as "C2".
    """
    return list(SENTENCES[claim](rows[rows["claim"] == claim]))


def unconfirmed(rows: pd.DataFrame, verdict: str) -> list[str]:
    """What the paper claims and this study does not support: for each claim, where, and of what. Our own mode aside.

    Args:
        rows: of `pooled`.
        verdict: `contradicted` or `inconclusive`.
    """
    ours = rows["claim"].isin(OURS_ALONE) | rows["subject"].str.startswith(OURS)
    left = rows[(rows["verdict"] == verdict) & ~ours]
    subjects = left["subject"].map(lambda subject: subject_name(subject, lambdas=False))
    about = (subjects + ", " + left["quantity"].replace(QUANTITIES)).str.strip(", ")
    parts = []
    for claim, of_claim in left.assign(about=about).groupby("claim"):
        places = of_claim.groupby("about", sort=False)["place"].agg(lambda places: ", ".join(map(_where, places)))
        parts.append(f"{claim}, {TITLES[claim]}: {'; '.join(f'{name} ({where})' for name, where in places.items())}.")
    return parts


def counted(rows: pd.DataFrame) -> list[str]:
    """How many tests of each claim came to which verdict."""
    parts = []
    for claim, verdicts in rows.groupby("claim")["verdict"]:
        counts = [f"{count} {verdict}" for verdict, count in verdicts.value_counts().items()]
        parts.append(f"{claim}, {TITLES[claim]}: {', '.join(counts)}.")
    return parts


def studied(networks: pd.DataFrame, units: Mapping[str, Look]) -> str:
    """How many networks of what kinds there are, and how well they do their task.

    Args:
        networks: table `networks`.
        units: how figures name each recurrent unit.
    """
    kinds = [
        ", ".join(dict.fromkeys(networks["dataset"])),
        ", ".join(look_of(name, units).label for name in dict.fromkeys(networks["architecture"])),
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
    for level in ("mixed", "network"):
        of_level = found[found["level"] == level]
        if of_level.empty or not (of_level["predictor"] == PRIMARY).any():
            continue
        best, paper = of_level.loc[of_level["r"].abs().idxmax()], of_level[of_level["predictor"] == PRIMARY].iloc[0]
        name = PREDICTOR_NAMES.get(best["predictor"], best["predictor"])
        parts.append(
            f"{SENSES[LEVELS[level]].capitalize()}, memory goes most closely with: {name}, ρ = {_rho(best)}; "
            f"the speed of slow points has ρ = {_rho(paper)}."
        )
    return parts


def _rho(row: Any) -> str:
    return interval(row["n"], row["r"], row["low"], row["high"]).replace("-", "−")


def _where(place: str) -> str:
    return "all data sets" if place == ALL else place


def _on(row: Any) -> str:
    where = _where(row.place)
    return f"{where.capitalize() if row.place == ALL else where}:"  # names of data sets as they are


def _numbers(row: Any) -> str:
    found = interval(row.n, row.effect, row.low, row.high).replace("-", "−")
    p = p_value(row.p)
    if p:
        p = f", p {p}" if p.startswith("<") else f", p = {p}"
    return f"{found} (n = {row.n}{p}; {row.verdict})"


def _by_verdict(row: Any, supported: str, contradicted: str, undecided: str) -> str:
    return {SUPPORTED: supported, CONTRADICTED: contradicted, UNDECIDED: undecided}[row.verdict]


def _alike(rows: pd.DataFrame) -> Iterator[str]:
    for row in rows.itertuples():
        verb = _by_verdict(
            row,
            f"are as accurate as each other, to within {ALIKE}",
            f"differ in accuracy by more than {ALIKE}",
            f"may or may not differ in accuracy by {ALIKE}",
        )
        yield f"{_on(row)} networks of both protocols {verb}; accuracy, {subject_name(row.subject)}: {_numbers(row)}."


def _differing(rows: pd.DataFrame) -> Iterator[str]:
    for row in rows.itertuples():
        names = subject_name(row.subject).split(" − ")
        longer, shorter = names if row.effect > 0 else names[::-1]
        if row.verdict == SUPPORTED:
            said = f"networks trained under {longer} remember longer than those under {shorter}"
        else:
            said = f"neither of {' and '.join(names)} was found to remember longer"
        yield f"{_on(row)} {said}; memory score, {subject_name(row.subject)}: {_numbers(row)}."


def _predicted(rows: pd.DataFrame) -> Iterator[str]:
    for row in rows.itertuples():
        size = abs(row.effect)
        strength = "weak" if size < WEAK else "moderate" if size < STRONG else "strong"
        said = _by_verdict(
            row,
            f"the slower the slow points, the longer memory lasts (a {strength} relation)",
            f"the slower the slow points, the shorter memory lasts (a {strength} relation, against the claim)",
            "it is undecided whether speed predicts memory",
        )
        yield f"{_on(row)} {said} {SENSES[row.subject]}; Spearman's ρ {_numbers(row)}."


def _prolonged(rows: pd.DataFrame) -> Iterator[str]:
    """A sentence for each penalty in each place, the strongest first, with what it costs."""
    of_memory = rows[rows["quantity"] == "memory_score"]
    costs = rows[rows["quantity"] == "nominal_accuracy"].set_index(["place", "subject"])
    order = {place: rank for rank, place in enumerate(dict.fromkeys(rows["place"]))}
    of_memory = of_memory.assign(order=of_memory["place"].map(order)).sort_values(
        ["order", "effect"], ascending=[True, False]
    )
    for row in of_memory.itertuples():
        said = _by_verdict(row, "prolongs memory", "shortens memory", "is not shown to prolong memory")
        text = f"{_on(row)} penalty {_penalty(row.subject)} {said}; memory score against control {_numbers(row)}"
        if (row.place, row.subject) in costs.index:
            cost = next(costs.loc[[(row.place, row.subject)]].itertuples())
            loss = _by_verdict(cost, "costs no more", "costs more", "may or may not cost more")
            text += f"; it {loss} than {LOSS} of accuracy, {_numbers(cost)}"
        yield text + "."


def _penalty(subject: str) -> str:
    """With quotation marks: names of modes are words such as "settled"."""
    return f"“{subject_name(subject)}”"


def _formed(rows: pd.DataFrame) -> Iterator[str]:
    for row in rows.itertuples():
        what = "protocols differ in" if row.subject else "there is a"
        said = what if row.verdict == SUPPORTED else f"it is undecided whether {what}"
        about = f", {subject_name(row.subject)}:" if row.subject else ":"
        yield f"{_on(row)} {said} {row.quantity}{about} {_numbers(row)}."


def _surpassed(rows: pd.DataFrame) -> Iterator[str]:
    ours = f"“{LOOKS[OURS].label}”"
    for row in rows.itertuples():
        rival = row.subject.split(" - ")[1]
        if row.quantity == "memory_score":
            more = _by_verdict(
                row, "prolongs memory more", "prolongs memory less", "is not shown to prolong memory more"
            )
            yield f"{_on(row)} {ours} (our own) {more} than {_penalty(rival)} (the paper's): {_numbers(row)}."
        else:
            cost = _by_verdict(row, "costs no more", "costs more", "may or may not cost more")
            yield f"{_on(row)} {ours} {cost} than {LOSS} of accuracy against {_penalty(rival)}; {_numbers(row)}."


SENTENCES: dict[str, Callable[[pd.DataFrame], Iterator[str]]] = {
    "C1": _alike,
    "C2": _differing,
    "C3": _predicted,
    "C4": _prolonged,
    "C5": _formed,
    "C6": _surpassed,
}
