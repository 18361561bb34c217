"""Figure `predictors`: how well each measure predicts memory, with protocols mixed, within cells and by class."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowpoints.core.looks import Look
from slowpoints.plots.style import GREY, ordered, panels, say, styled

NAMES = {
    "log10_speed": "speed of slow point",
    "log10_centre_speed": "speed at class centre",
    "log10_speed_1000": "speed after 1,000 steps of descent",
    "log10_deep_speed": "speed after deep search",
    "log10_settled_speed": "settled speed",
    "log10_drift": "drift at slow point",
    "log10_settled_drift": "drift at settled state",
    "leading": "leading eigenvalue",
    "n_unstable": "unstable directions",
    "path_distance": "slow point's distance from path",
    "margin": "readout margin",
    "log10_margin_time": "margin time",
    "log10_point_lifetime": "lifetime from slow point",
    "log10_lifetime": "lifetime from class centre",
    "memory_score_half_noise": "memory score at half the noise",
    "memory_score_no_noise": "memory score without noise",
}
"""What predictors are called, in the order of the rows; others follow by the name of their column."""
LEVELS = {
    "mixed": Look("networks, protocols mixed", "#c51b7d", marker="D"),
    "network": Look("networks, within cells", "#222222", marker="o"),
    "class": Look("classes, within networks", "#4dac26", marker="s"),
}
"""What is ranked, and within what: a mark in each row, from top to bottom."""
APART = 0.24  # marks of a row, in rows
ROW = 0.36  # inches
STRIPE = "#f4f4f4"  # behind every other row


@styled
def draw(correlations: pd.DataFrame) -> Figure:
    """A panel for each data set and one for all, a row a predictor, a mark with its 95 % interval a level.

    Args:
        correlations: table `correlations`.
    """
    pooled = correlations["architecture"].isna() & correlations["protocol"].isna()
    chosen = correlations[pooled & (correlations["method"] == "spearman") & correlations["level"].isin(list(LEVELS))]
    datasets = ordered(chosen["dataset"].dropna())
    parts = {dataset: chosen[chosen["dataset"] == dataset] for dataset in datasets}
    if len(datasets) != 1:
        parts["all"] = chosen[chosen["dataset"].isna()]
    predictors = _present(chosen)
    figure, axes = panels(1, len(parts), sharey=True, width=2.3 + 1.9 / len(parts), height=1.3 + ROW * len(predictors))
    for ax, (name, rows) in zip(axes[0], parts.items(), strict=True):
        _draw_panel(ax, rows, predictors)
        ax.set_title(name, loc="left")
        ax.set_xlabel("Spearman's ρ")
    axes[0, 0].set_yticks(range(len(predictors)), [NAMES.get(name, name) for name in predictors])
    handles, labels = axes[0, 0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels) if len(parts) > 1 else 1)
    return figure


def _present(table: pd.DataFrame) -> list[str]:
    """Predictors that occur, those with a name first, in its order."""
    present = ordered(table["predictor"])
    return [name for name in NAMES if name in present] + [name for name in present if name not in NAMES]


def _draw_panel(ax: Axes, rows: pd.DataFrame, predictors: list[str]) -> None:
    if rows["r"].isna().all():
        say(ax, "no correlations")
    for place in range(0, len(predictors), 2):
        ax.axhspan(place - 0.5, place + 0.5, color=STRIPE, lw=0, zorder=0)
    ax.axvline(0, color=GREY, lw=0.8, zorder=1)
    for offset, (level, look) in enumerate(LEVELS.items(), start=-1):
        found = rows[rows["level"] == level].set_index("predictor").reindex(predictors)
        heights = np.arange(len(predictors)) + APART * offset
        ax.hlines(heights, found["low"], found["high"], color=look.colour, lw=1.4, zorder=2)
        ax.plot(found["r"], heights, look.marker, color=look.colour, mec="white", mew=0.5, ms=5, label=look.label)
    ax.set(xlim=(-1.03, 1.03), ylim=(len(predictors) - 0.5, -0.5), xticks=(-1, -0.5, 0, 0.5, 1))
    ax.tick_params(axis="y", length=0)
