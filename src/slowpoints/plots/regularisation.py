"""Figure `regularisation`: how far each mode of fine-tuning stretches memory, network by network."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from slowpoints.plots.style import GREY, ordered, panels
from slowpoints.tables import NETWORK, accuracy_by_delay
from slowpoints.task import FRAMES, MIN_DELAY

COLOURS = {
    "trained": "#9a9a9a",
    "control": "#4d4d4d",
    "slow_points": "#0b4f8a",
    "centre_of_mass": "#e08214",
    "tracking": "#35978f",
}
LINES = {"trained": ":", "control": "-.", "slow_points": "-", "centre_of_mass": "--", "tracking": (0, (5, 1, 1, 1))}
NAMES = {"trained": "before", "slow_points": "slow points", "centre_of_mass": "centre of mass"}


def draw(extrapolation: pd.DataFrame, regularisation: pd.DataFrame) -> Figure:
    """For each data set: mean accuracy against delay by mode; and each network's memory score against control.

    Args:
        extrapolation: table `extrapolation`.
        regularisation: table `regularisation`.
    """
    datasets = ordered(regularisation["dataset"])
    figure, axes = panels(len(datasets), 3, width=3.5, height=2.9)
    for row, dataset in zip(axes, datasets, strict=True):
        own = regularisation[regularisation["dataset"] == dataset]
        curves = accuracy_by_delay(extrapolation[extrapolation["dataset"] == dataset], [*NETWORK, "mode", "lambda"])
        _draw_curves(row[0], curves.reset_index().drop(columns=NETWORK))
        _draw_change(row[1], own, "memory_score", "memory score")
        _draw_change(row[2], own, "log10_speed", "log$_{10}$ speed of slow points")
        for ax, what in zip(row, ("accuracy", "change of memory", "change of speed"), strict=True):
            ax.set_title(f"{dataset}: {what}", loc="left")
    axes[-1, 0].set_xlabel("delay (frames)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 5))
    return figure


def _name(mode: str, weight: float, several: bool) -> str:
    name = NAMES.get(mode, mode)
    return f"{name}, λ = {weight:g}" if several and mode not in ("trained", "control") else name


def _draw_curves(ax, curves: pd.DataFrame) -> None:
    """Mean over all networks of the data set, a line for each mode and lambda."""
    ax.axvspan(MIN_DELAY, FRAMES - 1, color="#e9e9e9", lw=0)
    several = curves.groupby("mode")["lambda"].nunique().max() > 1
    for mode in COLOURS:
        weights = curves.loc[curves["mode"] == mode, "lambda"]
        for place, weight in enumerate(sorted(weights.unique())):
            mine = (curves["mode"] == mode) & (np.isnan(weight) | (curves["lambda"] == weight))
            own = curves[mine].drop(columns=["mode", "lambda"])
            shade = 1 - 0.6 * place / max(1, weights.nunique() - 1) if several else 1
            label = _name(mode, weight, several)
            look = {"color": COLOURS[mode], "ls": LINES[mode], "alpha": shade, "lw": 1.8}
            ax.plot(own.columns.to_numpy(int), own.mean(), label=label, **look)
    ax.set(xscale="log", ylim=(0, 1.03), ylabel="retrieval accuracy")
    ax.set_xlim(MIN_DELAY, int(curves.columns[-1]))


def _draw_change(ax, table: pd.DataFrame, measure: str, label: str) -> None:
    """Before and after each mode: a thin line a network, thick the mean."""
    several = table.groupby("mode")["lambda"].nunique().max() > 1
    columns = table[["mode", "lambda"]].drop_duplicates()
    columns = columns.sort_values("mode", key=lambda modes: modes.map(list(COLOURS).index)).itertuples(index=False)
    names = []
    for place, (mode, weight) in enumerate(columns):
        own = table[(table["mode"] == mode) & (table["lambda"] == weight)]
        pair = own[[f"{measure}_before", f"{measure}_after"]].to_numpy().T
        x = np.array([place - 0.28, place + 0.28])
        ax.plot(x, pair, color=COLOURS[mode], lw=0.6, alpha=0.35)
        ax.plot(x, pair.mean(1), color=COLOURS[mode], lw=2.2, marker="o", ms=4)
        names.append(_name(mode, weight, several).replace(" of ", "\nof ").replace(", ", "\n"))
    ax.axhline(table[f"{measure}_before"].mean(), color=GREY, lw=0.7, ls=":")
    ax.set_xticks(range(len(names)), names)
    ax.set_ylabel(f"{label}\nbefore → after")
