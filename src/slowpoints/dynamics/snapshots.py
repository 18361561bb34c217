"""Snapshots of the autonomous dynamics during training, and their file."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import torch

from slowpoints.core.tensors import read_tensors, write_tensors
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.networks.ensemble import Networks

TENSORS = tuple(field.name for field in fields(Dynamics) if field.name != "architecture")

WEIGHTS = ("recurrent", "readout", "readout_bias")  # stored as they are in the networks


def save_snapshots(snapshots: dict[int, Dynamics], seeds: tuple[int, ...], path: str | Path) -> None:
    """Writes snapshots by training step, stacked `[K, S, ...]`, in float32 as networks train."""
    stacked = {
        name: torch.stack([getattr(dynamics, name) for dynamics in snapshots.values()]).float().cpu()
        for name in TENSORS
    }
    architecture = next(iter(snapshots.values())).architecture
    write_tensors(stacked, path, {"steps": list(snapshots), "seeds": list(seeds), "architecture": architecture})


def load_snapshots(path: str | Path, networks: Networks | None = None) -> dict[int, Dynamics]:
    """Snapshots by training step, earliest first, in float64.

    Args:
        path: the file.
        networks: whose weights the last snapshot must have, and to whose device they are moved; None for no check.

    Raises:
        ValueError: naming the file, if it is damaged, or holds no snapshots or those of other networks.
    """
    stacked, facts = read_tensors(path)
    if not {*TENSORS} <= {*stacked} or "steps" not in facts:
        raise ValueError(f"{path}: holds no snapshots with their training steps")
    if {len(tensor) for tensor in stacked.values()} != {len(facts["steps"])}:
        raise ValueError(f"{path}: it has {len(facts['steps'])} steps, but not as many snapshots")
    if networks is not None:
        for name in WEIGHTS:
            if not torch.equal(stacked[name][-1], networks.weights[name].float().cpu()):
                raise ValueError(f"{path}: {name} of the last snapshot is not that of the networks beside it")
        stacked = {name: tensor.to(networks.device) for name, tensor in stacked.items()}
    stacked = {name: tensor.double() for name, tensor in stacked.items()}
    return {
        step: Dynamics(architecture=facts["architecture"], **{name: stacked[name][row] for name in TENSORS})
        for row, step in enumerate(facts["steps"])
    }
