"""Figure `task` (rule `plot_task`): the frames of a trial, the trigger and the target output."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from slowpoints.core.schemas.example import TASK
from slowpoints.plots.figures import FigureSpec
from slowpoints.plots.style import GREY, SMALL, class_text, ordered, panels, styled

FIGURE = FigureSpec(tables=("task",), section="The task", title="A trial")
DATA = replace(TASK, name="figure_task")
GAP = 0.12  # between frames, in widths of a frame
STIMULUS, REPORT = "#0b4f8a", "#e08214"  # colours of the frames of the image and of the report


def data(task: pd.DataFrame) -> pd.DataFrame:
    """A row for each frame of a trial of each data set: table `task` itself."""
    return task.sort_values(["dataset", "frame"])


@styled
def draw(data: pd.DataFrame) -> Figure:
    """A row for each data set."""
    datasets = ordered(data["dataset"])
    figure, axes = panels(len(datasets), 1, height=1.55, one_column=0)
    for ax, dataset in zip(axes.flat, datasets, strict=True):
        _draw_trial(ax, data[data["dataset"] == dataset])
    axes[-1, 0].set_xlabel("frame")
    return figure


def _draw_trial(ax: Axes, trial: pd.DataFrame) -> None:
    first = trial.iloc[0]
    shape = (first["height"], first["width"], first["channels"])
    half = (1 - GAP) / 2
    for row in trial.itertuples():
        image = np.clip(np.asarray(row.image).reshape(shape), 0, 1)
        extent = (row.frame - half, row.frame + half, -half, half)
        ax.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=1, extent=extent, interpolation="nearest")
    report = int(trial.loc[trial["trigger"] == 1, "frame"].iloc[0])
    stimulus = int(trial.loc[trial["stimulus"] == 1, "frame"].iloc[0])
    _frame(ax, stimulus, STIMULUS, "image")
    _frame(ax, report, REPORT, "report")
    frames = trial["frame"].to_numpy()
    ax.step(frames, -1.35 + 0.5 * trial["trigger"], where="mid", color="black", lw=1)
    ax.text(-0.75, -1.2, "trigger", ha="right", va="center")
    for row in trial.itertuples():
        target = "–" if row.target == 0 else _class_text(trial, row.label)
        # A long name must stand out from its neighbours.
        look: dict[str, Any] = {"fontweight": "bold", "zorder": 4, "bbox": {"fc": "white", "ec": "none", "pad": 1}}
        ax.text(row.frame, -1.85, target, ha="center", va="center", **(look if row.target else {}))
    ax.text(-0.75, -1.85, "target", ha="right", va="center")
    ax.annotate(
        "", (report - 0.1, 0.75), (stimulus + 0.1, 0.75), arrowprops={"arrowstyle": "<->", "color": GREY, "lw": 0.8}
    )
    ax.text((stimulus + report) / 2, 0.85, f"delay {report - stimulus}", ha="center", va="bottom", color=GREY)
    ax.set(xlim=(-2.2, len(trial) - 0.4), ylim=(-2.2, 1.35), xticks=frames, yticks=[], aspect="equal")
    ax.set_title(first["dataset"], loc="left")
    ax.tick_params(axis="x", length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _class_text(trial: pd.DataFrame, label: int) -> str:
    """Name of a class if the table has one, otherwise its number."""
    names = trial.attrs.get("class_names", {}).get(trial["dataset"].iloc[0])
    return class_text(names[label]) if names else str(label)


def _frame(ax: Axes, frame: int, colour: str, name: str) -> None:
    half = (1 - GAP) / 2
    ax.add_patch(Rectangle((frame - half, -half), 2 * half, 2 * half, fill=False, ec=colour, lw=1.5))
    ax.text(frame, -0.52, name, ha="center", va="top", color=colour, fontsize=SMALL)
