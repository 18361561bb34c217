"""Figure `relaxation`: how the state slows down after the class centre, and the speed of the slow point beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.analysis.aggregation import as_trained
from slowpoints.core.schemas.kinds import NETWORK
from slowpoints.plots.style import GREY, cell_panels, class_colour, styled
from slowpoints.task.timing import FRAMES

FAINT = 0.35
LEAST_SPEED = 1e-4  # drawn: slower states hardly move within any delay that is measured
TICK, NAME = 1.035, 1.1  # where the tick of a slow point ends, and where its name stands, in widths of the panel
APART = 0.058  # names of slow points, as a share of the panel's height
FIRST = 1  # added to frames, so that frame 0 has a place on a logarithmic axis


@styled
def draw(relaxation: pd.DataFrame, slow_points: pd.DataFrame) -> Figure:
    """A panel for each cell of the grid, each of its first network; a line a class, with its slow point at the edge.

    Args:
        relaxation: table `relaxation`; only networks as trained are drawn.
        slow_points: table `slow_points`, likewise.
    """
    points = as_trained(slow_points)[[*NETWORK, "label", "speed"]].rename(columns={"speed": "point_speed"})
    paths = as_trained(relaxation).merge(points, on=[*NETWORK, "label"], how="left")
    figure, axes = cell_panels(paths, _draw_panel, first_network=True, width=3.2, height=3.3)
    for ax in axes[:, 0]:
        ax.set_ylabel("speed, at least 10$^{-4}$\n(per frame, state units)")
    for ax in axes[-1]:
        ax.set_xlabel("frame under the mean input, + 1")
    handles = [
        Line2D([], [], color=GREY, lw=1.4, label="from the centre of a class"),
        Line2D([], [], color=GREY, lw=1.4, alpha=FAINT, label="the class is no longer read out"),
        Line2D([], [], color=GREY, lw=0.8, ls=":", label=f"frame {FRAMES}: settled speed"),
        Line2D([], [], color=GREY, marker="_", mew=2.4, ms=8, ls="", label="slow point, with its class"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols={1: 1, 2: 2}.get(axes.shape[1], 4))
    return figure


def _draw_panel(ax: Axes, network: pd.DataFrame, protocol: str) -> None:
    classes = int(network["label"].max())
    network = network.assign(
        place=network["frame"] + FIRST,
        speed=network["speed"].clip(lower=LEAST_SPEED),
        point_speed=network["point_speed"].clip(lower=LEAST_SPEED),
    )
    ax.set(xscale="log", yscale="log", xlim=(FIRST, network["place"].max()))
    ax.axvline(FRAMES + FIRST, color=GREY, lw=0.8, ls=":", zorder=0)
    points = {}
    for label, path in network.sort_values("frame").groupby("label"):
        colour, kept = class_colour(label, classes), held(path)
        ax.plot(path["place"], path["speed"], color=colour, lw=1.4, alpha=FAINT)
        ax.plot(path["place"][kept], path["speed"][kept], color=colour, lw=1.4)
        if path["point_speed"].notna().all():
            points[label] = path["point_speed"].iloc[0]
    shown = np.log10([*ax.get_ylim(), *points.values()])
    low, high = shown.min(), shown.max()
    ax.set_ylim(10**low, 10**high)
    heights = {label: (np.log10(speed) - low) / (high - low) for label, speed in points.items()}
    for (label, height), name in zip(heights.items(), _apart(list(heights.values())), strict=True):
        _mark_point(ax, f"{label}", height, name, class_colour(label, classes))


def held(paths: pd.DataFrame, by: Sequence[str] = ("label",)) -> pd.Series:
    """Whether the class has been read out at every frame up to each.

    Args:
        paths: rows of table `relaxation`, frames in order.
        by: columns that name a path.
    """
    read_out = paths["readout"] == paths["label"]
    return read_out.groupby([paths[column] for column in by], dropna=False).cummin()


def _apart(heights: list[float]) -> np.ndarray:
    """Heights moved as little as leaves room for a name each, in their order, and all within the panel."""
    order = np.argsort(heights, kind="stable")
    wanted = np.array(heights)[order] - APART * np.arange(len(heights))
    least, most = np.maximum.accumulate(wanted), np.minimum.accumulate(wanted[::-1])[::-1]
    room = max(0.0, 1 - APART * (len(heights) - 1))
    names = np.empty(len(heights))
    names[order] = ((least + most) / 2).clip(0, room) + APART * np.arange(len(heights))
    return names


def _mark_point(ax: Axes, text: str, height: float, name: float, colour: tuple) -> None:
    """A tick at the right edge, and its name, joined by a thin line."""
    line: dict[str, Any] = {"color": colour, "transform": ax.transAxes, "clip_on": False}
    ax.plot([1, TICK], [height, height], lw=2.4, solid_capstyle="butt", **line)
    ax.plot([TICK, NAME - 0.01], [height, name], lw=0.6, **line)
    ax.text(NAME, name, text, transform=ax.transAxes, va="center_baseline", fontsize=7, color=colour)
