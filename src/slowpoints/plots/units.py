"""Figure `units` (rule `plot_units`): memory by recurrent unit, beside what the spectrum in noise allows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from slowpoints.core.looks import unit_look
from slowpoints.core.schemas.schema import NETWORK_COLUMNS, TableSchema, typed
from slowpoints.plots.figures import FigureSpec
from slowpoints.plots.style import GREY, SHADE, legend, ordered, panels, protocols_in, say, styled
from slowpoints.task.protocols import PROTOCOLS

FIGURE = FigureSpec(
    tables=("networks",),
    section="How long networks remember",
    title="Memory by recurrent unit",
    order=2,
    findings=True,
)
DATA = TableSchema(
    "figure_units",
    {**NETWORK_COLUMNS, "learned": pa.bool_(), **typed(pa.float64(), "memory_score", "spectral_score")},
)
ROW, AROUND = 0.3, 0.6  # heights in inches of a unit, and of title, ticks and label
LEAST_ROWS = 2  # for which a panel has room
LANES = 0.64  # part of a row's height that its protocols share
SPREAD = 0.6  # part of a lane's height over which networks are spread


def data(networks: pd.DataFrame) -> pd.DataFrame:
    """The memory score of each network, whether it learned, and the score that its spectrum in noise allows.

    Args:
        networks: table `networks`.
    """
    return networks.reindex(columns=list(DATA.columns))


@styled
def draw(data: pd.DataFrame) -> Figure:
    """A panel for each data set, with a row for each unit, best first, in which protocols lie one above the other."""
    datasets = ordered(data["dataset"])
    most = data.groupby("dataset")["architecture"].nunique().max() if datasets else 0
    height = ROW * max(int(most), LEAST_ROWS) + AROUND
    figure, axes = panels(1, max(1, len(datasets)), height=height, sharex=True)
    if not datasets:
        say(axes[0, 0], "no networks")
        return figure
    for ax, dataset in zip(axes[0], datasets, strict=True):
        _draw_units(ax, data[data["dataset"] == dataset])
        ax.set_title(dataset, loc="left")
        ax.set(xlabel="memory score", xlim=(-0.03, 1.03))
    legend(figure, _handles(data))
    return figure


def _draw_units(ax: Axes, networks: pd.DataFrame) -> None:
    means = networks.groupby("architecture", sort=False)["memory_score"].mean()
    names = list(means.sort_values(ascending=False, kind="stable").index)
    protocols = protocols_in(networks)
    lane = LANES / len(protocols)
    for row, name in enumerate(names):
        if row:
            ax.axhline(row - 0.5, color=SHADE, lw=0.6, zorder=0)
        for place, protocol in enumerate(protocols):
            of_cell = networks[(networks["architecture"] == name) & (networks["protocol"] == protocol)]
            _draw_cell(ax, of_cell, row + lane * (place - (len(protocols) - 1) / 2), lane)
    ax.set_yticks(range(len(names)), [unit_look(name).label for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)


def _draw_cell(ax: Axes, networks: pd.DataFrame, height: float, lane: float) -> None:
    """A marker for each network (hollow if it did not learn), a line for their mean, and a bar for what is allowed."""
    if networks.empty:
        return
    allowed = networks["spectral_score"].mean()
    if not np.isnan(allowed):
        ax.barh(height, allowed, lane * 0.9, color=SHADE, edgecolor=GREY, lw=0.6, zorder=1)
    look = unit_look(networks["architecture"].iloc[0])
    colour = PROTOCOLS[networks["protocol"].iloc[0]].look.colour
    heights = height + lane * SPREAD * (np.arange(len(networks)) / max(len(networks) - 1, 1) - 0.5)
    for learned, face in ((True, colour), (False, "none")):
        rows = networks["learned"].to_numpy() == learned
        scores = networks.loc[rows, "memory_score"]
        ax.plot(scores, heights[rows], look.marker, color=colour, mfc=face, ms=3, mew=0.5)
    ax.vlines(networks["memory_score"].mean(), height - lane / 2, height + lane / 2, color=colour, lw=1.4, zorder=3)


def _handles(data: pd.DataFrame) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Line2D([], [], marker="s", ls="", ms=4, color=PROTOCOLS[name].look.colour, label=PROTOCOLS[name].look.label)
        for name in protocols_in(data)
    ]
    handles.append(Line2D([], [], marker="|", ls="", ms=8, mew=1.4, color=GREY, label="mean"))
    if not data["learned"].all():
        handles.append(Line2D([], [], marker="o", ls="", ms=4, mfc="none", color=GREY, label="did not learn"))
    if data["spectral_score"].notna().any():
        handles.append(Patch(facecolor=SHADE, edgecolor=GREY, lw=0.6, label="allowed by the spectrum in noise"))
    return handles
