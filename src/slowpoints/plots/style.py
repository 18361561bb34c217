"""The looks that all figures share: sizes, colours that survive colour blindness and greyscale, and saving."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slowpoints.storage import atomic

COLOURS = {"vocu": "#0b4f8a", "decu": "#e08214", "none": "#5f5f5f", "recu": "#35978f", "vocu-shuffled": "#8e6bbf"}
"""By protocol; dark and light beside each other in print without colour."""
LINES = {"vocu": "-", "decu": "--", "none": ":", "recu": "-.", "vocu-shuffled": (0, (5, 1, 1, 1))}
MARKERS = {"gru": "o", "lstm": "^"}
PROTOCOL_NAMES = {
    "vocu": "VoCu",
    "decu": "DeCu",
    "none": "no curriculum",
    "recu": "ReCu",
    "vocu-shuffled": "VoCu, shuffled",
}
GREY = "#555555"
PALETTE = mpl.colormaps["viridis"]  # of the classes
LIGHTEST = 0.88  # of the palette, whose yellow end does not show on white
DPI = 200

mpl.use("Agg")
mpl.rcParams.update(
    {
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
)


def panels(rows: int, columns: int, *, width: float = 3.1, height: float = 2.6, **keywords):
    """A figure and its `[rows, columns]` axes, each of `width` x `height` inches."""
    size = (width * columns, height * rows)
    return plt.subplots(rows, columns, figsize=size, squeeze=False, **keywords)


def cell_title(dataset: str, architecture: str, protocol: str | None = None) -> str:
    """Such as "digits, GRU, VoCu"."""
    parts = [dataset, architecture.upper()] + ([PROTOCOL_NAMES[protocol]] if protocol else [])
    return ", ".join(parts)


def ordered(values) -> list:
    """Values that occur, each once, in the order of first occurrence."""
    return list(dict.fromkeys(values))


def class_colour(label: int, last: int):
    """Colour of a class, from dark to light; `last` is the highest class."""
    return PALETTE(LIGHTEST * label / last)


def protocols_in(table) -> list[str]:
    """Protocols that occur in a table, in the order of `COLOURS`."""
    present = set(table["protocol"])
    return [protocol for protocol in COLOURS if protocol in present]


def cell_panels(table, **size: float):
    """A panel for each cell of the grid: a row a data set, a column an architecture and protocol.

    Args:
        table: with the columns of the cell.
        size: as for `panels`.

    Returns:
        The figure, its axes `[rows, columns]`, and for each panel its axes, its cell and the cell's rows.
    """
    if table.empty:
        figure, axes = panels(1, 1, **size)
        say(axes[0, 0], "no class is read out")
        return figure, axes, []
    datasets = ordered(table["dataset"])
    columns = list(product(ordered(table["architecture"]), protocols_in(table)))
    figure, axes = panels(len(datasets), len(columns), **size)
    index = table.set_index(["dataset", "architecture", "protocol"]).sort_index(kind="stable")
    filled = []
    for ax, (dataset, column) in zip(axes.flat, product(datasets, columns), strict=True):
        cell = (dataset, *column)
        filled.append((ax, cell, index.loc[[cell]] if cell in index.index else index.iloc[:0]))
    return figure, axes, filled


def say(axes: Axes, text: str) -> None:
    """A note in the middle of a panel that has nothing to show."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY)


def save(figure: Figure, *paths: str | Path) -> None:
    """Writes a figure to each path, in the form its ending names; without dates, so equal figures are equal files."""
    for path in map(Path, paths):
        form = path.suffix[1:]
        metadata = {"CreationDate": None} if form == "pdf" else None
        with atomic(path) as temporary:
            figure.savefig(temporary, format=form, dpi=DPI, metadata=metadata)
    plt.close(figure)
