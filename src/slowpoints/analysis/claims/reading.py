"""What rows of the table `claims` are about, read off their scopes, and how it is called in words."""

from __future__ import annotations

import pandas as pd

from slowpoints.analysis.claims.rows import ALL
from slowpoints.core.modes import LOOKS
from slowpoints.task.protocols import PROTOCOLS

QUANTITIES = {
    "memory_score": "memory score",
    "nominal_accuracy": "nominal accuracy",
    "log10_speed": "log10 speed of slow points",
    "log10_settled_speed": "log10 settled speed",
}
"""Names of measured columns; other quantities go by words in the table already."""

ASKED = ["claim", "subject", "quantity"]
"""What is asked in a place."""
SCOPE = r"^(?P<place>.*?)(?:: (?P<subject>.*?))?(?:, (?P<quantity>[^,]*))?$"


def in_parts(claims: pd.DataFrame) -> pd.DataFrame:
    """The table with what its scopes say in columns.

    Args:
        claims: table `claims`.

    Returns:
        `claims` and, as text, empty where there is none: `place` ("all", "digits", "digits/gru"), `subject` ("vocu -
        decu", "settled 300") and `quantity` ("memory_score").
    """
    return claims.assign(**dict(claims["scope"].str.extract(SCOPE).fillna("").items()))


def with_verdict(claims: pd.DataFrame) -> pd.DataFrame:
    """Rows with a verdict, in parts; where there is one data set alone, without those that say the same of all.

    Args:
        claims: table `claims`.
    """
    rows = in_parts(claims[claims["verdict"].notna()])
    over_all = rows["place"] == ALL
    if rows.loc[~over_all, "place"].nunique() != 1:
        return rows
    asked = pd.MultiIndex.from_frame(rows[ASKED])
    return rows[~(over_all & asked.isin(asked[~over_all]))]


def subject_name(subject: str, *, lambdas: bool = True) -> str:
    """A subject in words: "VoCu − DeCu", "settled 300 − centre of mass 0.1".

    Args:
        subject: as `in_parts` gives it.
        lambdas: whether to say lambda.
    """
    return " − ".join(_named(part, lambdas) for part in subject.split(" - "))


def _named(part: str, lambdas: bool) -> str:
    name, _, lambda_ = part.partition(" ")
    if name in LOOKS:
        return f"{LOOKS[name].label} {lambda_}".strip() if lambdas else LOOKS[name].label
    return PROTOCOLS[part].look.label if part in PROTOCOLS else part
