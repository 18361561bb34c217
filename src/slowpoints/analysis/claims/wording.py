"""Rows of the table `claims` in words: their subjects and their numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from slowpoints.analysis.claims import all_claims
from slowpoints.analysis.claims.rows import ScopeLevel, Subject
from slowpoints.analysis.correlation import missing
from slowpoints.core.modes import CONTROL, LOOKS, lambda_text
from slowpoints.task.protocols import PROTOCOLS

MEASURES = {
    "memory_score": "memory score",
    "nominal_accuracy": "nominal accuracy",
    "log10_speed": "log10 speed of slow points",
    "log10_settled_speed": "log10 settled speed",
}
"""Words for measures that several claims share."""
DECIMALS = 3  # of an effect
SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "inconclusive"


def scope_text(subject: Subject) -> str:
    """The subject of a row as one text, with the names of protocols and modes in the tables.

    Such as "digits: settled 300 - control, memory score", or "all: log10 speed of slow points, within cells".
    """
    place = "/".join(subject.place.values()) or ScopeLevel.ALL
    return f"{place}: {_joined(' - '.join(_sides(subject, str)), measure_name(subject), question_words(subject))}"


def measure_name(row: Any) -> str:
    """Words for a row's measure; its name if there are none."""
    return (MEASURES | dict(all_claims()[row.claim].measures)).get(row.measure, row.measure)


def question_words(row: Any) -> str:
    """Words that distinguish a row's question from the others of its claim; empty if none are needed."""
    return all_claims()[row.claim].questions[row.question].words


def effect_name(row: Any) -> str:
    """Name of a row's effect, such as "memory score: difference"."""
    return f"{measure_name(row)}: {all_claims()[row.claim].questions[row.question].effect}"


def subject_name(row: Any, *, lambdas: bool = True) -> str:
    """What is compared, and the question: "VoCu − DeCu", "settled 300 − control", "within cells"; empty without either.

    Args:
        row: as returned by `reading.with_verdict`.
        lambdas: whether to include lambda.
    """
    return _joined(" − ".join(_sides(row, label, lambdas)), question_words(row))


def asked(row: Any) -> str:
    """What is tested, without place and lambda: "settled − control, memory score"."""
    return _joined(subject_name(row, lambdas=False), measure_name(row))


def penalty(mode: str, lambda_: float | None) -> str:
    """A mode with its lambda, in quotation marks, since names of modes are ordinary words, such as "settled"."""
    return f"“{_side(mode, lambda_, label)}”"


def place_name(row: Any) -> str:
    """The data set, or "all data sets"."""
    return row.dataset if isinstance(row.dataset, str) else "all data sets"


def beginning(row: Any) -> str:
    """Beginning of a sentence: "digits:", "All data sets:"."""
    return f"{row.dataset}:" if isinstance(row.dataset, str) else f"{place_name(row).capitalize()}:"


def numbers(row: Any) -> str:
    """Such as "0.123 [0.045, 0.201] (n = 64, p = 0.0123; supported)"."""
    p = p_value(row.p)
    if p:
        p = f", p {p}" if p.startswith("<") else f", p = {p}"
    effect = interval(row.n, row.effect, row.low, row.high).replace("-", "−")
    return f"{effect} (n = {row.n}{p}; {row.verdict})"


def interval(n: int, effect: float, low: float, high: float) -> str:
    """Such as "0.123 [0.045, 0.201]"; the reason if there is no effect."""
    if pd.isna(effect):
        return missing(n)
    if pd.isna(low):
        return f"{effect:.{DECIMALS}f} [no interval]"
    return f"{effect:.{DECIMALS}f} [{low:.{DECIMALS}f}, {high:.{DECIMALS}f}]"


def bounds(low: float, high: float) -> str:
    """Such as "[0.045, 0.201]"."""
    return f"[{low:.{DECIMALS}f}, {high:.{DECIMALS}f}]".replace("-", "−")


def p_value(p: float) -> str:
    """Such as "0.0123" or "< 0.0001"; empty if there is none."""
    return "" if pd.isna(p) else f"{p:.4f}" if p >= 1e-4 else "< 0.0001"


def by_verdict(row: Any, supported: str, contradicted: str, undecided: str) -> str:
    """The text for the row's verdict."""
    return {SUPPORTED: supported, CONTRADICTED: contradicted, UNDECIDED: undecided}[row.verdict]


def label(name: str) -> str:
    """Display name of a mode or a protocol."""
    if name in LOOKS:
        return LOOKS[name].label
    return PROTOCOLS[name].look.label if name in PROTOCOLS else name


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _sides(row: Any, name: Callable[[str], str], lambdas: bool = True) -> list[str]:
    """The two sides of a comparison, protocols or modes."""
    if isinstance(row.mode, str):
        sides = [(row.mode, row.lambda_), (row.rival, row.rival_lambda)]
    else:
        sides = [(row.protocol, None), (row.rival, None)] if isinstance(row.rival, str) else []
    return [_side(side, lambda_ if lambdas else None, name) for side, lambda_ in sides if isinstance(side, str)]


def _side(side: str, lambda_: float | None, name: Callable[[str], str]) -> str:
    if side == CONTROL or lambda_ is None or pd.isna(lambda_):
        return name(side)
    return f"{name(side)} {lambda_text(lambda_)}"
