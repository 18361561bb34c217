"""Figure `spectrum` (rule `plot_spectrum`): eigenvalues of the Jacobian at slow points, on the unit circle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.analysis.aggregation import as_trained
from slowpoints.core.schemas.schema import NETWORK_COLUMNS, TableSchema, typed
from slowpoints.plots.figures import FigureSpec
from slowpoints.plots.style import GREY, cell_panels, legend, styled
from slowpoints.task.protocols import PROTOCOLS

FIGURE = FigureSpec(
    tables=("spectrum",), section="Does speed predict memory", title="Stability of slow points", order=5
)
DATA = TableSchema(
    "figure_spectrum",
    {
        **NETWORK_COLUMNS,
        **typed(pa.int16(), "label", "index"),
        **typed(pa.float64(), "real", "imag"),
        "unstable": pa.bool_(),
    },
)
NEAR = (0.92, 1.08)  # part of the real axis that is shown enlarged
UNSTABLE = "#c51b7d"


def data(spectrum: pd.DataFrame) -> pd.DataFrame:
    """A row for each eigenvalue at each slow point of each trained network.

    Args:
        spectrum: table `spectrum`.
    """
    spectrum = as_trained(spectrum)
    return spectrum.assign(unstable=np.hypot(spectrum["real"], spectrum["imag"]) > 1)


@styled
def draw(data: pd.DataFrame) -> Figure:
    """A panel for each cell of the grid: all slow points of all its networks, with the region around 1 enlarged."""
    figure, _ = cell_panels(data, _draw_panel, height=1.85)
    figure.supylabel("imaginary part")
    figure.supxlabel("real part")
    handles = [
        Line2D([], [], marker="o", ls="", ms=3, color=GREY, label="|λ| ≤ 1 (colour: protocol)"),
        Line2D([], [], marker="D", ls="", ms=3, color=UNSTABLE, label="|λ| > 1"),
    ]
    legend(figure, handles)
    return figure


def _draw_panel(ax: Axes, values: pd.DataFrame, protocol: str) -> None:
    colour = PROTOCOLS[protocol].look.colour
    near = ax.inset_axes((0.02, 0.02, 0.44, 0.44))
    for axes, size in ((ax, 1.2), (near, 2.5)):
        angle = np.linspace(0, 2 * np.pi, 721)
        axes.plot(np.cos(angle), np.sin(angle), color=GREY, lw=0.6, zorder=1)
        stable, unstable = values[~values["unstable"]], values[values["unstable"]]
        dots: dict[str, Any] = {"lw": 0, "rasterized": True}
        axes.scatter(stable["real"], stable["imag"], s=size, color=colour, alpha=0.3, zorder=2, **dots)
        axes.scatter(unstable["real"], unstable["imag"], s=2 * size, marker="D", color=UNSTABLE, zorder=3, **dots)
        axes.set_aspect("equal")
    half = (NEAR[1] - NEAR[0]) / 2
    near.set(xlim=NEAR, ylim=(-half, half), xticks=[], yticks=[])
    near.patch.set_alpha(0.9)
    for spine in near.spines.values():
        spine.set(visible=True, color=GREY, lw=0.5)
    reach = max(1.15, 1.05 * np.hypot(values["real"], values["imag"]).max())
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    ax.indicate_inset_zoom(near, edgecolor=GREY, lw=0.5)
