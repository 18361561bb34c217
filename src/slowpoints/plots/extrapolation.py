"""Figure `extrapolation`: accuracy against delay, far beyond the delays of training."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from slowpoints.analysis.aggregation import accuracy_by_delay, as_trained
from slowpoints.core.schemas.kinds import NETWORK
from slowpoints.plots.style import GREY, SHADE, cell_title, ordered, panels, protocols_in, styled
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.task.timing import FRAMES, MIN_DELAY


@styled
def draw(extrapolation: pd.DataFrame) -> Figure:
    """A panel for each data set and architecture, a line a network, mean and 95 % interval a protocol.

    Args:
        extrapolation: table `extrapolation`; only networks as trained are drawn.
    """
    trained = as_trained(extrapolation)
    datasets, architectures = ordered(trained["dataset"]), ordered(trained["architecture"])
    figure, axes = panels(len(datasets), len(architectures), sharex=True, sharey=True, height=2.5, width=3.6)
    for row, dataset in zip(axes, datasets, strict=True):
        of_set = trained[trained["dataset"] == dataset]  # delays and classes are its own
        curves, chance = accuracy_by_delay(of_set, NETWORK).reset_index(), 1 / of_set["label"].nunique()
        for ax, architecture in zip(row, architectures, strict=True):
            panel = curves[curves["architecture"] == architecture]
            _draw_panel(ax, panel.drop(columns=["dataset", "architecture", "seed"]), chance)
            ax.set_title(cell_title(dataset, architecture), loc="left")
    for ax in axes[:, 0]:
        ax.set_ylabel("retrieval accuracy")
    for ax in axes[-1]:
        ax.set_xlabel("delay (frames)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def _draw_panel(ax: Axes, curves: pd.DataFrame, chance: float) -> None:
    ax.axvspan(MIN_DELAY, FRAMES - 1, color=SHADE, lw=0, label="delays of training")
    ax.axhline(chance, color=GREY, lw=0.8, ls=(0, (1, 2)), label="chance")
    for protocol in protocols_in(curves):
        look = PROTOCOLS[protocol].look
        networks = curves[curves["protocol"] == protocol].drop(columns="protocol")
        delays, accuracy = networks.columns.to_numpy(int), networks.to_numpy()
        ax.plot(delays, accuracy.T, color=look.colour, lw=0.6, alpha=0.35)
        mean = accuracy.mean(0)
        if len(accuracy) > 1:
            half = stats.t.ppf(0.975, len(accuracy) - 1) * accuracy.std(0, ddof=1) / np.sqrt(len(accuracy))
            ax.fill_between(
                delays, (mean - half).clip(0), (mean + half).clip(max=1), color=look.colour, alpha=0.18, lw=0
            )
        label = f"{look.label}: mean, 95 % interval"
        ax.plot(delays, mean, color=look.colour, lw=2, ls=look.line, label=label)
    ax.set(xscale="log", xlim=(MIN_DELAY, curves.columns[-1]), ylim=(0, 1.03))
