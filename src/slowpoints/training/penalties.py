"""Penalties on a network's speed, which fine-tuning adds to its loss.

S networks, C classes, n coordinates, N inputs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from slowpoints.core.tensors import tensor_digest
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.descent import descend
from slowpoints.dynamics.speed import SpeedResidual, reachable
from slowpoints.networks.ensemble import Networks
from slowpoints.networks.rollout import next_states

DESCENT_STEPS = 100  # with which points are sought anew, from where they were: few, as they have moved little


class Penalty:
    """A term added to each network's loss.

    Attributes:
        streams: random streams that it draws from.
        capturable: whether every call does the same work, so that a CUDA graph may replay it.
    """

    capturable = True
    streams: list[torch.Generator]

    def __call__(self, networks: Networks) -> Tensor:
        """The term of each network, `[S]`."""
        raise NotImplementedError

    def settings(self) -> list[Any]:
        """What it was made of, as text and numbers: a resume file of another penalty is not gone on with."""
        raise NotImplementedError

    def state(self) -> dict[str, Tensor]:
        """What changes from call to call, streams aside: for a resume file."""
        return {}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Goes on from what `state` gave."""


def squared_speeds(networks: Networks, drives: list[Tensor], states: Tensor) -> Tensor:
    """Squared speed of states `[S, B, n]` under the drive of each gate group, `[S, B, g * H]`: `[S, B]`."""
    return networks.spec.unit.displacement(states, next_states(networks, drives, states)).square().sum(-1)


class SpeedPenalty(Penalty):
    """lambda times the sum, not the mean, of squared speeds over points and noise frames of a network.

    Each point meets frames of its own, drawn afresh at each call at full sigma, trigger 0. Speed is taken in the
    coordinates of `Unit.speed_coordinates`. Haviv, Rivkind & Barak (2019), section 6, and the authors' released code.

    Args:
        networks: those that will be fine-tuned.
        points: `[S, C, n]`.
        found: which of them exist, `[S, C]`; the others count for nothing.
        lambda_: weight of the sum.
        noise_frames: frames a point meets.
    """

    def __init__(self, networks: Networks, points: Tensor, found: Tensor, lambda_: float, noise_frames: int):
        self.points, self.lambda_, self.noise_frames = points, lambda_, noise_frames
        self.counts = found.to(points.dtype).repeat_interleave(noise_frames, dim=1)
        self.streams = networks.streams("fine-tuning penalty")

    def __call__(self, networks: Networks) -> Tensor:
        n_networks, classes, _ = self.points.shape
        shape = (n_networks, classes * self.noise_frames, networks.spec.pixels)
        frames = networks.noise(self.streams, self.points.new_empty(shape))
        return self.lambda_ * (self.squared_speeds(networks, frames) * self.counts).sum(1)

    def settings(self) -> list[Any]:
        numbers = [type(self).__name__, self.lambda_, self.noise_frames]
        return numbers + [tensor_digest(tensor) for tensor in (self.points, self.counts)]

    def squared_speeds(self, networks: Networks, frames: Tensor) -> Tensor:
        """Squared speed at each point under each of its frames `[S, C * frames, N]`, `[S, C * frames]`."""
        states = self.points.repeat_interleave(self.noise_frames, dim=1)
        return squared_speeds(networks, networks.drive(networks.features(frames)), states)


class TrackedPenalty(SpeedPenalty):
    """The same at slow points that follow the network: sought anew, from where they were, every so many steps."""

    capturable = False

    def __init__(
        self, networks: Networks, points: Tensor, found: Tensor, lambda_: float, noise_frames: int, every: int
    ):
        super().__init__(networks, points, found, lambda_, noise_frames)
        self.every, self.calls = every, 0

    def __call__(self, networks: Networks) -> Tensor:
        if self.calls and self.calls % self.every == 0:
            dynamics = Dynamics.of(networks)
            flat, _ = descend(
                SpeedResidual(dynamics), self.points.flatten(0, 1), *reachable(dynamics), steps=DESCENT_STEPS
            )
            self.points = flat.view(self.points.shape).to(self.points.dtype)
        self.calls += 1
        return super().__call__(networks)

    def settings(self) -> list[Any]:
        return [*super().settings(), self.every]

    def state(self) -> dict[str, Tensor]:
        return {"points": self.points, "calls": torch.tensor(self.calls)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        self.points, self.calls = tensors["points"], int(tensors["calls"])


class SettledPenalty(Penalty):
    """lambda times the sum of squared speeds **under the mean input** over points of a network, without noise frames.

    So it holds down the drift of memories alone, and leaves what noise does to them as it is. With a front end the mean
    input is taken as it is, without a gradient to the front end, and worked out anew every so many steps.

    Args:
        networks: those that will be fine-tuned.
        points: `[S, C, n]`.
        found: which of them exist, `[S, C]`; the others count for nothing.
        lambda_: weight of the sum.
        every: steps after which the mean input is worked out anew.
    """

    def __init__(self, networks: Networks, points: Tensor, found: Tensor, lambda_: float, every: int):
        self.points, self.lambda_, self.every = points, lambda_, every
        self.counts = found.to(points.dtype)
        self.capturable = networks.spec.front_end is None
        self.streams = []
        self.calls, self.mean = 0, networks.mean_features()

    def __call__(self, networks: Networks) -> Tensor:
        if networks.spec.front_end is not None and self.calls and self.calls % self.every == 0:
            self.mean = networks.mean_features()
        self.calls += 1
        drives = [drive.expand(-1, self.points.shape[1], -1) for drive in networks.drive(self.mean[:, None])]
        return self.lambda_ * (squared_speeds(networks, drives, self.points) * self.counts).sum(1)

    def settings(self) -> list[Any]:
        tensors = (self.points, self.counts)
        return [type(self).__name__, self.lambda_, self.every, *(tensor_digest(tensor) for tensor in tensors)]

    def state(self) -> dict[str, Tensor]:
        return {"mean": self.mean, "calls": torch.tensor(self.calls)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        self.mean, self.calls = tensors["mean"], int(tensors["calls"])
