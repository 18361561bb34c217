"""Where everything lies below results/, each path once; braces stand for Snakemake's wildcards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from slowpoints.core.files import WEIGHTS

RESOURCES = Path("resources")
"""What was downloaded."""
RESULTS = Path("results")
NETWORKS = RESULTS / "networks"

DATASET = "results/datasets/{dataset}"
PARTS = ("train", "valid", "test")
BLOCK = "results/networks/{dataset}/{architecture}/{protocol}/{mode}/{block}"
TABLES = "results/{study}/tables"
TRAINED_TABLES = f"{TABLES}/trained"
"""Tables of the networks as trained alone, which need no fine-tuning."""
COSTS = "results/{study}/costs.csv"
"""What fine-tuning cost: no table, since it holds timings."""
FIGURES = "results/{study}/figures"
SHARED = ("datasets", "networks")
"""Folders of results/ that all studies share."""
PUBLISHED_AS = "reference-"
"""How names of studies from reference/ begin."""

_BLOCK_NAME = re.compile(r"^(\d+)-(\d+)$")

Cell = tuple[str, str, str]
"""Data set, architecture and protocol."""


class Place(NamedTuple):
    """Where a file of a block lies."""

    cell: Cell
    folder: str
    block: str


def place_of(file: str | Path) -> Place:
    """Cell, folder of the mode, and block of a file that lies as `BLOCK` says."""
    *_, dataset, architecture, protocol, folder, block = Path(file).parent.parts
    return Place((dataset, architecture, protocol), folder, block)


def tuning_named(folder: str) -> tuple[str, float | None]:
    """Mode and lambda that the name of a mode's folder says, as `modes.tunings` gives it; None where it says none."""
    mode, _, text = folder.partition("-")
    return mode, float(text) if text else None


def block_name(first: int, last: int) -> str:
    """Name of the block of seeds from `first` to `last`."""
    return f"{first}-{last}"


def block_seeds(block: str) -> list[int]:
    """Seeds of a block such as "0-7"."""
    first, last = map(int, block.split("-"))
    return list(range(first, last + 1))


def finished_blocks(folder: Path) -> Iterator[tuple[int, int]]:
    """First and last seed of each block with weights in the folder of a cell and mode."""
    for weights in folder.glob(f"*/{WEIGHTS}"):
        if block := _BLOCK_NAME.match(weights.parent.name):
            first, last = map(int, block.groups())
            yield first, last
