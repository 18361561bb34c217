"""C4 and C6: a penalty on speed prolongs memory; our own, at the settled states, does so more than the paper's."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from slowpoints.analysis.claims.rows import Excluded, Row, cell_scopes, changed, scope_text
from slowpoints.analysis.comparisons import no_loss
from slowpoints.core.modes import CONTROL, lambda_text
from slowpoints.core.schemas.kinds import NETWORK
from slowpoints.core.streams import numpy_generator

MARGIN = 0.01
"""Loss of nominal accuracy that counts as none."""
MEASURES = {"memory_score": "positive", "log10_speed": "negative", "log10_settled_speed": "negative"}
"""What a penalty should change, and to which side."""
PAPER = ("slow_points", "centre_of_mass")
"""The paper's modes."""
OURS = "settled"


def prolonged(tuned: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C4: against control, penalising speed slows networks and prolongs memory; and what that costs in accuracy.

    Args:
        tuned: table `regularisation` of the networks that learned.
        excluded: counts those that did not.
    """
    control = tuned[tuned["mode"] == CONTROL]
    for mode, lambda_, networks in _tunings(tuned):
        pairs = networks.merge(control, on=NETWORK, suffixes=("", "_control"))
        about = f": {mode} {lambda_text(lambda_)}, "
        for measure, claimed in MEASURES.items():
            if f"{measure}_after" in tuned:
                pairs["change"] = pairs[f"{measure}_after"] - pairs[f"{measure}_after_control"]
                yield from changed("C4", pairs, "change", excluded, claimed=claimed, what=about + measure)
        yield from _as_accurate("C4", pairs, about + "nominal_accuracy", excluded)


def surpassed(tuned: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C6: `settled` prolongs memory more than each of the paper's modes, at no loss of accuracy.

    Args:
        tuned: table `regularisation` of the networks that learned.
        excluded: counts those that did not.
    """
    others = [each for each in _tunings(tuned) if each[0] in PAPER]
    for mode, lambda_, networks in _tunings(tuned):
        if mode != OURS:
            continue
        ours = f"{mode} {lambda_text(lambda_)}"
        for paper_mode, paper_lambda, rivals in others:
            pairs = networks.merge(rivals, on=NETWORK, suffixes=("", "_rival"))
            pairs["change"] = pairs["memory_score_after"] - pairs["memory_score_after_rival"]
            what = f": {ours} - {paper_mode} {lambda_text(paper_lambda)}, memory_score"
            yield from changed("C6", pairs, "change", excluded, claimed="positive", what=what)
        pairs = networks.merge(tuned[tuned["mode"] == CONTROL], on=NETWORK, suffixes=("", "_control"))
        yield from _as_accurate("C6", pairs, f": {ours} - {CONTROL}, nominal_accuracy", excluded)


def _tunings(tuned: pd.DataFrame) -> Iterator[tuple[str, float, pd.DataFrame]]:
    """Networks of each mode and lambda but control's."""
    for (mode, lambda_), networks in tuned[tuned["mode"] != CONTROL].groupby(["mode", "lambda"]):
        yield mode, lambda_, networks


def _as_accurate(claim: str, pairs: pd.DataFrame, what: str, excluded: Excluded) -> Iterator[Row]:
    """Rows on nominal accuracy that is not lost, network by network, with control's in `_control` columns."""
    gain = pairs["nominal_accuracy_after"] - pairs["nominal_accuracy_after_control"]
    for kind, names, strata in cell_scopes(pairs.assign(gain=gain), "gain"):
        scope = scope_text(names, what)
        found = no_loss(strata, MARGIN, numpy_generator("claim", claim, scope))
        yield Row(claim, kind, scope, found, "no loss", excluded(*names), margin=MARGIN)
