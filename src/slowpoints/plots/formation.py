"""Figure `formation`: when each memory was born, off which other, and how fast its slow point has been since."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.analysis.births import births
from slowpoints.plots.style import GREY, cell_panels, class_colour, styled

FAINT = 0.25
LEAST_SPEED = 1e-4  # drawn: slower points hardly move within any delay that is measured
NAME_WIDTH = 0.1  # of the name of a birth, as a share of the axis
HEADROOM = 0.35  # above the lines, for the names of births, as a share of their height


@styled
def draw(formation: pd.DataFrame) -> Figure:
    """A panel for each cell of the grid, each of its first network; a line a memory.

    Args:
        formation: table `formation`.
    """
    figure, axes = cell_panels(formation, _draw_panel, first_network=True, width=3.5, height=3.0)
    for ax in axes[:, 0]:
        ax.set_ylabel("speed of slow point, at least 10$^{-4}$\n(per frame, state units)")
    for ax in axes[-1]:
        ax.set_xlabel("training step")
    handles = [
        Line2D([], [], color=GREY, lw=1.6, label="memory, with its class"),
        Line2D([], [], color=GREY, lw=0.8, alpha=0.5, label="its point before the memory was there"),
        Line2D([], [], color=GREY, marker="o", ls="", ms=5, label="birth, apart from other points before"),
        Line2D([], [], color=GREY, marker="o", mfc="white", ls="", ms=5, label="birth, merged before; “5←3”: 5 with 3"),
        Line2D([], [], color=GREY, lw=0.8, ls=":", label="change of the curriculum"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=5 if axes.shape[1] > 3 else 2)
    return figure


def _draw_panel(ax: Axes, network: pd.DataFrame, protocol: str) -> None:
    classes = int(network["label"].max())
    network = network.assign(speed=network["speed"].clip(lower=LEAST_SPEED))
    ends = {}
    for label, track in network.sort_values("step").groupby("label"):
        colour = class_colour(label, classes)
        ax.plot(track["step"], track["speed"], color=colour, lw=0.8, alpha=FAINT)
        memory = track[track["born"]]
        ax.plot(memory["step"], memory["speed"], color=colour, lw=1.6)
        ends[label] = (track["speed"].iloc[-1], colour)
    for step in changes(network).index:
        ax.axvline(step, color=GREY, lw=0.8, ls=":", zorder=0)
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(mpl.ticker.LogFormatterSciNotation())
    low, high = np.log10(network["speed"].min()), np.log10(network["speed"].max())
    span = high - low or 1.0  # a decade, where all speeds are one
    ax.set_ylim(10 ** (low - 0.05 * span), 10 ** (high + HEADROOM * span))
    _mark_births(ax, births(network), classes)
    _name_ends(ax, network["step"].max(), ends)


def _mark_births(ax: Axes, born: pd.DataFrame, classes: int) -> None:
    """A disc at each birth; a circle at one that was merged before, with both classes in rows in the headroom above."""
    wide = NAME_WIDTH * np.diff(ax.get_xlim())[0]
    rows: list[float] = []  # where the last name of each row stands
    for birth in born.sort_values("step").itertuples():
        colour = class_colour(birth.label, classes)
        face = "white" if birth.merged else colour
        ax.plot(birth.step, max(10**birth.log10_speed, LEAST_SPEED), "o", mfc=face, mec=colour, ms=5, zorder=4)
        if not birth.merged:
            continue
        row = next((row for row, last in enumerate(rows) if birth.step - last >= wide), len(rows))
        rows[row : row + 1] = [birth.step]
        ax.annotate(
            f"{birth.label:.0f}←{birth.from_label:.0f}",
            (birth.step, 1),
            (0, -8 * row),
            xycoords=ax.get_xaxis_transform(),
            textcoords="offset points",
            fontsize=7,
            color=colour,
            ha="center",
            va="top",
        )


def changes(network: pd.DataFrame) -> pd.DataFrame:
    """Snapshots at which the curriculum had changed: in_use (classes) and t_max (frames) there, by step.

    Args:
        network: rows of table `formation` of one network.
    """
    stages = network.groupby("step").agg(in_use=("in_use", "sum"), t_max=("t_max", "first"))
    changed = (stages.diff() != 0).any(axis=1)
    return stages[changed].iloc[1:]  # the first differs from nothing


def _name_ends(ax: Axes, step: int, ends: dict) -> None:
    """Classes at the ends of their lines, pushed apart where lines end close together."""
    low, high = np.log10(ax.get_ylim())
    least = 0.055 * (high - low)
    height = -np.inf
    for label, (speed, colour) in sorted(ends.items(), key=lambda item: item[1][0]):
        height = max(np.log10(speed), height + least)
        ax.annotate(
            f"{label}", (step, 10**height), (4, 0), textcoords="offset points", va="center", fontsize=7, color=colour
        )
