"""Figure `speed_vs_memory`: the speed of a network's slow points against how long it remembers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.plots.style import GREY, ordered, panels, protocols_in, styled, unit_look
from slowpoints.task.protocols import PROTOCOLS


@styled
def draw(networks: pd.DataFrame, correlations: pd.DataFrame) -> Figure:
    """A panel for each data set, a point a network.

    Args:
        networks: table `networks`.
        correlations: table `correlations`.
    """
    datasets = ordered(networks["dataset"])
    figure, axes = panels(1, len(datasets), width=3.7, height=4.0)
    for ax, dataset in zip(axes.flat, datasets, strict=True):
        in_panel = networks[networks["dataset"] == dataset]
        for (protocol, architecture, learned), group in in_panel.groupby(["protocol", "architecture", "learned"]):
            colour = PROTOCOLS[protocol].look.colour
            ax.scatter(
                group["log10_speed"],
                group["memory_score"],
                marker=unit_look(architecture).marker,
                s=42,
                facecolor=colour if learned else "none",
                edgecolor="white" if learned else colour,
                linewidth=0.6 if learned else 1.2,
                zorder=3,
            )
        ax.set_title(dataset, loc="left")
        ax.set_xlabel("log$_{10}$ speed of slow points\n(mean over classes; per frame, state units)")
        ax.text(0.98, 0.98, _summary(correlations, dataset), transform=ax.transAxes, ha="right", va="top", fontsize=8)
        ax.margins(0.08)
        low, high = ax.get_ylim()
        ticks = [tick for tick in ax.get_yticks() if low <= tick <= high]
        ax.set_ylim(low, high + 0.45 * (high - low))  # room for the numbers above the points
        ax.set_yticks(ticks)
        ax.grid(color="#eeeeee", lw=0.7, zorder=0)
    axes[0, 0].set_ylabel("memory score\n(accuracy over log delay, 20 to longest)")
    figure.legend(handles=_handles(networks), loc="outside upper center", ncols=5)
    return figure


def _summary(correlations: pd.DataFrame, dataset: str) -> str:
    """Spearman's rho with its interval and p: pooled within cells, then by cell."""
    chosen = correlations.query(
        "dataset == @dataset and level == 'network' and predictor == 'log10_speed' and method == 'spearman'"
    )
    pooled = chosen[chosen["architecture"].isna() & chosen["protocol"].isna()]
    cells = chosen[chosen["architecture"].notna() & chosen["protocol"].notna()]
    lines = [f"within cells: {_rho(row)}" for row in pooled.itertuples()]
    lines += [
        f"{unit_look(row.architecture).label} {PROTOCOLS[row.protocol].look.label}: {_rho(row)}"
        for row in cells.itertuples()
    ]
    return "\n".join(lines)


def _rho(row: Any) -> str:
    if np.isnan(row.r):
        return f"too few networks (n = {row.n})"
    return f"ρ = {row.r:.2f} [{row.low:.2f}, {row.high:.2f}], n = {row.n}".replace("-", "−")


def _handles(networks: pd.DataFrame) -> list[Line2D]:
    handles = [
        Line2D([], [], marker="s", ls="", color=PROTOCOLS[protocol].look.colour, label=PROTOCOLS[protocol].look.label)
        for protocol in protocols_in(networks)
    ]
    handles += [
        Line2D([], [], marker=unit_look(architecture).marker, ls="", color=GREY, label=unit_look(architecture).label)
        for architecture in ordered(networks["architecture"])
    ]
    if not networks["learned"].all():
        handles.append(Line2D([], [], marker="o", ls="", mfc="none", color=GREY, label="did not learn"))
    return handles
