"""Figure `state_space`: trajectories of trials, class centres and slow points in two principal components."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.plots.style import GREY, cell_panels, class_colour, styled


@styled
def draw(trajectories: pd.DataFrame) -> Figure:
    """A panel for each cell of the grid, each of its first network.

    Args:
        trajectories: table `trajectories`.
    """
    figure, axes = cell_panels(trajectories, _draw_panel, first_network=True, width=3.1, height=2.9)
    for ax in axes[:, 0]:
        ax.set_ylabel("PC 2")
    for ax in axes[-1]:
        ax.set_xlabel("PC 1")
    handles = [
        Line2D([], [], color=GREY, lw=0.8, label="trial"),
        Line2D([], [], color=GREY, marker="o", mfc="white", ls="", ms=6, label="class centre"),
        Line2D([], [], color=GREY, marker="o", ls="", ms=9, label="slow point, with its class"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def _draw_panel(ax: Axes, network: pd.DataFrame, protocol: str) -> None:
    classes = network["label"].max()
    trials = network[network["kind"] == "trial"]
    for (label, _), trial in trials.groupby(["label", "trial"]):
        trial = trial.sort_values("frame")
        ax.plot(trial["pc1"], trial["pc2"], color=class_colour(label, classes), lw=0.7, alpha=0.7, zorder=1)
    points = network[network["kind"] != "trial"].set_index(["kind", "label"])
    for (kind, label), point in points.iterrows():
        colour = class_colour(label, classes)
        if kind == "centre":
            ax.plot(point["pc1"], point["pc2"], "o", mfc="white", mec=colour, mew=1.4, ms=6, zorder=3)
            if ("slow_point", label) in points.index:
                slow = points.loc[("slow_point", label)]
                ax.plot([point["pc1"], slow["pc1"]], [point["pc2"], slow["pc2"]], color=colour, lw=1, ls=":", zorder=2)
        else:
            ax.plot(point["pc1"], point["pc2"], "o", color=colour, mec="white", mew=0.8, ms=10, zorder=4)
            ink = "white" if label < 0.6 * classes else "black"
            ax.text(
                point["pc1"],
                point["pc2"],
                f"{label:.0f}",
                ha="center",
                va="center_baseline",
                color=ink,
                fontsize=7,
                zorder=5,
            )
    ax.set_xticks([])
    ax.set_yticks([])
