"""Figure `control` (rule `plot_control`): memory gained by each mode of fine-tuning, against its cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.analysis.claims.tunings import LOSS
from slowpoints.core.costs import seconds_per_network
from slowpoints.core.looks import Look
from slowpoints.core.modes import CONTROL, LOOKS, lambda_text
from slowpoints.core.schemas.schema import NETWORK, TableSchema, typed
from slowpoints.plots.figures import FigureSpec
from slowpoints.plots.style import GREY, SMALL, legend, ordered, panels, say, styled

FIGURE = FigureSpec(
    tables=("claims",),
    section="Does a penalty help",
    title="Memory gained against what it costs",
    order=2,
    tuned=True,
    optional=("validation", "costs"),
)
DATA = TableSchema(
    "figure_control",
    {
        **typed(pa.string(), "dataset", "mode"),
        "lambda": pa.float64(),
        "images": pa.string(),
        "n": pa.int32(),
        **typed(pa.float64(), "gain", "gain_low", "gain_high", "loss", "loss_low", "loss_high", "seconds"),
    },
)
TUNING = ["dataset", "mode", "lambda"]
ROOM = 1.08  # end of the time axis, in times of the slowest mode, with room for its marker
LABEL_SIZE = (0.25, 0.1)  # inches that the label of a lambda takes
TICKS = 3  # largest number of spaces between ticks
MEASURES = ("memory_score", "nominal_accuracy")


def data(
    claims: pd.DataFrame, validation: pd.DataFrame | None = None, costs: pd.DataFrame | None = None
) -> pd.DataFrame:
    """A point for each data set, mode and lambda: memory gained and accuracy lost relative to control on test images,
    with 95 % intervals; the same on validation images, without intervals; and seconds of fine-tuning per network.

    Args:
        claims: table `claims`.
        validation: table `validation` of the same networks.
        costs: `seconds` and `networks` of the jobs that fine-tuned them.
    """
    parts = [_tested(claims).assign(images="test")]
    if validation is not None:
        parts.append(_validated(validation).assign(images="validation"))
    points = pd.concat(parts, ignore_index=True)
    if costs is not None:
        points = points.merge(seconds_per_network(costs), "left", on=TUNING)
    return points.reindex(columns=list(DATA.columns))


def _tested(claims: pd.DataFrame) -> pd.DataFrame:
    """Points on test images, from the rows of C4 for data sets."""
    rows = claims[(claims["claim"] == "C4") & claims["dataset"].notna() & claims["architecture"].isna()]
    memory, accuracy = (rows[rows["measure"] == measure].set_index(TUNING) for measure in MEASURES)
    gain = memory[["n", "effect", "low", "high"]].set_axis(["n", "gain", "gain_low", "gain_high"], axis=1)
    loss = -accuracy[["effect", "high", "low"]].set_axis(["loss", "loss_low", "loss_high"], axis=1)
    return gain.join(loss).reset_index()


def _validated(validation: pd.DataFrame) -> pd.DataFrame:
    """Points on validation images: mean gains and losses of networks relative to their control."""
    control = validation.loc[validation["mode"] == CONTROL, [*NETWORK, *MEASURES]]
    tuned = validation[validation["mode"].isin(set(LOOKS) - {CONTROL}) & validation["lambda"].notna()]
    pairs = tuned.merge(control, on=NETWORK, suffixes=("", "_control"))
    pairs["gain"] = pairs["memory_score"] - pairs["memory_score_control"]
    pairs["loss"] = pairs["nominal_accuracy_control"] - pairs["nominal_accuracy"]
    groups = pairs.groupby(TUNING)
    return groups[["gain", "loss"]].mean().assign(n=groups.size()).reset_index()


@styled
def draw(data: pd.DataFrame) -> Figure:
    """A panel of gain against loss for each data set; below, if times are known, of gain against time."""
    datasets = ordered(data["dataset"])
    rows = 2 if data["seconds"].notna().any() else 1
    figure, axes = panels(rows, max(1, len(datasets)), height=1.9, sharey=True)
    if not datasets:
        say(axes[0, 0], "no network was fine-tuned with a penalty")
        return figure
    for column, dataset in zip(axes.T, datasets, strict=True):
        points = data[data["dataset"] == dataset]
        _draw_loss(column[0], points)
        column[0].set_title(dataset, loc="left")
        if rows == 2:
            _draw_panel(column[1], points[points["images"] == "test"], "seconds")
            column[1].set_xlabel("seconds per network")
            longest = points["seconds"].max()
            column[1].set_xlim(0, ROOM * longest if longest > 0 else None)
    for row in axes:
        row[0].set_ylabel("memory score gained")
    legend(figure, _handles(data))
    return figure


def _draw_loss(ax: Axes, points: pd.DataFrame) -> None:
    _draw_panel(ax, points, "loss")
    ax.axvline(0, color=GREY, lw=0.6, zorder=1)
    ax.axvline(LOSS, color=GREY, lw=0.7, ls=":", zorder=1)
    ax.set_xlabel("nominal accuracy lost")
    ax.locator_params(axis="x", nbins=TICKS)  # whose labels have many decimals
    _label_lambdas(ax, points[points["images"] == "test"])


def _label_lambdas(ax: Axes, points: pd.DataFrame) -> None:
    """Writes the lambdas of modes with several beside their points, where they do not cover another label."""
    labelled: list[np.ndarray] = []
    for mode, rows in points.sort_values("lambda").groupby("mode", sort=False):
        for lambda_, *place in rows[["lambda", "loss", "gain"]].itertuples(index=False) if len(rows) > 1 else ():
            at = ax.transData.transform(place) / ax.figure.dpi
            if any((np.abs(at - other) < LABEL_SIZE).all() for other in labelled):
                continue
            labelled.append(at)
            text: dict[str, Any] = {"color": _look(mode).colour, "fontsize": SMALL, "va": "bottom"}
            ax.annotate(lambda_text(lambda_), place, (2, 1), textcoords="offset points", **text)


def _draw_panel(ax: Axes, points: pd.DataFrame, x: str) -> None:
    """Draws points with their intervals, joining those of a mode in the order of lambda."""
    ax.axhline(0, color=GREY, lw=0.6, zorder=1)
    for (mode, images), rows in points.sort_values("lambda").groupby(["mode", "images"], sort=False):
        colour, tested = _look(mode).colour, images == "test"
        ax.plot(rows[x], rows["gain"], color=colour, lw=0.7, alpha=0.5, zorder=2)
        ax.vlines(rows[x], rows["gain_low"], rows["gain_high"], color=colour, lw=1, zorder=2)
        if x == "loss":
            ax.hlines(rows["gain"], rows["loss_low"], rows["loss_high"], color=colour, lw=1, zorder=2)
        ax.plot(rows[x], rows["gain"], "o", color=colour, mfc=colour if tested else "white", ms=4, zorder=3)


def _look(mode: str) -> Look:
    return LOOKS.get(mode, Look(mode))


def _handles(data: pd.DataFrame) -> list[Line2D]:
    modes = sorted(set(data["mode"]), key=lambda mode: list(LOOKS).index(mode) if mode in LOOKS else len(LOOKS))
    handles = [
        Line2D([], [], marker="o", ls="", ms=4, color=_look(mode).colour, label=_look(mode).label) for mode in modes
    ]
    if (data["images"] == "validation").any():
        handles.append(Line2D([], [], marker="o", ls="", ms=4, color=GREY, mfc="white", label="validation images"))
    return handles
