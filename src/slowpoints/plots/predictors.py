"""Figure `predictors` (rule `plot_predictors`): how well each measure predicts memory, level by level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowpoints.analysis.baselines import ACCURACIES, PROTOCOL
from slowpoints.analysis.predictors import KNOWN, predictor_name
from slowpoints.core.looks import Look
from slowpoints.core.schemas.schema import TableSchema, typed
from slowpoints.plots.figures import FigureSpec
from slowpoints.plots.style import GREY, legend, ordered, panels, say, styled

LEVELS = {
    "mixed": Look("networks, protocols mixed", "#c51b7d", marker="D"),
    "network": Look("networks, within cells", "#222222", marker="o"),
    "class": Look("classes, within networks", "#4dac26", marker="s"),
}
"""Levels of correlation, in the order of their marks in each row, from top to bottom."""
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
        **typed(pa.int32(), "n", "last_frame"),
        **typed(pa.float64(), "r", "low", "high"),
    },
)
APART = 0.24  # distance of the marks of a row, in heights of a row
ROW, AROUND = 0.2, 0.6  # heights in inches of a row, and of title, ticks and label
STRIPE = "#f4f4f4"  # behind every other row


def data(correlations: pd.DataFrame) -> pd.DataFrame:
    """Spearman's rho of each predictor at each level, in each data set and, with several, over all (`dataset` null).

    Args:
        correlations: table `correlations`.
    """
    pooled = correlations["architecture"].isna() & correlations["protocol"].isna()
    chosen = correlations[pooled & (correlations["method"] == "spearman") & correlations["level"].isin(list(LEVELS))]
    over_all = chosen["dataset"].isna()
    parts = [chosen[~over_all]] + ([chosen[over_all]] if chosen["dataset"].nunique() != 1 else [])
    return pd.concat(parts).reindex(columns=list(DATA.columns))


@styled
def draw(data: pd.DataFrame) -> Figure:
    """A panel for each data set and one for all; one row per predictor, one mark with 95 % interval per level.

    Baselines are in italics; brackets give the last frame of the delay that a predictor uses.
    """
    parts = {dataset: data[data["dataset"] == dataset] for dataset in ordered(data["dataset"].dropna())}
    if len(parts) != 1:
        parts["all"] = data[data["dataset"].isna()]
    predictors = _present(data)
    height = ROW * len(predictors) + AROUND
    figure, axes = panels(1, len(parts), height=height, one_column=1, sharey=True)
    for ax, (name, rows) in zip(axes[0], parts.items(), strict=True):
        _draw_panel(ax, rows, list(predictors))
        ax.set_title(name, loc="left")
        ax.set_xlabel("Spearman's ρ")
        ax.set_yticks(range(len(predictors)), [_label(name, last) for name, last in predictors.items()])
    for name, text in zip(predictors, axes[0, 0].get_yticklabels(), strict=True):
        text.set_fontstyle("italic" if name in (*ACCURACIES, PROTOCOL) else "normal")
    if predictors:
        legend(figure, axes[0, 0].get_legend_handles_labels()[0])
    return figure


def _present(table: pd.DataFrame) -> dict[str, float]:
    """Predictors with the last frame of the delay that each uses (NaN for none), in the order of that frame.

    Predictors with the same frame are in the order of `KNOWN`, unknown ones last.
    """
    last = table.groupby("predictor", sort=False)["last_frame"].max()
    order = {name: rank for rank, name in enumerate(KNOWN)}
    names = sorted(last.index, key=lambda name: (last.fillna(-1)[name], order.get(name, len(order))))
    return {name: last[name] for name in names}


def _label(predictor: str, last_frame: float) -> str:
    name = predictor_name(predictor)
    return name if pd.isna(last_frame) else f"{name} ({last_frame:.0f})"


def _draw_panel(ax: Axes, rows: pd.DataFrame, predictors: Sequence[str]) -> None:
    if rows["r"].isna().all():
        say(ax, "no correlations")
    for place in range(0, len(predictors), 2):
        ax.axhspan(place - 0.5, place + 0.5, color=STRIPE, lw=0, zorder=0)
    ax.axvline(0, color=GREY, lw=0.6, zorder=1)
    for offset, (level, look) in enumerate(LEVELS.items(), start=-1):
        of_level = rows[rows["level"] == level].set_index("predictor").reindex(predictors)
        heights = np.arange(len(predictors)) + APART * offset
        ax.hlines(heights, of_level["low"], of_level["high"], color=look.colour, lw=1, zorder=2)
        ax.plot(of_level["r"], heights, look.marker, color=look.colour, mec="white", mew=0.3, ms=3, label=look.label)
    ax.set(xlim=(-1.03, 1.03), ylim=(len(predictors) - 0.5, -0.5), xticks=(-1, -0.5, 0, 0.5, 1))
    ax.tick_params(axis="y", length=0)
