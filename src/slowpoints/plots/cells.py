"""Figure `cells` (rule `plot_cells`): how speed predicts memory within each cell, and over cells as a sample."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.analysis.correlation import missing
from slowpoints.core.schemas.schema import CELL, CELL_COLUMNS, TableSchema, typed
from slowpoints.plots.figures import FigureSpec
from slowpoints.plots.style import GREY, ONE_COLUMN, cell_title, legend, note_row, ordered, say, styled

FIGURE = FigureSpec(
    tables=("claims",),
    section="Does speed predict memory",
    title="Speed against memory, cell by cell",
    order=6,
)
DATA = TableSchema(
    "figure_cells",
    {
        **CELL_COLUMNS,
        **typed(pa.int32(), "n", "n_cells"),
        **typed(pa.float64(), "rho", "low", "high", "prediction_low", "prediction_high", "q", "i2"),
    },
)
CELL_COLOUR, POOLED_COLOUR = "#222222", "#0b4f8a"
ROW, AROUND = 0.16, 0.55  # heights in inches of a row, and of ticks and label
LEAST_ROWS = 4  # for which a figure has room
NOTE = 1.02  # where notes on rows begin, in widths of the panel
POOLED_COLUMNS = {"cells_effect": "rho", "cells_low": "low", "cells_high": "high"}


def data(claims: pd.DataFrame) -> pd.DataFrame:
    """Spearman's rho within each cell, with its interval. Rows without an architecture are means over the cells of a
    data set and, if there are several data sets, over all cells.

    Args:
        claims: table `claims`.
    """
    rows = claims[(claims["claim"] == "C3") & (claims["question"] == "network")]
    cells = rows[rows[CELL].notna().all(axis=1)].rename(columns={"effect": "rho"})
    pooled = rows[rows["architecture"].isna() & rows["protocol"].isna()].drop(columns=["low", "high"])
    pooled = pooled.rename(columns=POOLED_COLUMNS)
    over_all = pooled["dataset"].isna()
    parts = []
    for dataset in ordered(cells["dataset"]):
        parts += [cells[cells["dataset"] == dataset], pooled[pooled["dataset"] == dataset]]
    if len(parts) > 2:
        parts.append(pooled[over_all])
    return pd.concat(parts or [cells]).reindex(columns=list(DATA.columns))


@styled
def draw(data: pd.DataFrame) -> Figure:
    """One row per cell, data set by data set; below the cells of each, their mean."""
    figure = Figure(figsize=(ONE_COLUMN, ROW * max(len(data), LEAST_ROWS) + AROUND))
    ax = figure.subplots()
    if data["rho"].isna().all():
        say(ax, "no correlations")
        return figure
    ax.axvline(0, color=GREY, lw=0.6, zorder=1)
    names = []
    for place, row in enumerate(data.itertuples()):
        is_cell = isinstance(row.architecture, str)
        (_draw_cell if is_cell else _draw_mean)(ax, place, row)
        names.append(cell_title(row.dataset, row.architecture, row.protocol) if is_cell else _pooled_name(row))
        if not is_cell and place < len(data) - 1:
            ax.axhline(place + 0.5, color=GREY, lw=0.4)
    ax.set_yticks(range(len(names)), names)
    ax.set(ylim=(len(names) - 0.5, -0.5), xlim=(-1.03, 1.03), xticks=(-1, -0.5, 0, 0.5, 1))
    ax.set_xlabel("Spearman's ρ of log$_{10}$ speed with memory score")
    ax.tick_params(axis="y", length=0)
    legend(figure, _handles())
    return figure


def _draw_cell(ax: Axes, place: int, row: Any) -> None:
    ax.hlines(place, row.low, row.high, color=CELL_COLOUR, lw=1, zorder=2)
    ax.plot(row.rho, place, "s", color=CELL_COLOUR, mec="white", mew=0.3, ms=3.5, zorder=3)
    note = f"n = {row.n:.0f}" if pd.notna(row.rho) else missing(row.n).partition(":")[0]
    note_row(ax, NOTE, place, note, CELL_COLOUR)


def _draw_mean(ax: Axes, place: int, row: Any) -> None:
    ax.hlines(place, row.prediction_low, row.prediction_high, color=POOLED_COLOUR, lw=0.7, ls=":", zorder=2)
    ax.hlines(place, row.low, row.high, color=POOLED_COLOUR, lw=1.6, zorder=3)
    ax.plot(row.rho, place, "D", color=POOLED_COLOUR, mec="white", mew=0.3, ms=4.5, zorder=4)
    if pd.notna(row.q):
        note_row(ax, NOTE, place, f"Q = {row.q:.1f}, I² = {100 * row.i2:.0f} %", POOLED_COLOUR)


def _pooled_name(row: Any) -> str:
    return f"{row.dataset if isinstance(row.dataset, str) else 'all'}: mean over cells"


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], marker="s", color=CELL_COLOUR, lw=1, ms=3.5, label="cell"),
        Line2D([], [], marker="D", color=POOLED_COLOUR, lw=1.6, ms=4.5, label="mean over cells"),
        Line2D([], [], color=POOLED_COLOUR, lw=0.7, ls=":", label="a further cell"),
    ]
