"""Figure `relaxation` (rule `plot_relaxation`): how the state slows down after the class centre."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.analysis.aggregation import as_trained
from slowpoints.core.schemas.schema import NETWORK, NETWORK_COLUMNS, TableSchema, typed
from slowpoints.plots.figures import FigureSpec
from slowpoints.plots.style import (
    GREY,
    SMALL,
    apart,
    cell_panels,
    class_colour,
    class_handles,
    first_networks,
    legend,
    styled,
)
from slowpoints.task.timing import FRAMES

FIGURE = FigureSpec(
    tables=("relaxation", "slow_points"), section="Does speed predict memory", title="How states slow down", order=4
)
DATA = TableSchema(
    "figure_relaxation",
    {
        **NETWORK_COLUMNS,
        **typed(pa.int32(), "label", "frame"),
        "speed": pa.float64(),
        "held": pa.bool_(),
        "point_speed": pa.float64(),
    },
)
FAINT = 0.35
LEAST_SPEED = 1e-4  # smallest speed drawn: slower states hardly move within any delay measured
TICK, NAME = 1.035, 1.1  # positions of the end of a slow point's tick, and of its name, in widths of the panel
APART = 0.068  # distance of the names of slow points, as a share of the panel's height
FIRST = 1  # added to frames, so that a logarithmic axis can show frame 0


def data(relaxation: pd.DataFrame, slow_points: pd.DataFrame) -> pd.DataFrame:
    """Paths of the first trained network of each cell: a row for each class and frame.

    Speeds are at least `LEAST_SPEED`. `point_speed` is the speed of the class's slow point; `held` says whether the
    class has been read out at every frame up to this one.

    Args:
        relaxation: table `relaxation`.
        slow_points: table `slow_points`.
    """
    points = as_trained(slow_points)[[*NETWORK, "label", "speed"]].rename(columns={"speed": "point_speed"})
    paths = first_networks(as_trained(relaxation)).merge(points, on=[*NETWORK, "label"], how="left")
    paths = paths.sort_values("frame", kind="stable")
    paths["held"] = held(paths, [*NETWORK, "label"])
    for speed in ("speed", "point_speed"):
        paths[speed] = paths[speed].clip(lower=LEAST_SPEED)
    return paths


def held(paths: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    """For each row, whether the class has been read out at every frame up to it.

    Args:
        paths: rows of table `relaxation`, with frames in order.
        by: columns that identify a path.
    """
    read_out = (paths["readout"] == paths["label"]).astype(bool)
    return read_out.groupby([paths[column] for column in by], dropna=False).cummin()


@styled
def draw(data: pd.DataFrame) -> Figure:
    """A panel for each cell of the grid, with a line per class, and its slow point at the edge."""
    figure, _ = cell_panels(data, _draw_panel, height=1.9)
    figure.supylabel("speed, at least 10$^{-4}$\n(per frame, state units)", ma="center")
    figure.supxlabel("frame under the mean input, + 1")
    handles = [
        Line2D([], [], color=GREY, lw=1.1, label="from the centre of a class"),
        Line2D([], [], color=GREY, lw=1.1, alpha=FAINT, label="the class is no longer read out"),
        Line2D([], [], color=GREY, lw=0.7, ls=":", label=f"frame {FRAMES}: settled speed"),
        Line2D([], [], color=GREY, marker="_", mew=2, ms=6, ls="", label="slow point, with its class"),
    ]
    legend(figure, [*handles, *class_handles(data)])
    return figure


def _draw_panel(ax: Axes, network: pd.DataFrame, protocol: str) -> None:
    classes = int(network["label"].max())
    network = network.assign(place=network["frame"] + FIRST)
    ax.set(xscale="log", yscale="log", xlim=(FIRST, network["place"].max()))
    ax.axvline(FRAMES + FIRST, color=GREY, lw=0.7, ls=":", zorder=0)
    points = {}
    for label, path in network.groupby("label"):
        colour, is_held = class_colour(label, classes), path["held"]
        ax.plot(path["place"], path["speed"], color=colour, lw=1, alpha=FAINT)
        ax.plot(path["place"][is_held], path["speed"][is_held], color=colour, lw=1)
        if path["point_speed"].notna().all():
            points[label] = path["point_speed"].iloc[0]
    shown = np.log10([*ax.get_ylim(), *points.values()])
    low, high = shown.min(), shown.max()
    ax.set_ylim(10**low, 10**high)
    heights = {label: (np.log10(speed) - low) / (high - low) for label, speed in points.items()}
    for (label, height), name in zip(heights.items(), apart(list(heights.values()), APART), strict=True):
        _mark_point(ax, f"{label}", height, name, class_colour(label, classes))


def _mark_point(ax: Axes, text: str, height: float, name: float, colour: tuple) -> None:
    """Draws a tick at the right edge, and its name, to which a thin line leads."""
    line: dict[str, Any] = {"color": colour, "transform": ax.transAxes, "clip_on": False}
    ax.plot([1, TICK], [height, height], lw=2, solid_capstyle="butt", **line)
    ax.plot([TICK, NAME - 0.01], [height, name], lw=0.5, **line)
    ax.text(NAME, name, text, transform=ax.transAxes, va="center_baseline", fontsize=SMALL, color=colour)
