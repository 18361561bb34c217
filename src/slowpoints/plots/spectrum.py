"""Figure `spectrum`: eigenvalues of the Jacobian at slow points, on the unit circle."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.analysis.aggregation import as_trained
from slowpoints.plots.style import GREY, cell_panels, styled
from slowpoints.task.protocols import PROTOCOLS

NEAR = (0.92, 1.08)  # of the real axis, shown enlarged
UNSTABLE = "#c51b7d"


@styled
def draw(spectrum: pd.DataFrame) -> Figure:
    """A panel for each cell of the grid: all slow points of all its networks, and the surroundings of 1 enlarged.

    Args:
        spectrum: table `spectrum`; only networks as trained are drawn.
    """
    spectrum = as_trained(spectrum)
    figure, axes = cell_panels(spectrum, _draw_panel, width=3.1, height=3.2)
    for ax in axes[:, 0]:
        ax.set_ylabel("imaginary part")
    for ax in axes[-1]:
        ax.set_xlabel("real part")
    handles = [
        Line2D([], [], marker="o", ls="", ms=4, color=GREY, label="|λ| ≤ 1 (colour: protocol)"),
        Line2D([], [], marker="D", ls="", ms=4, color=UNSTABLE, label="|λ| > 1"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def _draw_panel(ax: Axes, values: pd.DataFrame, protocol: str) -> None:
    colour = PROTOCOLS[protocol].look.colour
    near = ax.inset_axes((0.03, 0.03, 0.42, 0.42))
    for place, size in ((ax, 2.5), (near, 4)):
        angle = np.linspace(0, 2 * np.pi, 721)
        place.plot(np.cos(angle), np.sin(angle), color=GREY, lw=0.8, zorder=1)
        unstable = np.hypot(values["real"], values["imag"]) > 1
        stable = values[~unstable]
        place.scatter(stable["real"], stable["imag"], s=size, color=colour, alpha=0.3, lw=0, zorder=2, rasterized=True)
        out = values[unstable]
        place.scatter(out["real"], out["imag"], s=2 * size, marker="D", color=UNSTABLE, lw=0, zorder=3, rasterized=True)
        place.set_aspect("equal")
    half = (NEAR[1] - NEAR[0]) / 2
    near.set(xlim=NEAR, ylim=(-half, half), xticks=[], yticks=[])
    near.patch.set_alpha(0.9)
    for spine in near.spines.values():
        spine.set(visible=True, color=GREY, lw=0.6)
    reach = max(1.15, 1.05 * np.hypot(values["real"], values["imag"]).max())
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    ax.indicate_inset_zoom(near, edgecolor=GREY, lw=0.6)
