"""Slow points of networks and classes as tables, and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from slowpoints.core.schemas.slow_points import SLOW_POINTS
from slowpoints.core.seed_block_tables import misplaced, read_seed_block_table
from slowpoints.core.tables import read_facts
from slowpoints.networks.ensemble import Networks
from slowpoints.networks.seed_blocks import weights_digest

NULLABLE = {torch.int64: "Int64", torch.bool: "boolean", torch.float64: "float64"}
"""Types of nullable columns, by the type of their tensor."""


def point_table(columns: dict[str, Tensor], seeds: tuple[int, ...], classes: int, exist: Tensor) -> pd.DataFrame:
    """A row for each network and class: seed, label, and columns `[P]` that are null where no point exists."""
    table = pd.DataFrame(
        {name: pd.array(column.cpu().numpy(), dtype=NULLABLE[column.dtype]) for name, column in columns.items()}
    )
    table.loc[~exist.cpu().numpy(), :] = None
    table.insert(0, "label", np.tile(np.arange(classes), len(seeds)))
    table.insert(0, "seed", np.repeat(seeds, classes))
    return table


def read_points(path: str | Path, networks: Networks) -> pd.DataFrame:
    """The table `slow_points` of a seed block, if it belongs to these networks.

    Raises:
        ValueError: naming the file, if it is damaged, of another schema or version, of other networks, or misplaced.
    """
    table = read_seed_block_table(path, SLOW_POINTS)
    if read_facts(path).get("weights") != json.dumps(weights_digest(networks)):
        raise misplaced(path, "it was measured on other weights than those beside it")
    rows = [(seed, label) for seed in networks.seeds for label in range(networks.spec.classes)]
    if list(zip(table["seed"], table["label"], strict=True)) != rows:
        raise ValueError(f"{path}: it does not have one row for each network and class, in order")
    coordinates = networks.spec.unit.parts * networks.spec.hidden
    if set(table["state"].dropna().map(len)) - {coordinates}:
        raise ValueError(f"{path}: a state does not have {coordinates} numbers, as states of its networks do")
    return table


def stored_points(slow_points: pd.DataFrame, coordinates: int, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """States `[P, n]` in a table `slow_points`, zero where a class has none, and whether each exists, `[P]`."""
    exist = slow_points["state"].notna().to_numpy()
    states = np.zeros((len(exist), coordinates))
    if exist.any():
        states[exist] = np.stack(slow_points["state"][exist])
    return torch.tensor(states, device=device), torch.tensor(exist, device=device)


def class_or_null(readout: Tensor) -> Tensor:
    """Read-out classes as floats, NaN where null was read out."""
    return torch.where(readout < 0, torch.nan, readout.double())
