"""Tables of a seed block, whose contents must match their path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from slowpoints.core.layout import place_of, seeds_of_block, tuning_named
from slowpoints.core.schemas.schema import CELL, TableSchema
from slowpoints.core.tables import REMOVE, read_table


def read_seed_block_table(path: str | Path, schema: TableSchema) -> pd.DataFrame:
    """A table of a seed block, whose rows must be of the cell, mode and seeds that its path names.

    Raises:
        ValueError: naming the file, if it is damaged, of another schema or version, or misplaced.
    """
    table = read_table(path, schema)
    named = [name for name in (*CELL, "mode", "lambda") if name in schema.columns]
    check_place(path, {name: table[name].unique().tolist() for name in named}, table["seed"], sparse=schema.sparse)
    return table


def check_place(
    path: str | Path, contents: Mapping[str, Iterable[object]], seeds: Iterable[int], *, sparse: bool = False
) -> None:
    """Refuses a file of a seed block whose cell, mode or seeds differ from those in its path.

    Args:
        path: the file.
        contents: every dataset, architecture, protocol, mode and lambda in the file, by these names. Names left out are
            not checked, nor is lambda if the path has none.
        seeds: every seed in the file.
        sparse: whether seeds may be missing.

    Raises:
        ValueError: naming the file.
    """
    place = place_of(path)
    mode, lambda_ = tuning_named(place.folder)
    expected = {**dict(zip(CELL, place.cell, strict=True)), "mode": mode, "lambda": lambda_}
    for name in (name for name in contents if expected[name] is not None):
        others = [value for value in contents[name] if value != expected[name]]
        if others:
            raise misplaced(path, f"it holds {name} {others[0]!r}, where its path says {expected[name]!r}")
    expected_seeds, present = set(seeds_of_block(place.seed_block)), {int(seed) for seed in seeds}
    if not present <= expected_seeds or (present < expected_seeds and not sparse):
        raise misplaced(path, f"it holds seeds {sorted(present)}, where its path says {place.seed_block}")


def misplaced(path: str | Path, reason: str) -> ValueError:
    """The error for a file that is intact but belongs elsewhere."""
    return ValueError(f"{path}: {reason}; it belongs elsewhere: {REMOVE}")
