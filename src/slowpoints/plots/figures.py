"""Which figures there are, and the tables that each is drawn from: the one place to add another."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from slowpoints.core.looks import Look

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from slowpoints.core.schemas.kinds import Kind

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
"""Tables of each figure, which its module's `data` takes by these names."""
TUNED = {"regularisation"}
"""Figures that need fine-tuned networks: a study without modes has none of them."""


def kind(name: str) -> Kind:
    """The table of what a figure draws.

    Args:
        name: a key of `FIGURES`.
    """
    return _module(name).DATA


def data(name: str, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What a figure draws: a row for each point, interval or vertex of a line, as its table gives it back.

    Args:
        name: a key of `FIGURES`.
        tables: the tables that it is drawn from, by name.
    """
    module = _module(name)
    shown = module.data(**{table: tables[table] for table in FIGURES[name]})
    schema = pa.schema(list(module.DATA.columns.items()))
    return pa.Table.from_pandas(shown[schema.names], schema, preserve_index=False).to_pandas()


def draw(name: str, drawn: pd.DataFrame, units: Mapping[str, Look] | None = None) -> Figure:
    """A figure.

    Args:
        name: a key of `FIGURES`.
        drawn: as `data` gives it.
        units: looks of recurrent units by name; those that are not in it are called by their name in capitals.
    """
    return _module(name).draw(drawn, units=units)


def _module(name: str) -> Any:
    return import_module(f"slowpoints.plots.{name}")
