"""Figure `claims`: the effect behind each verdict, with its interval."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from slowpoints.analysis.claims import TITLES
from slowpoints.core.looks import Look
from slowpoints.plots.style import GREY, panels, say, styled

EFFECTS = {
    "C1": "difference in nominal accuracy",
    "C2": "difference in memory score",
    "C3": "Spearman's ρ",
    "C4": "change against control",
    "C5": "difference between protocols",
    "C6": "difference between modes",
}
"""What is measured; a claim about several quantities names each at the end of its scopes."""
VERDICTS = {
    "supported": Look("supported", "#0b4f8a", marker="o"),
    "contradicted": Look("contradicted", "#c51b7d", marker="X"),
    "inconclusive": Look("inconclusive", "#6f6f6f", marker="d"),
}
WIDTH = 7.6  # inches, as the next two
ROW = 0.19
TICKS = 5  # spaces between them at most: more run into each other
AROUND = 0.56  # title, ticks and label of a group


@styled
def draw(claims: pd.DataFrame) -> Figure:
    """Axes for each claim and quantity, a row a scope that carries a verdict.

    Args:
        claims: table `claims`.
    """
    judged = claims[claims["verdict"].notna()]
    if judged.empty:
        figure, axes = panels(1, 1)
        say(axes[0, 0], "no claim has a verdict")
        return figure
    parts = judged["scope"].str.rpartition(", ")
    several = parts[1] != ""
    judged = judged.assign(quantity=parts[2].where(several, ""), scope=parts[0].where(several, parts[2]))
    groups = dict(list(judged.groupby(["claim", "quantity"], sort=False)))
    sizes = [len(rows) for rows in groups.values()]
    height = (ROW * sum(sizes) + AROUND * len(sizes)) / len(sizes)
    figure, axes = panels(len(sizes), 1, width=WIDTH, height=height, height_ratios=sizes)
    titled = set()
    for ax, ((claim, quantity), rows) in zip(axes[:, 0], groups.items(), strict=True):
        _draw_group(ax, rows)
        ax.set_xlabel(_effect(claim, quantity), labelpad=1)
        if claim not in titled:
            # From the figure's edge on: titles are longer than axes are wide.
            above = blended_transform_factory(figure.transFigure, ax.transAxes)
            ax.set_title(f"{claim}: {TITLES[claim]}", loc="left", fontweight="bold", x=0.01, transform=above)
        titled.add(claim)
    return figure


def _effect(claim: str, quantity: str) -> str:
    effect = EFFECTS[claim]
    if quantity.startswith("price"):  # of births in all protocols together
        return quantity
    return f"{quantity}: {effect}" if quantity else effect


def _draw_group(ax: Axes, rows: pd.DataFrame) -> None:
    ax.axvline(0, color=GREY, lw=0.8, zorder=1)
    for place, row in enumerate(rows.itertuples()):
        look = VERDICTS[row.verdict]
        ax.hlines(place, row.low, row.high, color=look.colour, lw=1.6, zorder=2)
        ax.plot(row.effect, place, look.marker, color=look.colour, mec="white", mew=0.5, ms=7, zorder=3)
        ax.plot(1.03, place, look.marker, color=look.colour, ms=5, transform=ax.get_yaxis_transform(), clip_on=False)
        ax.annotate(
            f"{look.label}, n = {row.n}",
            (1.05, place),
            xycoords=ax.get_yaxis_transform(),
            va="center",
            color=look.colour,
            fontsize=8,
        )
    ax.set_yticks(range(len(rows)), rows["scope"])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.xaxis.set_major_locator(MaxNLocator(TICKS))
    ax.tick_params(axis="y", length=0)
