"""C4 and C6: a penalty on speed prolongs memory; our own, at the settled states, does so more than the paper's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from slowpoints.analysis.claims.rows import Excluded, Named, Row, cell_scopes, changed, scope_text
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


@dataclass(frozen=True)
class Tuned:
    """Networks fine-tuned in a mode, with one lambda, or one for each data set.

    Attributes:
        mode: that they were fine-tuned in.
        networks: rows of the table `regularisation`.
    """

    mode: str
    networks: pd.DataFrame

    def text(self, names: tuple[str, ...]) -> str:
        """Such as "settled 300", in the scope that goes by these names: of a cell, a data set or, without any, all.

        The mode alone where data sets differ in lambda.
        """
        networks = self.networks[self.networks["dataset"] == names[0]] if names else self.networks
        lambdas = networks["lambda"].unique()
        return f"{self.mode} {lambda_text(lambdas[0])}" if len(lambdas) == 1 else self.mode


def prolonged(tuned: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C4: against control, penalising speed slows networks and prolongs memory; and what that costs in accuracy.

    Args:
        tuned: table `regularisation` of the networks that learned.
        excluded: counts those that did not.
    """
    control = tuned[tuned["mode"] == CONTROL]
    for each in _tunings(tuned):
        pairs = each.networks.merge(control, on=NETWORK, suffixes=("", "_control"))
        for measure, claimed in MEASURES.items():
            if f"{measure}_after" in tuned:
                pairs["change"] = pairs[f"{measure}_after"] - pairs[f"{measure}_after_control"]
                yield from changed("C4", pairs, "change", excluded, claimed=claimed, what=_about(each, measure))
        yield from _as_accurate("C4", pairs, _about(each, "nominal_accuracy"), excluded)


def surpassed(tuned: pd.DataFrame, excluded: Excluded) -> Iterator[Row]:
    """C6: `settled` prolongs memory more than each of the paper's modes, at no loss of accuracy.

    Args:
        tuned: table `regularisation` of the networks that learned.
        excluded: counts those that did not.
    """
    tunings = list(_tunings(tuned))
    for ours in (each for each in tunings if each.mode == OURS):
        for rival in (each for each in tunings if each.mode in PAPER):
            pairs = ours.networks.merge(rival.networks, on=NETWORK, suffixes=("", "_rival"))
            pairs["change"] = pairs["memory_score_after"] - pairs["memory_score_after_rival"]
            what = _about(ours, "memory_score", against=rival.text)
            yield from changed("C6", pairs, "change", excluded, claimed="positive", what=what)
        pairs = ours.networks.merge(tuned[tuned["mode"] == CONTROL], on=NETWORK, suffixes=("", "_control"))
        what = _about(ours, "nominal_accuracy", against=lambda _: CONTROL)
        yield from _as_accurate("C6", pairs, what, excluded)


def _tunings(tuned: pd.DataFrame) -> Iterator[Tuned]:
    """Networks of each mode but control: together where every data set has one lambda, else lambda by lambda."""
    for mode, networks in tuned[tuned["mode"] != CONTROL].groupby("mode"):
        if (networks.groupby("dataset")["lambda"].nunique() == 1).all():
            yield Tuned(mode, networks)
        else:
            yield from (Tuned(mode, some) for _, some in networks.groupby("lambda"))


def _about(tuning: Tuned, measure: str, against: Named | None = None) -> Named:
    """What rows are about: a measure of a tuning, or of it less that of another."""

    def text(names: tuple[str, ...]) -> str:
        rival = f" - {against(names)}" if against else ""
        return f": {tuning.text(names)}{rival}, {measure}"

    return text


def _as_accurate(claim: str, pairs: pd.DataFrame, what: Named, excluded: Excluded) -> Iterator[Row]:
    """Rows on nominal accuracy that is not lost, network by network, with control's in `_control` columns."""
    gain = pairs["nominal_accuracy_after"] - pairs["nominal_accuracy_after_control"]
    for kind, names, strata in cell_scopes(pairs.assign(gain=gain), "gain"):
        scope = scope_text(names, what)
        found = no_loss(strata, MARGIN, numpy_generator("claim", claim, scope))
        yield Row(claim, kind, scope, found, "no loss", excluded(*names), margin=MARGIN)
