"""Figure `regularisation`: how far each mode of fine-tuning stretches memory, network by network."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowpoints.analysis.aggregation import accuracy_by_delay
from slowpoints.core.modes import CONTROL, LOOKS, TRAINED, lambda_text
from slowpoints.core.schemas.kinds import NETWORK
from slowpoints.plots.style import GREY, SHADE, ordered, panels, styled
from slowpoints.task.timing import FRAMES, MIN_DELAY

FADE = 0.6  # of the largest lambda's line


@styled
def draw(extrapolation: pd.DataFrame, regularisation: pd.DataFrame) -> Figure:
    """For each data set: mean accuracy against delay by mode; each network's memory score and speed before and after.

    Args:
        extrapolation: table `extrapolation`.
        regularisation: table `regularisation`.
    """
    datasets = ordered(regularisation["dataset"])
    figure, axes = panels(len(datasets), 3, width=3.5, height=2.9)
    for row, dataset in zip(axes, datasets, strict=True):
        tuned = regularisation[regularisation["dataset"] == dataset]
        curves = accuracy_by_delay(extrapolation[extrapolation["dataset"] == dataset], [*NETWORK, "mode", "lambda"])
        _draw_curves(row[0], curves.reset_index().drop(columns=NETWORK))
        _draw_change(row[1], tuned, "memory_score", "memory score")
        _draw_change(row[2], tuned, "log10_speed", "log$_{10}$ speed of slow points")
        for ax, what in zip(row, ("accuracy", "change of memory", "change of speed"), strict=True):
            ax.set_title(f"{dataset}: {what}", loc="left")
    axes[-1, 0].set_xlabel("delay (frames)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 5))
    return figure


def _name(mode: str, lambda_: float, several: bool) -> str:
    name = LOOKS[mode].label
    return f"{name}, λ = {lambda_text(lambda_)}" if several and mode not in (TRAINED, CONTROL) else name


def _draw_curves(ax: Axes, curves: pd.DataFrame) -> None:
    """Mean over all networks of the data set, a line for each mode and lambda."""
    ax.axvspan(MIN_DELAY, FRAMES - 1, color=SHADE, lw=0)
    several = curves.groupby("mode")["lambda"].nunique().max() > 1
    for mode, look in LOOKS.items():
        lambdas = curves.loc[curves["mode"] == mode, "lambda"]
        for place, lambda_ in enumerate(sorted(lambdas.unique())):
            chosen = (curves["mode"] == mode) & (np.isnan(lambda_) | (curves["lambda"] == lambda_))
            networks = curves[chosen].drop(columns=["mode", "lambda"])
            shade = 1 - FADE * place / max(1, lambdas.nunique() - 1) if several else 1
            line = {"color": look.colour, "ls": look.line, "alpha": shade, "lw": 1.8}
            ax.plot(networks.columns.to_numpy(int), networks.mean(), label=_name(mode, lambda_, several), **line)
    ax.set(xscale="log", ylim=(0, 1.03), ylabel="retrieval accuracy")
    ax.set_xlim(MIN_DELAY, int(curves.columns[-1]))


def _draw_change(ax: Axes, table: pd.DataFrame, measure: str, label: str) -> None:
    """Before and after each mode: a thin line a network, thick the mean."""
    several = table.groupby("mode")["lambda"].nunique().max() > 1
    columns = table[["mode", "lambda"]].drop_duplicates()
    columns = columns.sort_values("mode", key=lambda modes: modes.map(list(LOOKS).index)).itertuples(index=False)
    names = []
    for place, (mode, lambda_) in enumerate(columns):
        networks = table[(table["mode"] == mode) & (table["lambda"] == lambda_)]
        pair = networks[[f"{measure}_before", f"{measure}_after"]].to_numpy().T
        x = np.array([place - 0.28, place + 0.28])
        ax.plot(x, pair, color=LOOKS[mode].colour, lw=0.6, alpha=0.35)
        ax.plot(x, pair.mean(1), color=LOOKS[mode].colour, lw=2.2, marker="o", ms=4)
        names.append(_name(mode, lambda_, several).replace(" of ", "\nof ").replace(", ", "\n"))
    ax.axhline(table[f"{measure}_before"].mean(), color=GREY, lw=0.7, ls=":")
    ax.set_xticks(range(len(names)), names)
    ax.set_ylabel(f"{label}\nbefore → after")
