"""Figure `formation`: when each memory was born, from which, and how fast its slow point has been since."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.births import births
from slowpoints.plots.style import GREY, cell_panels, cell_title, class_colour, say

FAINT = 0.25


def draw(formation: pd.DataFrame) -> Figure:
    """A panel for each cell of the grid, each of its first network; a line a memory.

    Args:
        formation: table `formation`.
    """
    figure, axes, filled = cell_panels(formation, width=3.5, height=3.0)
    for ax, cell, own in filled:
        ax.set_title(cell_title(*cell), loc="left")
        if own.empty:
            say(ax, "no class is read out")
            continue
        first = own["seed"].min()
        ax.set_title(f"{cell_title(*cell)}, seed {first}", loc="left")
        _draw_panel(ax, own[own["seed"] == first])
    for ax in axes[:, 0]:
        ax.set_ylabel("speed of slow point\n(per frame, state units)")
    for ax in axes[-1]:
        ax.set_xlabel("training step")
    handles = [
        Line2D([], [], color=GREY, lw=1.6, label="memory, with its class"),
        Line2D([], [], color=GREY, lw=0.8, alpha=0.5, label="its point before the memory was there"),
        Line2D([], [], color=GREY, marker="o", mfc="white", ls="", ms=5, label="birth; “← 3”: out of memory 3"),
        Line2D([], [], color=GREY, lw=0.8, ls=":", label="change of the curriculum"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4 if axes.shape[1] > 2 else 2)
    return figure


def _draw_panel(ax, network: pd.DataFrame) -> None:
    classes = int(network["label"].max())
    born = births(network).set_index("label")
    ends = {}
    for label, track in network.sort_values("step").groupby("label"):
        colour = class_colour(label, classes)
        ax.plot(track["step"], track["speed"], color=colour, lw=0.8, alpha=FAINT)
        memory = track[track["born"]]
        ax.plot(memory["step"], memory["speed"], color=colour, lw=1.6)
        if label in born.index:
            birth = born.loc[label]
            parent = "" if np.isnan(birth["parent"]) else f"{label}←{birth['parent']:.0f}"
            height = 10 ** birth["log10_speed"]
            ax.plot(birth["step"], height, "o", mfc="white", mec=colour, ms=5, zorder=4)
            above = {"xytext": (0, 6), "textcoords": "offset points", "ha": "center"}
            ax.annotate(parent, (birth["step"], height), fontsize=7, color=colour, **above)
        ends[label] = (track["speed"].iloc[-1], colour)
    _mark_changes(ax, network)
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(mpl.ticker.LogFormatterSciNotation())
    _name_ends(ax, network["step"].max(), ends)


def _mark_changes(ax, network: pd.DataFrame) -> None:
    """Dotted lines at the snapshots where classes came into use or trials grew longer."""
    stages = network.groupby("step").agg(in_use=("in_use", "sum"), t_max=("t_max", "first"))
    changed = (stages.diff() != 0).any(axis=1).iloc[1:]
    for step in changed[changed].index:
        ax.axvline(step, color=GREY, lw=0.8, ls=":", zorder=0)


def _name_ends(ax, step: int, ends: dict) -> None:
    """Classes at the ends of their lines, pushed apart where lines end close together."""
    low, high = np.log10(ax.get_ylim())
    least = 0.055 * (high - low)
    height = -np.inf
    for label, (speed, colour) in sorted(ends.items(), key=lambda item: item[1][0]):
        height = max(np.log10(speed), height + least)
        ax.annotate(
            f"{label}", (step, 10**height), (4, 0), textcoords="offset points", va="center", fontsize=7, color=colour
        )
