"""Our penalty on drift, along the relaxation path: the squared speed under the mean input, from settled states on.

S networks, C classes, F frames of the path, n coordinates.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from slowpoints.dynamics.relaxation import RELAXATION_FRAMES
from slowpoints.networks.ensemble import Networks
from slowpoints.training.changes import Changes
from slowpoints.training.modes.setup import Points, Setup
from slowpoints.training.penalties import DriftPenalty


def changes(setup: Setup, lambda_: float) -> Changes:
    """A penalty along the path from each class centre, up to the longest delay, recomputed every `refresh` steps."""
    frames = [frame for frame in RELAXATION_FRAMES if frame <= setup.longest_delay]
    return Changes(PathPenalty(setup.networks, lambda now: setup.relaxed(now, frames), lambda_, setup.settings.refresh))


class PathPenalty(DriftPenalty):
    """A `DriftPenalty` at states that are recomputed from the current networks at regular intervals.

    Args:
        networks: those that will be fine-tuned.
        seek: from networks to their points, always as many.
        lambda_: weight of the sum.
        every: steps after which the points, and the mean input, are recomputed.
    """

    def __init__(self, networks: Networks, seek: Callable[[Networks], Points], lambda_: float, every: int):
        super().__init__(networks, *seek(networks), lambda_, every)
        self.seek = seek

    def recompute(self, networks: Networks) -> None:
        super().recompute(networks)
        points, exist = self.seek(networks.detached())
        self.points.copy_(points)
        self.counts.copy_(exist)

    def state(self) -> dict[str, Tensor]:
        return super().state() | {"points": self.points, "counts": self.counts}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        super().restore(tensors)
        self.points.copy_(tensors["points"])
        self.counts.copy_(tensors["counts"])
