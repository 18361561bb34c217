"""The looks that all figures share: sizes, colours that survive colour blindness and greyscale, and saving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import wraps
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowpoints.core.files import atomic
from slowpoints.core.looks import Look
from slowpoints.core.schemas.kinds import CELL
from slowpoints.task.protocols import PROTOCOLS

GREY = "#555555"
SHADE = "#e9e9e9"  # of the delays of training
PALETTE = mpl.colormaps["viridis"]  # of the classes
LIGHTEST = 0.88  # of the palette, whose yellow end does not show on white
DPI = 200
NOTHING = "no class is read out"  # said where a cell, or a table, has no rows
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.06,
    "pdf.fonttype": 42,  # text stays text
    "svg.hashsalt": "slowpoints",
}
"""Matplotlib's settings while a figure is drawn or saved; those of who imports this stay as they are."""

_units: ContextVar[Mapping[str, Look]] = ContextVar("units", default={})  # noqa: B039 (never changed in place)


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """The function that draws a figure, in the project's style, with looks of recurrent units in `units`."""

    @wraps(draw)
    def drawn(*tables: pd.DataFrame, units: Mapping[str, Look] | None = None, **named: pd.DataFrame) -> Figure:
        token = _units.set(units or {})
        try:
            with mpl.rc_context(STYLE):
                return draw(*tables, **named)
        finally:
            _units.reset(token)

    return drawn


def unit_look(architecture: str) -> Look:
    """How a recurrent unit is named and marked."""
    return _units.get().get(architecture, Look(architecture.upper()))


def panels(
    rows: int, columns: int, *, width: float = 3.1, height: float = 2.6, **keywords: Any
) -> tuple[Figure, np.ndarray]:
    """A figure and its `[rows, columns]` axes, each of `width` x `height` inches."""
    figure = Figure(figsize=(width * columns, height * rows))
    return figure, figure.subplots(rows, columns, squeeze=False, **keywords)


def cell_title(dataset: str, architecture: str, protocol: str | None = None) -> str:
    """Such as "digits, GRU, VoCu"."""
    parts = [dataset, unit_look(architecture).label] + ([PROTOCOLS[protocol].look.label] if protocol else [])
    return ", ".join(parts)


def ordered(values: pd.Series) -> list:
    """Values that occur, each once, in the order of first occurrence."""
    return list(dict.fromkeys(values))


def class_colour(label: int, last: int) -> tuple[float, float, float, float]:
    """Colour of a class, from dark to light; `last` is the highest class."""
    return PALETTE(LIGHTEST * label / max(last, 1))


def protocols_in(table: pd.DataFrame) -> list[str]:
    """Protocols that occur in a table, in the order of their registry."""
    present = set(table["protocol"])
    return [protocol for protocol in PROTOCOLS if protocol in present]


def cell_panels(
    table: pd.DataFrame,
    draw_panel: Callable[[Axes, pd.DataFrame, str], None],
    *,
    first_network: bool = False,
    **size: float,
) -> tuple[Figure, np.ndarray]:
    """A panel for each cell of the grid: a row a data set, a column an architecture and protocol.

    Args:
        table: with the columns of the cell.
        draw_panel: draws on axes the rows of a cell, and is told its protocol.
        first_network: whether rows of the cell's first network alone are drawn, and the title names its seed.
        size: as for `panels`.

    Returns:
        The figure and its axes `[rows, columns]`.
    """
    if table.empty:
        figure, axes = panels(1, 1, **size)
        say(axes[0, 0], NOTHING)
        return figure, axes
    datasets = ordered(table["dataset"])
    columns = list(product(ordered(table["architecture"]), protocols_in(table)))
    figure, axes = panels(len(datasets), len(columns), **size)
    by_cell = dict(list(table.groupby(CELL)))
    for ax, (dataset, column) in zip(axes.flat, product(datasets, columns), strict=True):
        cell = (dataset, *column)
        title = cell_title(*cell)
        if cell in by_cell:
            rows = by_cell[cell]
            if first_network:
                seed = rows["seed"].min()
                rows, title = rows[rows["seed"] == seed], f"{title}, seed {seed}"
            draw_panel(ax, rows, cell[2])
        else:
            say(ax, NOTHING)
        ax.set_title(title, loc="left")
    return figure, axes


def say(axes: Axes, text: str) -> None:
    """A note in the middle of a panel that has nothing to show."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY)


def save(figure: Figure, *paths: str | Path) -> None:
    """Writes a figure to each path, in the form its ending names; without dates, so equal figures are equal files."""
    for path in map(Path, paths):
        form = path.suffix[1:]
        metadata = {"CreationDate": None} if form == "pdf" else None
        with atomic(path) as temporary, mpl.rc_context(STYLE):
            figure.savefig(temporary, format=form, dpi=DPI, metadata=metadata)
