"""Networks of a seed block, read from its folder, for the rules that measure or fine-tune them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from slowpoints.core.schemas.schema import CELL
from slowpoints.core.seed_block_tables import check_place
from slowpoints.core.tensors import tensor_digest
from slowpoints.networks.ensemble import Networks
from slowpoints.networks.weights import read_weights


def load_seed_block(path: str | Path, device: torch.device | str = "cpu") -> Networks:
    """Networks of a weights file, checked to be of the cell, mode and seeds in its path.

    Raises:
        ValueError: as `load_networks`, or naming the file if it belongs elsewhere.
    """
    networks, facts = read_weights(path)
    cell = {name: [getattr(networks.spec, name)] for name in CELL}
    check_place(path, cell | {name: [facts.get(name)] for name in ("mode", "lambda")}, networks.seeds)
    return networks.to(device)


def weights_digest(networks: Networks) -> str:
    """SHA-256 of all weights, which files measured from these networks store."""
    named = sorted(networks.weights.items())
    return hashlib.sha256("".join(name + tensor_digest(weight) for name, weight in named).encode()).hexdigest()
