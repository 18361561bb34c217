"""The paper's penalty at slow points that follow the network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.descent import descend
from slowpoints.dynamics.speed import SpeedResidual, reachable
from slowpoints.networks.ensemble import Networks
from slowpoints.training.changes import Changes
from slowpoints.training.modes.setup import Setup
from slowpoints.training.penalties import SpeedPenalty

DESCENT_STEPS = 100  # few, as points have moved little since the last descent


def changes(setup: Setup, lambda_: float) -> Changes:
    """A penalty at the slow points, recomputed every `refresh` steps."""
    settings = setup.settings
    return Changes(
        TrackedPenalty(setup.networks, *setup.stored_points(), lambda_, settings.noise_frames, settings.refresh)
    )


class TrackedPenalty(SpeedPenalty):
    """A `SpeedPenalty` whose points descend the current speed at regular intervals.

    Args:
        networks: as for `SpeedPenalty`, like the others but the last.
        points: at the start.
        exist: which of them exist.
        lambda_: weight of the sum.
        noise_frames: frames a point meets.
        every: steps after which the points are recomputed, from where they were.
    """

    def __init__(
        self, networks: Networks, points: Tensor, exist: Tensor, lambda_: float, noise_frames: int, every: int
    ):
        super().__init__(networks, points.clone(), exist, lambda_, noise_frames)
        self.every, self.calls = every, 0

    def refresh(self, networks: Networks) -> None:
        if self.calls and self.calls % self.every == 0:
            dynamics = Dynamics.of(networks)
            flat = self.points.flatten(0, 1)
            flat, _ = descend(SpeedResidual(dynamics), flat, *reachable(dynamics), steps=DESCENT_STEPS)
            self.points.copy_(flat.view(self.points.shape))
        self.calls += 1

    def settings(self) -> list[Any]:
        return [*super().settings(), self.every]

    def state(self) -> dict[str, Tensor]:
        return {"points": self.points, "calls": torch.tensor(self.calls)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        self.calls = int(tensors["calls"])
        self.points.copy_(tensors["points"])
