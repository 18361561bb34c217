"""Figure `state_space` (rule `plot_state_space`): trials, class centres and slow points in two components."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.core.schemas.schema import NETWORK_COLUMNS, TableSchema, typed
from slowpoints.plots.figures import FigureSpec
from slowpoints.plots.style import GREY, SMALL, cell_panels, class_colour, class_handles, first_networks, legend, styled

FIGURE = FigureSpec(
    tables=("trajectories",), section="Does speed predict memory", title="States and slow points", order=1
)
DATA = TableSchema(
    "figure_state_space",
    {
        **NETWORK_COLUMNS,
        "kind": pa.string(),
        **typed(pa.int16(), "label", "trial", "frame"),
        **typed(pa.float64(), "pc1", "pc2"),
    },
)
DRAWN = ("trial", "centre", "slow_point")
OUTWARD = 0.06  # preferred distance of a name from its slow point, in sizes of the panel
FROM_NAMES, FROM_POINTS = 0.085, 0.06  # room between a name and other names and points, likewise
ROUNDS = 200  # in which names push each other apart


def data(trajectories: pd.DataFrame) -> pd.DataFrame:
    """States of the first network of each cell: frames of trials, class centres and slow points.

    Args:
        trajectories: table `trajectories`.
    """
    return first_networks(trajectories[trajectories["kind"].isin(DRAWN)])


@styled
def draw(data: pd.DataFrame) -> Figure:
    """A panel for each cell of the grid."""
    figure, _ = cell_panels(data, _draw_panel, height=1.65)
    figure.supylabel("PC 2")
    figure.supxlabel("PC 1")
    handles = [
        Line2D([], [], color=GREY, lw=0.6, label="trial"),
        Line2D([], [], color=GREY, marker="o", mfc="none", ls="", ms=5, label="class centre"),
        Line2D([], [], color=GREY, marker="o", ls="", ms=3, label="slow point, with its class"),
    ]
    legend(figure, [*handles, *class_handles(data)])
    return figure


def _draw_panel(ax: Axes, network: pd.DataFrame, protocol: str) -> None:
    classes = network["label"].max()
    trials = network[network["kind"] == "trial"]
    for (label, _), trial in trials.groupby(["label", "trial"]):
        trial = trial.sort_values("frame")
        ax.plot(trial["pc1"], trial["pc2"], color=class_colour(label, classes), lw=0.5, alpha=0.6, zorder=1)
    centres, points = (
        network[network["kind"] == kind].set_index("label")[["pc1", "pc2"]] for kind in ("centre", "slow_point")
    )
    # A ring around a disc, so that neither hides the other.
    for label, (x, y) in centres.iterrows():
        colour = class_colour(label, classes)
        ax.plot(x, y, "o", mfc="none", mec=colour, mew=0.9, ms=5, zorder=3)
        if label in points.index:
            slow = points.loc[label]
            ax.plot([x, slow["pc1"]], [y, slow["pc2"]], color=colour, lw=0.7, ls=":", zorder=2)
    for label, (x, y) in points.iterrows():
        ax.plot(x, y, "o", color=class_colour(label, classes), mec="white", mew=0.4, ms=3.4, zorder=4)
    ax.set(xticks=[], yticks=[])
    _name_points(ax, points)


def _name_points(ax: Axes, points: pd.DataFrame) -> None:
    ax.margins(0.08)
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    places = (points.to_numpy(float) - low) / (high - low)
    for label, point, name in zip(points.index, places, _name_places(places), strict=True):
        line: dict[str, Any] = {"color": GREY, "lw": 0.4, "zorder": 4, "transform": ax.transAxes}
        if np.hypot(*(name - point)) > 2 * OUTWARD:
            ax.plot(*zip(point, name, strict=True), **line)
        halo = [patheffects.withStroke(linewidth=1.5, foreground="white")]
        text: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontsize": SMALL, "transform": ax.transAxes}
        ax.text(name[0], name[1], f"{label:.0f}", zorder=5, path_effects=halo, **text)


def _name_places(points: np.ndarray) -> np.ndarray:
    """Positions `[P, 2]` of names in the unit square: outside of points `[P, 2]`, away from other names and points."""
    bearing = np.linspace(0, 2 * np.pi, len(points), endpoint=False)
    offset = np.stack([np.cos(bearing), np.sin(bearing)], axis=-1) * 1e-3  # separates points that coincide
    outward = points - points.mean(0, keepdims=True) + offset if len(points) else points
    names = points + OUTWARD * outward / np.linalg.norm(outward, axis=1, keepdims=True)
    for _ in range(ROUNDS):
        push = _pushes(names, names, FROM_NAMES) + _pushes(names, points, FROM_POINTS)
        names = np.clip(names + push, 0.04, 0.96)
    return names


def _pushes(names: np.ndarray, others: np.ndarray, least: float) -> np.ndarray:
    """Displacements `[P, 2]` of names away from others `[Q, 2]`: by half of what their distances lack to `least`."""
    offset = names[:, None] - others[None]
    distance = np.linalg.norm(offset, axis=-1, keepdims=True)
    missing = np.where(distance > 0, np.clip(least - distance, 0, None), 0)
    return (missing / 2 * offset / np.where(distance > 0, distance, 1)).sum(1)
