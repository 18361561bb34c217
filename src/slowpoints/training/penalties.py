"""Penalties on a network's speed, which fine-tuning adds to its loss.

S networks, C classes, P points of each network, n coordinates, N inputs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from slowpoints.core.tensors import tensor_digest
from slowpoints.networks.ensemble import Networks
from slowpoints.networks.rollout import next_states


class Penalty:
    """A term added to each network's loss.

    Attributes:
        streams: random streams that it draws from.
        capturable: whether a CUDA graph may replay a call: always the same work on the same memory.
    """

    capturable = True
    streams: list[torch.Generator]

    def __call__(self, networks: Networks) -> Tensor:
        """The term of each network, `[S]`."""
        raise NotImplementedError

    def refresh(self, networks: Networks) -> None:
        """Brings up to date, in place, what a call reads: runs before every call, outside of a CUDA graph."""

    def settings(self) -> list[Any]:
        """What it was made from, as text and numbers: a resume file of another penalty is ignored."""
        raise NotImplementedError

    def state(self) -> dict[str, Tensor]:
        """What changes from call to call, streams aside: for a resume file."""
        return {}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Restores what `state` returned."""


class SpeedPenalty(Penalty):
    """lambda times the sum, not the mean, of squared speeds over points and noise frames of a network.

    Each point meets frames of its own, drawn afresh at each call at full sigma, trigger 0. Speed is taken in the
    coordinates of `Unit.speed_coordinates`. Haviv, Rivkind & Barak (2019), section 6, and the authors' released code.

    Args:
        networks: those that will be fine-tuned.
        points: `[S, C, n]`.
        exist: which of them exist, `[S, C]`; the others count for nothing.
        lambda_: weight of the sum.
        noise_frames: frames a point meets.
    """

    def __init__(self, networks: Networks, points: Tensor, exist: Tensor, lambda_: float, noise_frames: int):
        self.points, self.lambda_, self.noise_frames = points, lambda_, noise_frames
        self.counts = exist.to(points.dtype).repeat_interleave(noise_frames, dim=1)
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


class DriftPenalty(Penalty):
    """lambda times the sum of squared speeds **under the mean input** over points of a network, without noise frames.

    It limits the drift of memories alone, and leaves what noise does to them as it is. With a front end the mean input
    passes no gradient to the front end, and is recomputed every so many steps.

    Args:
        networks: those that will be fine-tuned.
        points: `[S, P, n]`.
        exist: which of them exist, `[S, P]`; the others count for nothing.
        lambda_: weight of the sum.
        every: steps after which the mean input is recomputed.
    """

    def __init__(self, networks: Networks, points: Tensor, exist: Tensor, lambda_: float, every: int):
        self.points, self.lambda_, self.every = points, lambda_, every
        self.counts = exist.to(points.dtype)
        self.streams = []
        self.calls, self.mean = 0, networks.mean_features()

    def __call__(self, networks: Networks) -> Tensor:
        drives = [drive.expand(-1, self.points.shape[1], -1) for drive in networks.drive(self.mean[:, None])]
        return self.lambda_ * (squared_speeds(networks, drives, self.points) * self.counts).sum(1)

    def refresh(self, networks: Networks) -> None:
        if self.calls and self.calls % self.every == 0:
            self.recompute(networks)
        self.calls += 1

    def recompute(self, networks: Networks) -> None:
        """The mean input of the networks as they are: without a front end it never changes."""
        if networks.spec.front_end is not None:
            self.mean.copy_(networks.mean_features())

    def settings(self) -> list[Any]:
        tensors = (self.points, self.counts)
        return [type(self).__name__, self.lambda_, self.every, *(tensor_digest(tensor) for tensor in tensors)]

    def state(self) -> dict[str, Tensor]:
        return {"mean": self.mean, "calls": torch.tensor(self.calls)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        self.calls = int(tensors["calls"])
        self.mean.copy_(tensors["mean"])


def squared_speeds(networks: Networks, drives: list[Tensor], states: Tensor) -> Tensor:
    """Squared speed of states `[S, P, n]` under drives `[S, P, width * H]`, one for each group of gates: `[S, P]`."""
    after = next_states(networks, drives, states)
    return networks.spec.unit.displacement(states, after).square().sum(-1)
