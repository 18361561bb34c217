"""Snapshots of the autonomous dynamics through training, and their file."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import torch

from slowpoints.core.tensors import read_tensors, write_tensors
from slowpoints.dynamics.autonomous import Dynamics

TENSORS = tuple(field.name for field in fields(Dynamics) if field.name != "architecture")


def save_snapshots(snapshots: dict[int, Dynamics], seeds: tuple[int, ...], path: str | Path) -> None:
    """Writes the dynamics after so many steps, stacked `[K, S, ...]` in float32, in which networks train."""
    stacked = {
        name: torch.stack([getattr(each, name) for each in snapshots.values()]).float().cpu() for name in TENSORS
    }
    architecture = next(iter(snapshots.values())).architecture
    write_tensors(stacked, path, {"steps": list(snapshots), "seeds": list(seeds), "architecture": architecture})


def load_snapshots(path: str | Path, device: torch.device | str = "cpu") -> dict[int, Dynamics]:
    """The dynamics after so many steps, earliest first, in float64.

    Raises:
        ValueError: naming the file, if it is damaged or holds no snapshots.
    """
    stacked, facts = read_tensors(path)
    if not {*TENSORS} <= {*stacked} or "steps" not in facts:
        raise ValueError(f"{path}: holds no snapshots, which come with their steps")
    stacked = {name: tensor.to(device).double() for name, tensor in stacked.items()}
    return {
        step: Dynamics(architecture=facts["architecture"], **{name: stacked[name][row] for name in TENSORS})
        for row, step in enumerate(facts["steps"])
    }
