"""Style shared by all figures: sizes, colours that suit colour blindness and greyscale, and saving."""

from __future__ import annotations

import contextlib
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slowpoints.core.files import atomic
from slowpoints.core.looks import unit_look
from slowpoints.core.schemas.schema import CELL
from slowpoints.task.protocols import PROTOCOLS

GREY = "#555555"
SHADE = "#e9e9e9"  # of the delays of training
PALETTE = mpl.colormaps["viridis"]  # for classes
LIGHTEST = 0.88  # position in the palette, whose yellow end is invisible on white
DPI = {"png": 200, "pdf": 300}  # of raster images, for screens and for print
UNDATED: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0
"""Widths in inches of figures across one or both columns of a page; fonts are as large as in print."""
MOST_PANELS = 4  # side by side
TITLE_WIDTH = 24  # characters per line of the title of so narrow a panel
MOST_CLASSES = 30  # named in a legend; the names of more are in tables only
LONGEST_NAME = 20  # characters of a class's name in a legend
NOTHING = "no class is read out"  # text where a cell, or a table, has no rows
STYLE: dict[Any, Any] = {
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.titlepad": 3,
    "axes.labelsize": 7,
    "axes.labelpad": 2,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.labelsize": 7,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "legend.handlelength": 1.8,
    "legend.columnspacing": 1.4,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.pad": 2,
    "ytick.major.pad": 2,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.04,
    "figure.constrained_layout.w_pad": 0.03,
    "pdf.fonttype": 42,  # text stays text
    "svg.hashsalt": "slowpoints",
}
"""Matplotlib settings while a figure is drawn or saved, where they differ from the defaults."""
SMALL = 6.5  # points, the smallest font size
HANDLE, CHARACTER, LINE = 0.43, 0.054, 0.16
"""Sizes in inches of a legend entry without its text, of a character, and of a line."""


@contextlib.contextmanager
def project_style() -> Iterator[None]:
    """Context with Matplotlib's defaults and `STYLE`, regardless of a matplotlibrc or notebook settings.

    All settings are restored afterwards. The backend is left alone, since reading it would select one.
    """
    with warnings.catch_warnings(), mpl.rc_context():
        warnings.simplefilter("ignore", mpl.MatplotlibDeprecationWarning)  # of settings that will be removed
        names = [name for name in mpl.rcParamsDefault if not name.startswith("backend")]
        defaults = {name: mpl.rcParamsDefault[name] for name in names}
        # Only settings that differ, since setting a deprecated name, or one without effect, gives a warning.
        mpl.rcParams.update({name: value for name, value in defaults.items() if mpl.rcParams[name] != value})
        mpl.rcParams.update(STYLE)
        yield


def styled(draw: Callable[[pd.DataFrame], Figure]) -> Callable[[pd.DataFrame], Figure]:
    """Decorates a function that draws a figure, to use the project's style."""

    @wraps(draw)
    def drawn(data: pd.DataFrame) -> Figure:
        with project_style():
            return draw(data)

    return drawn


def panels(
    rows: int, columns: int, *, height: float, one_column: int = 2, **keywords: Any
) -> tuple[Figure, np.ndarray]:
    """A figure one or two columns wide and its axes `[rows, columns]`.

    A row of more than `MOST_PANELS` is continued below.

    Args:
        rows: number of rows.
        columns: panels per row.
        height: height of a panel, in inches.
        one_column: number of panels side by side that fit into one column of a page.
        keywords: passed to `Figure.subplots`.
    """
    lines = -(-columns // MOST_PANELS)
    per_line = -(-columns // lines)
    width = ONE_COLUMN if per_line <= one_column else TWO_COLUMNS
    figure = Figure(figsize=(width, height * rows * lines))
    axes = figure.subplots(rows * lines, per_line, squeeze=False, **keywords).reshape(rows, lines * per_line)
    for unused in axes[:, columns:].flat:
        unused.remove()
    return figure, axes[:, :columns]


def cell_title(dataset: str, architecture: str, protocol: str | None = None) -> str:
    """Such as "digits, GRU, VoCu"."""
    parts = [dataset, unit_look(architecture).label] + ([PROTOCOLS[protocol].look.label] if protocol else [])
    return ", ".join(parts)


def ordered(values: pd.Series) -> list:
    """Unique values, in the order of first occurrence."""
    return list(dict.fromkeys(values))


def class_colour(label: int, last: int) -> tuple[float, float, float, float]:
    """Colour of a class, from dark to light; `last` is the highest class."""
    return PALETTE(LIGHTEST * label / max(last, 1))


def protocols_in(table: pd.DataFrame) -> list[str]:
    """Protocols that occur in a table, in the order of `PROTOCOLS`."""
    present = set(table["protocol"])
    return [protocol for protocol in PROTOCOLS if protocol in present]


def first_networks(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the first network of each cell."""
    return table[table["seed"] == table.groupby(CELL)["seed"].transform("min")]


def cell_panels(
    table: pd.DataFrame, draw_panel: Callable[[Axes, pd.DataFrame, str], None], *, height: float
) -> tuple[Figure, np.ndarray]:
    """A panel for each cell of the grid: one row per data set, one column per architecture and protocol.

    Args:
        table: with the columns of the cell.
        draw_panel: draws the rows of a cell on axes, given its protocol.
        height: height of a panel, in inches.

    Returns:
        The figure and its axes `[rows, columns]`.
    """
    if table.empty:
        figure, axes = panels(1, 1, height=height)
        say(axes[0, 0], NOTHING)
        return figure, axes
    datasets = ordered(table["dataset"])
    architectures, protocols = ordered(table["architecture"]), protocols_in(table)
    figure, axes = panels(len(datasets), len(architectures) * len(protocols), height=height)
    cells = list(product(datasets, architectures, protocols))
    by_cell = dict(list(table.groupby(CELL)))
    for ax, cell, title in zip(axes.flat, cells, _panel_titles(cells), strict=True):
        of_cell = by_cell.get(cell)
        if of_cell is None:
            say(ax, NOTHING)
        else:
            draw_panel(ax, of_cell, cell[-1])
        ax.set_title(title, loc="left")
    return figure, axes


def _panel_titles(cells: Sequence[tuple[str, str, str]]) -> list[str]:
    """Title of each cell; if one is too long for a line, all have their data set on a line of its own."""
    titles = [cell_title(*cell) for cell in cells]
    if all(len(title) <= TITLE_WIDTH for title in titles):
        return titles
    return [
        f"{textwrap.fill(dataset, TITLE_WIDTH)}\n{title.removeprefix(f'{dataset}, ')}"
        for (dataset, *_), title in zip(cells, titles, strict=True)
    ]


def apart(heights: Sequence[float], least: float) -> np.ndarray:
    """Heights moved as little as possible to leave room for names, in the same order and between 0 and 1.

    Args:
        heights: preferred heights, as shares of the height of a panel.
        least: smallest distance between names, likewise.
    """
    order = np.argsort(heights, kind="stable")
    preferred = np.array(heights)[order] - least * np.arange(len(heights))
    lowest, highest = np.maximum.accumulate(preferred), np.minimum.accumulate(preferred[::-1])[::-1]
    room = max(0.0, 1 - least * (len(heights) - 1))
    names = np.empty(len(heights))
    names[order] = ((lowest + highest) / 2).clip(0, room) + least * np.arange(len(heights))
    return names


def legend(figure: Figure, handles: Sequence[Artist]) -> None:
    """Adds a legend above a figure, in as few lines as its width allows; the figure grows accordingly.

    Args:
        figure: a figure without a legend.
        handles: labelled handles.
    """
    widths = [HANDLE + CHARACTER * len(str(handle.get_label())) for handle in handles]
    for columns in range(len(handles), 0, -1):
        if sum(map(max, np.array_split(widths, columns))) <= figure.get_figwidth():
            break
    lines = -(-len(handles) // columns)
    figure.set_figheight(figure.get_figheight() + LINE * lines)
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)


def class_handles(data: pd.DataFrame) -> list[Line2D]:
    """Legend entries of named classes: colour, number and name.

    Args:
        data: the data drawn, with `attrs["class_names"]` as `figures.data` returns them.
    """
    named = {
        dataset: names
        for dataset, names in data.attrs.get("class_names", {}).items()
        if dataset in set(data["dataset"]) and names != [str(label) for label in range(len(names))]
    }
    if sum(map(len, named.values())) > MOST_CLASSES:
        return []
    handles = []
    for dataset, names in named.items():
        prefix = f"{dataset} " if data["dataset"].nunique() > 1 else ""
        for label, name in enumerate(names):
            text = f"{prefix}{label}: {class_text(name)}"
            colour = class_colour(label, len(names) - 1)
            handles.append(Line2D([], [], marker="s", ls="", ms=4, color=colour, label=text))
    return handles


def class_text(name: str) -> str:
    """Name of a class in figures: truncated if long, and with formula characters escaped."""
    name = " ".join(name.split())
    return (name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…").replace("$", r"\$")


def say(axes: Axes, text: str) -> None:
    """Writes a note in the middle of an empty panel."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY)


def note_row(ax: Axes, x: float, row: float, text: str, colour: str) -> None:
    """Writes a small note beside a row of a panel, at `x` in widths of the panel."""
    ax.annotate(text, (x, row), xycoords=ax.get_yaxis_transform(), va="center", color=colour, fontsize=SMALL)


def save(figure: Figure, *paths: str | Path) -> None:
    """Writes a figure to each path, in the format of its suffix. Without dates, equal figures give equal files."""
    for path in map(Path, paths):
        form = path.suffix[1:]
        metadata = UNDATED.get(form)
        with atomic(path) as temporary, project_style():
            figure.savefig(temporary, format=form, dpi=DPI.get(form, "figure"), metadata=metadata)
