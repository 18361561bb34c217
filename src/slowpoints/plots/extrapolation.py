"""Figure `extrapolation` (rule `plot_extrapolation`): accuracy against delay, far beyond the delays of training."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import stdtrit

from slowpoints.analysis.aggregation import accuracy_by_delay, as_trained
from slowpoints.core.schemas.schema import CELL, NETWORK, NETWORK_COLUMNS, TableSchema, typed
from slowpoints.plots.figures import FigureSpec
from slowpoints.plots.style import GREY, SHADE, cell_title, legend, ordered, panels, protocols_in, styled
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.task.timing import FRAMES, MIN_DELAY

FIGURE = FigureSpec(
    tables=("extrapolation",),
    section="How long networks remember",
    title="Accuracy against delay",
    order=1,
    findings=True,
)
DATA = TableSchema(
    "figure_extrapolation",
    {**NETWORK_COLUMNS, "delay": pa.int32(), **typed(pa.float64(), "accuracy", "low", "high", "chance")},
)

LEAST_FOR_INTERVAL = 3
"""Networks below which a mean has no interval: with two, it would cover most of the figure."""


def data(extrapolation: pd.DataFrame) -> pd.DataFrame:
    """Accuracy at each delay for each trained network; rows without a seed are means of cells, with their intervals.

    Args:
        extrapolation: table `extrapolation`.
    """
    parts = []
    for _, rows in as_trained(extrapolation).groupby("dataset", sort=False):  # each has its own delays and classes
        networks = accuracy_by_delay(rows, NETWORK).reset_index().melt(NETWORK, value_name="accuracy")
        means = _means(networks)
        parts += [part.assign(chance=1 / rows["label"].nunique()) for part in (networks, means)]
    return pd.concat(parts, ignore_index=True).reindex(columns=list(DATA.columns))


def _means(networks: pd.DataFrame) -> pd.DataFrame:
    """Mean over the networks of each cell, with 95 % interval (t) if they are enough, at each delay."""
    statistics = networks.groupby([*CELL, "delay"], sort=False)["accuracy"].agg(["mean", "sem", "count"]).reset_index()
    enough = statistics["count"] >= LEAST_FOR_INTERVAL
    half = stdtrit((statistics["count"] - 1).where(enough), 0.975) * statistics["sem"]
    means = statistics[[*CELL, "delay"]].assign(accuracy=statistics["mean"])
    return means.assign(low=(statistics["mean"] - half).clip(lower=0), high=(statistics["mean"] + half).clip(upper=1))


@styled
def draw(data: pd.DataFrame) -> Figure:
    """A panel for each data set and architecture: a thin line per network, mean and 95 % interval per protocol."""
    datasets, architectures = ordered(data["dataset"]), ordered(data["architecture"])
    figure, axes = panels(len(datasets), len(architectures), height=1.7, one_column=1, sharex=True, sharey=True)
    for row, dataset in zip(axes, datasets, strict=True):
        for ax, architecture in zip(row, architectures, strict=True):
            _draw_panel(ax, data[(data["dataset"] == dataset) & (data["architecture"] == architecture)])
            ax.set_title(cell_title(dataset, architecture), loc="left")
    figure.supylabel("retrieval accuracy")
    figure.supxlabel("delay (frames)")
    legend(figure, axes[0, 0].get_legend_handles_labels()[0])
    return figure


def _draw_panel(ax: Axes, curves: pd.DataFrame) -> None:
    ax.axvspan(MIN_DELAY, FRAMES - 1, color=SHADE, lw=0, label="delays of training")
    ax.axhline(curves["chance"].iloc[0], color=GREY, lw=0.7, ls=(0, (1, 2)), label="chance")
    for protocol in protocols_in(curves):
        look = PROTOCOLS[protocol].look
        of_protocol = curves[curves["protocol"] == protocol]
        for _, network in of_protocol.groupby("seed"):
            ax.plot(network["delay"], network["accuracy"], color=look.colour, lw=0.5, alpha=0.35)
        mean = of_protocol[of_protocol["seed"].isna()]
        if mean["low"].notna().all():
            ax.fill_between(mean["delay"], mean["low"], mean["high"], color=look.colour, alpha=0.18, lw=0)
        label = f"{look.label}: mean, 95 % interval"
        ax.plot(mean["delay"], mean["accuracy"], color=look.colour, lw=1.5, ls=look.line, label=label)
    ax.set(xscale="log", xlim=(MIN_DELAY, curves["delay"].max()), ylim=(0, 1.03))
