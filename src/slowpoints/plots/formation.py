"""Figure `formation` (rule `plot_formation`): when each memory was born, from which other one, and its speed."""

from __future__ import annotations

import textwrap
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.analysis.births import births
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

FIGURE = FigureSpec(tables=("formation",), section="How memories form", title="Births of memories", findings=True)
DATA = TableSchema(
    "figure_formation",
    {
        **NETWORK_COLUMNS,
        "label": pa.int16(),
        "step": pa.int32(),
        "speed": pa.float64(),
        **typed(pa.bool_(), "memory", "birth", "merged", "curriculum_changed"),
        "from_label": pa.int16(),
    },
)
FAINT = 0.25
LEAST_SPEED = 1e-4  # smallest speed drawn: slower points hardly move within any delay measured
APART = 0.075  # distance of names at the ends of lines, as a share of the axis
LINE_WIDTH = 26  # characters per line of merged births
LINE = 0.09  # height of such a line, as a share of the axis


def data(formation: pd.DataFrame) -> pd.DataFrame:
    """Tracks of the first network of each cell: a row for each class and snapshot.

    Speeds are at least `LEAST_SPEED`. `memory` says whether the point is a memory; `birth`, whether it has become one
    since the snapshot before; `merged`, whether its track was merged with that of class `from_label` before its birth;
    and `curriculum_changed`, whether classes came into use or trials grew longer since the snapshot before.

    Args:
        formation: table `formation`.
    """
    tracks = first_networks(formation)
    at = [*NETWORK, "label", "step"]
    born = births(tracks)[[*at, "merged", "from_label"]].assign(birth=True)
    tracks = tracks.merge(born, on=at, how="left").rename(columns={"born": "memory"})
    tracks[["birth", "merged"]] = tracks[["birth", "merged"]].eq(True)
    changed = changes(tracks)[[*NETWORK, "step"]].assign(curriculum_changed=True)
    tracks = tracks.merge(changed, on=[*NETWORK, "step"], how="left")
    tracks["curriculum_changed"] = tracks["curriculum_changed"].eq(True)
    return tracks.assign(speed=tracks["speed"].clip(lower=LEAST_SPEED))


def changes(formation: pd.DataFrame) -> pd.DataFrame:
    """Snapshots at which the curriculum had changed, with in_use (classes) and t_max (frames), by network and step.

    Args:
        formation: table `formation`.
    """
    stages = formation.groupby([*NETWORK, "step"]).agg(in_use=("in_use", "sum"), t_max=("t_max", "first"))
    changed = (stages.groupby(NETWORK).diff().fillna(0) != 0).any(axis=1)  # the first has none before it
    return stages[changed].reset_index()


@styled
def draw(data: pd.DataFrame) -> Figure:
    """A panel for each cell of the grid, with a line per memory."""
    figure, _ = cell_panels(data, _draw_panel, height=1.95)
    figure.supylabel("speed of slow point, at least 10$^{-4}$\n(per frame, state units)", ma="center")
    figure.supxlabel("training step")
    handles = [
        Line2D([], [], color=GREY, lw=1.2, label="memory, with its class"),
        Line2D([], [], color=GREY, lw=0.6, alpha=0.5, label="its point before the memory existed"),
        Line2D([], [], color=GREY, lw=0.6, ls=":", label="change of the curriculum"),
        Line2D([], [], color=GREY, marker="o", ls="", ms=3.5, label="birth, apart from other points before"),
        Line2D(
            [], [], color=GREY, marker="o", mfc="white", ls="", ms=3.5, label="birth, merged before; “5←3”: 5 with 3"
        ),
    ]
    legend(figure, [*handles, *class_handles(data)])
    return figure


def _draw_panel(ax: Axes, network: pd.DataFrame, protocol: str) -> None:
    classes = int(network["label"].max())
    ends = {}
    for label, track in network.sort_values("step").groupby("label"):
        colour = class_colour(label, classes)
        ax.plot(track["step"], track["speed"], color=colour, lw=0.6, alpha=FAINT)
        memory = track[track["memory"]]
        ax.plot(memory["step"], memory["speed"], color=colour, lw=1.1)
        ends[label] = (track["speed"].iloc[-1], colour)
        for birth in track[track["birth"]].itertuples():
            face = "white" if birth.merged else colour
            ax.plot(birth.step, birth.speed, "o", mfc=face, mec=colour, mew=0.9, ms=3.5, zorder=4)
    for step in network.loc[network["curriculum_changed"], "step"].unique():
        ax.axvline(step, color=GREY, lw=0.6, ls=":", zorder=0)
    ax.margins(x=0.02)
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(mpl.ticker.LogFormatterSciNotation())
    _name_births(ax, network)
    _name_ends(ax, ends)


def _name_births(ax: Axes, network: pd.DataFrame) -> None:
    """Names both classes of each birth from a merged track, in order of birth, in lines above the tracks."""
    merged = network[network["merged"]].sort_values("step")
    names = "  ".join(f"{birth.label:.0f}←{birth.from_label:.0f}" for birth in merged.itertuples())
    lines = textwrap.wrap(names, LINE_WIDTH)
    low, high = np.log10(network["speed"].min()), np.log10(network["speed"].max())
    span = high - low or 1.0  # one decade if all speeds are equal
    headroom = 0.05 + LINE * len(lines)
    ax.set_ylim(10 ** (low - 0.05 * span), 10 ** (high + headroom / (1 - headroom) * span))
    if lines:
        place: dict[str, Any] = {"transform": ax.transAxes, "ha": "left", "va": "top", "linespacing": 1.0}
        box = {"fc": "white", "lw": 0, "pad": 0.5}
        ax.text(0.02, 1.0, "\n".join(lines), color=GREY, fontsize=SMALL, bbox=box, **place)


def _name_ends(ax: Axes, ends: dict) -> None:
    """Names classes at the ends of their lines, spread apart where lines end close together."""
    low, high = np.log10(ax.get_ylim())
    heights = [(np.log10(speed) - low) / (high - low) for speed, _ in ends.values()]
    for (label, (_, colour)), height in zip(ends.items(), apart(heights, APART), strict=True):
        at: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
        ax.annotate(f"{label}", (1, height), (2, 0), va="center", fontsize=SMALL, color=colour, **at)
