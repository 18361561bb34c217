"""Accuracy against delay of networks that were trained elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from slowpoints.adapters.picture import ATTRACTING, LEAVING, SLOW, Picture
from slowpoints.adapters.retention import chance_of, half_life, over_labels
from slowpoints.plots.style import GREY, project_style

COLOURS = (SLOW, ATTRACTING, LEAVING, "#5b3f8c", "#3f7f4c")
LINES = ("--", "-", "-.", ":", (0, (5, 1)))


def draw(tables: Mapping[str, pd.DataFrame]) -> Picture:
    """As `plot_retention`, for tables by name."""
    with project_style():
        figure = Picture(figsize=(4.2, 3.2))
        panel = figure.add_subplot()
        for order, (name, table) in enumerate(tables.items()):
            colour, line = COLOURS[order % len(COLOURS)], LINES[order % len(LINES)]
            curve = over_labels(table)
            panel.fill_between(curve.index, curve["low"], curve["high"], color=colour, alpha=0.18, lw=0)
            panel.plot(curve.index, curve["accuracy"], color=colour, ls=line, label=_label(name, table))
        if chances := [chance for table in tables.values() if (chance := _chance(table)) is not None]:
            panel.axhline(min(chances), color=GREY, lw=0.7, ls=(0, (1, 2)), label="chance")
        panel.set(xscale="log", ylim=(0, 1.03), xlabel="delay (frames)", ylabel="accuracy (95 % interval)")
        figure.legend(loc="outside upper left")
    return figure


def _label(name: str, table: pd.DataFrame) -> str:
    """A curve's name with its half-life or, if accuracy does not fall that far, accuracy at the longest delay."""
    try:
        life = half_life(table)
    except ValueError:  # nothing is read out correctly, or chance is unknown
        life = np.nan
    last = over_labels(table)["accuracy"].iloc[-1]
    text = f"half-life {life:,.0f}" if np.isfinite(life) else f"{last:.2f} at {table['delay'].max():,} frames"
    return f"{name}: {text}" if name else text


def _chance(table: pd.DataFrame) -> float | None:
    """Accuracy of a guess; None if it is unknown."""
    try:
        return chance_of(table)
    except ValueError:
        return None
