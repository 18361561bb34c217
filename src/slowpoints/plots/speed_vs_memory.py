"""Figure `speed_vs_memory` (rule `plot_speed_vs_memory`): speed of slow points and settled states, against memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.analysis.correlation import missing
from slowpoints.core.looks import unit_look
from slowpoints.core.schemas.schema import NETWORK_COLUMNS, TableSchema, typed
from slowpoints.core.schemas.study import LEVELS
from slowpoints.plots.figures import FigureSpec
from slowpoints.plots.style import GREY, NOTHING, SMALL, legend, ordered, panels, protocols_in, say, styled
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.task.timing import FRAMES

HEADROOM = 0.2  # above the points, as a share of their range
SPEEDS = {
    "log10_speed": "log$_{10}$ speed of slow points",
    "log10_settled_speed": f"log$_{{10}}$ speed {FRAMES} frames after class centres",
}
STRATA = ("mixed", "network")
"""Levels of correlation over networks."""
FIGURE = FigureSpec(
    tables=("networks", "correlations"),
    section="Does speed predict memory",
    title="Speed against memory",
    order=2,
    findings=True,
)
DATA = TableSchema(
    "figure_speed_vs_memory",
    {
        "predictor": pa.string(),
        **NETWORK_COLUMNS,
        "learned": pa.bool_(),
        **typed(pa.float64(), "speed", "memory_score"),
        "level": pa.string(),
        "n": pa.int32(),
        **typed(pa.float64(), "r", "low", "high"),
    },
)


def data(networks: pd.DataFrame, correlations: pd.DataFrame) -> pd.DataFrame:
    """A row for each point and each correlation shown; only correlations have a `level`.

    Args:
        networks: table `networks`; without `log10_settled_speed`, only the speed of slow points is drawn.
        correlations: table `correlations`.
    """
    predictors = [speed for speed in SPEEDS if speed in networks and networks[speed].notna().any()] or list(SPEEDS)[:1]
    points = [networks.assign(predictor=speed, speed=networks[speed]) for speed in predictors]
    pooled = correlations["architecture"].isna() & correlations["protocol"].isna() & correlations["dataset"].notna()
    drawn = correlations["predictor"].isin(predictors) & correlations["level"].isin(STRATA)
    stated = correlations[pooled & drawn & (correlations["method"] == "spearman")]
    parts = [part.reindex(columns=list(DATA.columns)).astype(object) for part in (*points, stated)]
    return pd.concat(parts, ignore_index=True)


@styled
def draw(data: pd.DataFrame) -> Figure:
    """A row for each data set, a panel for each speed, and a point per network."""
    points, stated = data[data["level"].isna()], data[data["level"].notna()]
    datasets, speeds = ordered(points["dataset"]), ordered(points["predictor"])
    figure, axes = panels(len(datasets), len(speeds), height=2.05, one_column=1, sharey="row")
    for row, dataset in zip(axes, datasets, strict=True):
        for ax, speed in zip(row, speeds, strict=True):
            shown = points[(points["dataset"] == dataset) & (points["predictor"] == speed)]
            _draw_networks(ax, shown)
            if shown["speed"].isna().all():
                say(ax, NOTHING)
            ax.set_title(dataset, loc="left")
            summary = _summary(stated[(stated["dataset"] == dataset) & (stated["predictor"] == speed)])
            ax.text(0.99, 0.99, summary, transform=ax.transAxes, ha="right", va="top", fontsize=SMALL)
        _make_room(row[0])
    figure.supylabel("memory score\n(accuracy over log delay, 20 to longest)", ma="center")
    for ax, speed in zip(axes[-1], speeds, strict=True):
        ax.set_xlabel(f"{SPEEDS[speed]}\n(mean over classes; per frame, state units)")
    legend(figure, _handles(points))
    return figure


def _draw_networks(ax: Axes, networks: pd.DataFrame) -> None:
    for (protocol, architecture, learned), group in networks.groupby(["protocol", "architecture", "learned"]):
        colour = PROTOCOLS[protocol].look.colour
        ax.scatter(
            group["speed"],
            group["memory_score"],
            marker=unit_look(architecture).marker,
            s=18,
            facecolor=colour if learned else "none",
            edgecolor="white" if learned else colour,
            linewidth=0.4 if learned else 0.9,
            zorder=3,
        )
    ax.margins(0.08)
    ax.grid(color="#eeeeee", lw=0.5, zorder=0)


def _make_room(ax: Axes) -> None:
    """Makes room for the numbers above the points."""
    low, high = ax.get_ylim()
    ticks = [tick for tick in ax.get_yticks() if low <= tick <= high]
    ax.set_ylim(low, high + HEADROOM * (high - low))
    ax.set_yticks(ticks)


def _summary(stated: pd.DataFrame) -> str:
    """Spearman's rho with its interval, over networks of all protocols together and within cells."""
    return "\n".join(
        f"{LEVELS[level]}: {_rho(row)}" for level in STRATA for row in stated[stated["level"] == level].itertuples()
    )


def _rho(row: Any) -> str:
    if np.isnan(row.r):
        return f"{missing(row.n)} (n = {row.n:.0f})"
    interval = "no interval" if np.isnan(row.low) else f"[{row.low:.2f}, {row.high:.2f}]"
    return f"ρ = {row.r:.2f} {interval}, n = {row.n:.0f}".replace("-", "−")


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
