"""Every path below results/, defined once; braces are Snakemake's wildcards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from slowpoints.core.files import WEIGHTS

RESOURCES = Path("resources")
"""Downloaded files."""
RESULTS = Path("results")
NETWORKS = RESULTS / "networks"

DATASET = "results/datasets/{dataset}"
PARTS = ("train", "valid", "test")
SEED_BLOCK = "results/networks/{dataset}/{architecture}/{protocol}/{mode}/{block}"
TABLES = "results/{study}/tables"
TRAINED_TABLES = f"{TABLES}/trained"
"""Tables of networks as trained only, which do not wait for fine-tuning."""
COSTS = "results/{study}/costs.csv"
"""What fine-tuning cost: not a table, since it holds timings."""
FIGURES = "results/{study}/figures"
SHARED = ("datasets", "networks")
"""Folders of results/ that all studies share."""
PUBLISHED_AS = "reference-"
"""Prefix of the names of studies from reference/."""

_SEED_BLOCK_NAME = re.compile(r"^(\d+)-(\d+)$")

Cell = tuple[str, str, str]
"""Data set, architecture and protocol."""


class Place(NamedTuple):
    """Where a file of a seed block lies."""

    cell: Cell
    folder: str
    seed_block: str


def place_of(file: str | Path) -> Place:
    """Cell, folder of the mode, and seed block of a file in a folder like `SEED_BLOCK`."""
    *_, dataset, architecture, protocol, folder, seed_block = Path(file).parent.parts
    return Place((dataset, architecture, protocol), folder, seed_block)


def tuning_named(folder: str) -> tuple[str, float | None]:
    """Mode and lambda in the name of a mode's folder (`modes.tunings`); lambda is None if the name has none."""
    mode, _, text = folder.partition("-")
    return mode, float(text) if text else None


def seed_block_name(first: int, last: int) -> str:
    """Name of the seed block from `first` to `last`."""
    return f"{first}-{last}"


def seeds_of_block(seed_block: str) -> list[int]:
    """Seeds of a seed block such as "0-7"."""
    first, last = map(int, seed_block.split("-"))
    return list(range(first, last + 1))


def finished_seed_blocks(folder: Path) -> Iterator[tuple[int, int]]:
    """First and last seed of each seed block with weights in the folder of a cell and mode."""
    for weights in folder.glob(f"*/{WEIGHTS}"):
        if name := _SEED_BLOCK_NAME.match(weights.parent.name):
            first, last = map(int, name.groups())
            yield first, last
