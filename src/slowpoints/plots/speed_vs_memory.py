"""Figure `speed_vs_memory`: the speed of slow points, and of settled states, against how long a network remembers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.analysis.correlation import missing
from slowpoints.core.schemas.study import LEVELS
from slowpoints.plots.style import GREY, NOTHING, ordered, panels, protocols_in, say, styled, unit_look
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.task.timing import FRAMES

HEADROOM = 0.22  # above the points, as a share of their height
SPEEDS = {
    "log10_speed": "log$_{10}$ speed of slow points",
    "log10_settled_speed": f"log$_{{10}}$ speed {FRAMES} frames after class centres",
}
STRATA = ("mixed", "network")
"""Levels of correlation over networks."""


@styled
def draw(networks: pd.DataFrame, correlations: pd.DataFrame) -> Figure:
    """A row for each data set, a panel for each speed, a point a network.

    Args:
        networks: table `networks`; without `log10_settled_speed` the slow points' speed is drawn alone.
        correlations: table `correlations`.
    """
    datasets = ordered(networks["dataset"])
    speeds = [speed for speed in SPEEDS if speed in networks and networks[speed].notna().any()] or list(SPEEDS)[:1]
    figure, axes = panels(len(datasets), len(speeds), sharey="row", width=3.7, height=3.3)
    for row, dataset in zip(axes, datasets, strict=True):
        for ax, speed in zip(row, speeds, strict=True):
            of_set = networks[networks["dataset"] == dataset]
            _draw_networks(ax, of_set, speed)
            if of_set[speed].isna().all():
                say(ax, NOTHING)
            ax.set_title(dataset, loc="left")
            summary = _summary(correlations, dataset, speed)
            ax.text(0.98, 0.98, summary, transform=ax.transAxes, ha="right", va="top", fontsize=7.5)
        _make_room(row[0])
        row[0].set_ylabel("memory score\n(accuracy over log delay, 20 to longest)")
    for ax, speed in zip(axes[-1], speeds, strict=True):
        ax.set_xlabel(f"{SPEEDS[speed]}\n(mean over classes; per frame, state units)")
    figure.legend(handles=_handles(networks), loc="outside upper center", ncols=5 if len(speeds) > 1 else 3)
    return figure


def _draw_networks(ax: Axes, networks: pd.DataFrame, speed: str) -> None:
    for (protocol, architecture, learned), group in networks.groupby(["protocol", "architecture", "learned"]):
        colour = PROTOCOLS[protocol].look.colour
        ax.scatter(
            group[speed],
            group["memory_score"],
            marker=unit_look(architecture).marker,
            s=42,
            facecolor=colour if learned else "none",
            edgecolor="white" if learned else colour,
            linewidth=0.6 if learned else 1.2,
            zorder=3,
        )
    ax.margins(0.08)
    ax.grid(color="#eeeeee", lw=0.7, zorder=0)


def _make_room(ax: Axes) -> None:
    """Room for the numbers above the points."""
    low, high = ax.get_ylim()
    ticks = [tick for tick in ax.get_yticks() if low <= tick <= high]
    ax.set_ylim(low, high + HEADROOM * (high - low))
    ax.set_yticks(ticks)


def _summary(correlations: pd.DataFrame, dataset: str, speed: str) -> str:
    """Spearman's rho with its interval, over networks of all protocols together and within cells."""
    chosen = correlations.query("dataset == @dataset and predictor == @speed and method == 'spearman'")
    pooled = chosen[chosen["architecture"].isna() & chosen["protocol"].isna()]
    lines = [
        f"{LEVELS[level]}: {_rho(row)}" for level in STRATA for row in pooled[pooled["level"] == level].itertuples()
    ]
    return "\n".join(lines)


def _rho(row: Any) -> str:
    if np.isnan(row.r):
        return f"{missing(row.n)} (n = {row.n})"
    interval = "no interval" if np.isnan(row.low) else f"[{row.low:.2f}, {row.high:.2f}]"
    return f"ρ = {row.r:.2f} {interval}, n = {row.n}".replace("-", "−")


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
