"""Modes of regularised fine-tuning, and the names of their folders."""

from __future__ import annotations

MODES = ("control", "slow_points", "centre_of_mass", "tracking")
"""No penalty; at the slow points; at the class centres; at slow points sought anew as training goes on."""


def mode_parts(name: str, weights: float | list[float]) -> tuple[str, float]:
    """Mode and lambda of a folder: `slow_points` with the one lambda, or `slow_points-0.01` of a list."""
    mode, _, weight = name.partition("-")
    if mode == "control":
        return mode, 0.0
    return mode, float(weight or weights)


def mode_names(modes: list[str], weights: float | list[float]) -> list[str]:
    """Folders of the modes: one each, or one for each lambda of a list; `control` has none."""
    several = weights if isinstance(weights, list) else []
    names = []
    for mode in modes:
        names += [f"{mode}-{weight:g}" for weight in several] if several and mode != "control" else [mode]
    return names
