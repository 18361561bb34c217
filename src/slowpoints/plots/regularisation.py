"""Figure `regularisation` (rule `plot_regularisation`): memory gained by each mode of fine-tuning."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowpoints.analysis.aggregation import accuracy_by_delay
from slowpoints.analysis.lambdas import at_chosen_lambdas
from slowpoints.core.modes import CONTROL, LOOKS, TRAINED, lambda_text
from slowpoints.core.schemas.schema import NETWORK, TUNED_COLUMNS, TableSchema, typed
from slowpoints.plots.figures import FigureSpec
from slowpoints.plots.style import GREY, SHADE, legend, ordered, panels, styled
from slowpoints.task.timing import FRAMES, MIN_DELAY

FIGURE = FigureSpec(
    tables=("extrapolation", "regularisation"),
    section="Does a penalty help",
    title="Memory before and after",
    order=1,
    tuned=True,
    findings=True,
    optional=("validation",),
)
DATA = TableSchema(
    "figure_regularisation",
    {
        **TUNED_COLUMNS,
        "delay": pa.int32(),
        "accuracy": pa.float64(),
        "measure": pa.string(),
        **typed(pa.float64(), "before", "after"),
    },
)
CHANGES = {
    "memory_score": "memory score",
    "log10_speed": "log$_{10}$ speed of slow points",
}
"""Measures before and after fine-tuning, and titles of their panels."""
FADE = 0.6  # transparency of the line of the largest lambda
MOST_LEVEL = 5  # names of modes below an axis that fit horizontally; more are vertical
VERTICAL = 0.8  # height in inches that vertical names add to a figure


def data(
    extrapolation: pd.DataFrame, regularisation: pd.DataFrame, validation: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Mean accuracy at each delay over all networks of a data set, by mode and lambda. Rows with a `measure` have its
    values before and after fine-tuning for each network and, without a seed, their means.

    Args:
        extrapolation: table `extrapolation`.
        regularisation: table `regularisation`.
        validation: table `validation` of a sweep: each mode is drawn at the lambda chosen from it.
    """
    extrapolation, regularisation = (at_chosen_lambdas(table, validation) for table in (extrapolation, regularisation))
    by = ["dataset", "mode", "lambda"]
    parts = []
    for _, rows in extrapolation.groupby("dataset", sort=False):  # each has its own delays
        curves = accuracy_by_delay(rows, [*NETWORK, "mode", "lambda"]).groupby(by, dropna=False).mean()
        parts.append(curves.reset_index().melt(by, var_name="delay", value_name="accuracy"))
    for measure in CHANGES:
        columns = {f"{measure}_before": "before", f"{measure}_after": "after"}
        changes = regularisation[[*by, *NETWORK[1:], *columns]].rename(columns=columns).assign(measure=measure)
        means = changes.groupby([*by, "measure"], sort=False)[["before", "after"]].mean().reset_index()
        parts += [changes, means]
    return pd.concat(parts, ignore_index=True).reindex(columns=list(DATA.columns))


@styled
def draw(data: pd.DataFrame) -> Figure:
    """A row for each data set: accuracy against delay by mode, and the changes of memory score and speed of each
    network."""
    datasets = ordered(data["dataset"])
    figure, axes = panels(len(datasets), 1 + len(CHANGES), height=1.85)
    for row, dataset in zip(axes, datasets, strict=True):
        of_set = data[data["dataset"] == dataset]
        _draw_curves(row[0], of_set[of_set["measure"].isna()])
        row[0].set_title(f"{dataset}: accuracy", loc="left")
        for ax, (measure, title) in zip(row[1:], CHANGES.items(), strict=True):
            _draw_change(ax, of_set[of_set["measure"] == measure])
            ax.set_ylabel("before → after")
            ax.set_title(title, loc="left")
    for column in axes.T[1:]:  # names of modes once, where all data sets have the same
        for ax, below in pairwise(column):
            if _tick_names(ax) == _tick_names(below):
                ax.tick_params(axis="x", labelbottom=False)
    if len(_tick_names(axes[-1, 1])) > MOST_LEVEL:
        figure.set_figheight(figure.get_figheight() + VERTICAL)
    axes[-1, 0].set_xlabel("delay (frames)")
    legend(figure, axes[0, 0].get_legend_handles_labels()[0])
    return figure


def _tick_names(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_xticklabels()]


def _name(mode: str, lambda_: float, with_lambda: bool) -> str:
    name = LOOKS[mode].label
    return f"{name}, λ = {lambda_text(lambda_)}" if with_lambda and mode not in (TRAINED, CONTROL) else name


def _draw_curves(ax: Axes, curves: pd.DataFrame) -> None:
    """A line for each mode and lambda."""
    ax.axvspan(MIN_DELAY, FRAMES - 1, color=SHADE, lw=0)
    several_lambdas = curves.groupby("mode")["lambda"].nunique().max() > 1
    for mode, look in LOOKS.items():
        tunings = curves[curves["mode"] == mode].groupby("lambda", dropna=False)
        for place, (lambda_, curve) in enumerate(tunings):
            alpha = 1 - FADE * place / max(1, tunings.ngroups - 1) if several_lambdas else 1
            line = {"color": look.colour, "ls": look.line, "alpha": alpha, "lw": 1.3}
            ax.plot(curve["delay"], curve["accuracy"], label=_name(mode, lambda_, several_lambdas), **line)
    ax.set(xscale="log", ylim=(0, 1.03), ylabel="retrieval accuracy")
    ax.set_xlim(MIN_DELAY, curves["delay"].max())


def _draw_change(ax: Axes, table: pd.DataFrame) -> None:
    """Values before and after each mode: a thin line per network, a thick one for the mean."""
    several_lambdas = table.groupby("mode")["lambda"].nunique().max() > 1
    columns = table[["mode", "lambda"]].drop_duplicates()
    columns = columns.sort_values("mode", key=lambda modes: modes.map(list(LOOKS).index)).itertuples(index=False)
    names = []
    for place, (mode, lambda_) in enumerate(columns):
        rows = table[(table["mode"] == mode) & (table["lambda"] == lambda_)]
        is_mean = rows["seed"].isna()
        x = np.array([place - 0.28, place + 0.28])
        colour = LOOKS[mode].colour
        ax.plot(x, rows.loc[~is_mean, ["before", "after"]].to_numpy().T, color=colour, lw=0.4, alpha=0.35)
        ax.plot(x, rows.loc[is_mean, ["before", "after"]].to_numpy().T, color=colour, lw=1.6, marker="o", ms=3)
        names.append(_name(mode, lambda_, several_lambdas))
    ax.axhline(table.loc[table["seed"].isna(), "before"].iloc[0], color=GREY, lw=0.6, ls=":")
    upright = len(names) > MOST_LEVEL
    ax.set_xticks(range(len(names)), names if upright else [name.replace(" ", "\n", 1) for name in names])
    if upright:
        ax.tick_params(axis="x", rotation=90)
