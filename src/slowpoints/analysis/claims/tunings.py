"""Pairs of fine-tuned networks, for the claims on penalties."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from slowpoints.analysis.claims.rows import Excluded, Place, Row, Subject, cell_scopes, changed
from slowpoints.analysis.claims.wording import by_verdict
from slowpoints.analysis.comparisons import no_gain, no_loss
from slowpoints.core.modes import CONTROL
from slowpoints.core.schemas.schema import NETWORK

LOSS = 0.01
"""Largest loss of nominal accuracy that counts as none."""
STRICT_LOSS = 0.005
"""The same for the stricter question: the largest loss that the rule for choosing lambda allows."""


def tunings(tuned: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Networks of each mode but control: together if every data set has one lambda, otherwise lambda by lambda.

    Args:
        tuned: table `regularisation`.
    """
    for mode, networks in tuned[tuned["mode"] != CONTROL].groupby("mode"):
        if (networks.groupby("dataset")["lambda"].nunique() == 1).all():
            yield mode, networks
        else:
            yield from ((mode, of_lambda) for _, of_lambda in networks.groupby("lambda"))


def gained(
    about: Subject,
    networks: pd.DataFrame,
    rivals: pd.DataFrame,
    excluded: Excluded,
    *,
    claimed: str | None,
    loss: float = LOSS,
    scopes: Callable[[pd.DataFrame, str], Iterator[tuple[Place, list[pd.DataFrame]]]] = cell_scopes,
) -> Iterator[Row]:
    """Rows on the gain of one mode of fine-tuning over another, network by network.

    Args:
        about: claim, question and measure, both modes, and the stratum.
        networks: rows of `regularisation` for the first mode.
        rivals: rows for the second.
        excluded: counts the excluded networks.
        claimed: as in `Row`.
        loss: largest loss or gain that counts as none, if `no loss` or `no gain` is claimed.
        scopes: as for `changed`.
    """
    pairs = networks.merge(rivals, on=NETWORK, suffixes=("", "_rival"))
    pairs[about.measure] = pairs[f"{about.measure}_after"] - pairs[f"{about.measure}_after_rival"]
    tests = {"no loss": no_loss, "no gain": no_gain}
    if claimed not in tests:
        return changed(about, pairs, excluded, claimed=claimed, scopes=scopes)
    bounded = tests[claimed]
    return changed(
        about,
        pairs,
        excluded,
        claimed=claimed,
        margin=loss,
        test=lambda changes, rng: bounded(changes, loss, rng),
        scopes=scopes,
    )


def cost(row: Any) -> str:
    """A row on nominal accuracy in words: "costs no more than 0.01 of accuracy"."""
    verb = by_verdict(row, "costs no more", "costs more", "may or may not cost more")
    return f"{verb} than {LOSS} of accuracy"
