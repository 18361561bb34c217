"""Which figures there are, and the tables that each is drawn from: the one place to add another."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from slowpoints.core.looks import Look

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FIGURES: dict[str, tuple[str, ...]] = {
    "task": ("task",),
    "extrapolation": ("extrapolation",),
    "state_space": ("trajectories",),
    "speed_vs_memory": ("networks", "correlations"),
    "predictors": ("correlations",),
    "relaxation": ("relaxation", "slow_points"),
    "spectrum": ("spectrum",),
    "formation": ("formation",),
    "regularisation": ("extrapolation", "regularisation"),
    "claims": ("claims",),
}
"""Tables of each figure, which its module's `draw` takes by these names."""
TUNED = {"regularisation"}
"""Figures of fine-tuned networks and of verdicts on them; the others are drawn from tables of the networks as trained
alone."""


def draw(name: str, tables: Mapping[str, pd.DataFrame], units: Mapping[str, Look] | None = None) -> Figure:
    """A figure.

    Args:
        name: a key of `FIGURES`.
        tables: the tables that it is drawn from, by name.
        units: looks of recurrent units by name; those that are not in it are called by their name in capitals.
    """
    module = import_module(f"slowpoints.plots.{name}")
    return module.draw(**tables, units=units)
