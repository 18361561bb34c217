"""Files of blocks, read where they lie: what they hold must be what their path says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from slowpoints.core.layout import block_seeds, place_of, tuning_named
from slowpoints.core.schemas.schema import CELL, TableSchema
from slowpoints.core.tables import read_table


def read_block_table(path: str | Path, kind: TableSchema) -> pd.DataFrame:
    """A block's table, if its rows are of the cell, mode and seeds that its path says.

    Raises:
        ValueError: naming the file, if it is damaged, of another kind or version, or of another place.
    """
    table = read_table(path, kind)
    named = [name for name in (*CELL, "mode", "lambda") if name in kind.columns]
    check_place(path, {name: table[name].unique().tolist() for name in named}, table["seed"], sparse=kind.sparse)
    return table


def check_place(
    path: str | Path, found: Mapping[str, Iterable[object]], seeds: Iterable[int], *, sparse: bool = False
) -> None:
    """Refuses a file of a block that holds another cell, mode or seeds than its path says.

    Args:
        path: the file.
        found: every data set, architecture, protocol, mode and lambda in it, by these names; what is not given is not
            looked at, nor is lambda where the path says none.
        seeds: every seed in it.
        sparse: whether seeds may be missing.

    Raises:
        ValueError: naming the file.
    """
    place = place_of(path)
    mode, lambda_ = tuning_named(place.folder)
    said = {**dict(zip(CELL, place.cell, strict=True)), "mode": mode, "lambda": lambda_}
    for name in (name for name in found if said[name] is not None):
        others = [value for value in found[name] if value != said[name]]
        if others:
            raise misplaced(path, f"it holds {name} {others[0]!r}, where its path says {said[name]!r}")
    expected, there = set(block_seeds(place.block)), {int(seed) for seed in seeds}
    if not there <= expected or (there < expected and not sparse):
        raise misplaced(path, f"it holds seeds {sorted(there)}, where its path says {place.block}")


def misplaced(path: str | Path, reason: str) -> ValueError:
    """What is raised of a file that is whole, but not the one that was asked for."""
    return ValueError(f"{path}: {reason}; it belongs elsewhere: remove it, and it will be made anew")
