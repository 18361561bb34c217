"""Figure `predictors`: how well each measure predicts memory, with protocols mixed, within cells and by class."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowpoints.analysis.names import PREDICTOR_NAMES
from slowpoints.core.looks import Look
from slowpoints.core.schemas.schema import TableSchema, typed
from slowpoints.plots.figures import FigureSpec
from slowpoints.plots.style import GREY, legend, ordered, panels, say, styled

LEVELS = {
    "mixed": Look("networks, protocols mixed", "#c51b7d", marker="D"),
    "network": Look("networks, within cells", "#222222", marker="o"),
    "class": Look("classes, within networks", "#4dac26", marker="s"),
}
"""What is ranked, and within what: a mark in each row, from top to bottom."""
FIGURE = FigureSpec(
    tables=("correlations",),
    section="Does speed predict memory",
    title="Other predictors of memory",
    order=3,
    findings=True,
)
DATA = TableSchema(
    "figure_predictors",
    {
        **typed(pa.string(), "dataset", "predictor", "level"),
        "n": pa.int32(),
        **typed(pa.float64(), "r", "low", "high"),
    },
)
APART = 0.24  # marks of a row, in rows
ROW = 0.2  # inches
AROUND = 0.6  # title, ticks and label
STRIPE = "#f4f4f4"  # behind every other row


def data(correlations: pd.DataFrame) -> pd.DataFrame:
    """Spearman's rho of each predictor at each level, in each data set and, of several, over all (`dataset` null).

    Args:
        correlations: table `correlations`.
    """
    pooled = correlations["architecture"].isna() & correlations["protocol"].isna()
    chosen = correlations[pooled & (correlations["method"] == "spearman") & correlations["level"].isin(list(LEVELS))]
    over_all = chosen["dataset"].isna()
    return pd.concat([chosen[~over_all]] + ([chosen[over_all]] if chosen["dataset"].nunique() != 1 else []))


@styled
def draw(data: pd.DataFrame) -> Figure:
    """A panel for each data set and one for all, a row a predictor, a mark with its 95 % interval a level."""
    parts = {dataset: data[data["dataset"] == dataset] for dataset in ordered(data["dataset"].dropna())}
    if len(parts) != 1:
        parts["all"] = data[data["dataset"].isna()]
    predictors = _present(data)
    height = ROW * len(predictors) + AROUND
    figure, axes = panels(1, len(parts), height=height, one_column=1, sharey=True)
    for ax, (name, rows) in zip(axes[0], parts.items(), strict=True):
        _draw_panel(ax, rows, predictors)
        ax.set_title(name, loc="left")
        ax.set_xlabel("Spearman's ρ")
        ax.set_yticks(range(len(predictors)), [PREDICTOR_NAMES.get(name, name) for name in predictors])
    if predictors:
        legend(figure, axes[0, 0].get_legend_handles_labels()[0])
    return figure


def _present(table: pd.DataFrame) -> list[str]:
    """Predictors that occur, those with a name first, in its order."""
    present = ordered(table["predictor"])
    named = [name for name in PREDICTOR_NAMES if name in present]
    return named + [name for name in present if name not in named]


def _draw_panel(ax: Axes, rows: pd.DataFrame, predictors: list[str]) -> None:
    if rows["r"].isna().all():
        say(ax, "no correlations")
    for place in range(0, len(predictors), 2):
        ax.axhspan(place - 0.5, place + 0.5, color=STRIPE, lw=0, zorder=0)
    ax.axvline(0, color=GREY, lw=0.6, zorder=1)
    for offset, (level, look) in enumerate(LEVELS.items(), start=-1):
        found = rows[rows["level"] == level].set_index("predictor").reindex(predictors)
        heights = np.arange(len(predictors)) + APART * offset
        ax.hlines(heights, found["low"], found["high"], color=look.colour, lw=1, zorder=2)
        ax.plot(found["r"], heights, look.marker, color=look.colour, mec="white", mew=0.3, ms=3, label=look.label)
    ax.set(xlim=(-1.03, 1.03), ylim=(len(predictors) - 0.5, -0.5), xticks=(-1, -0.5, 0, 0.5, 1))
    ax.tick_params(axis="y", length=0)
