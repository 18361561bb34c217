"""How long memories last when no noise disturbs them: the noise-free replay of the memory measure."""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.dynamics.autonomous import Dynamics

LIFETIME_CAP = 10  # lifetimes are followed for this many times the longest delay
FRAMES_AT_ONCE = 64  # that are read out together


@torch.no_grad()
def lifetimes(dynamics: Dynamics, states: Tensor, labels: Tensor, longest: int) -> Tensor:
    """Frames under the mean input until a triggered step no longer reads out the class.

    Args:
        dynamics: of S networks.
        states: `[P, n]`, where to start.
        labels: class of each, `[P]`.
        longest: frames followed at most.

    Returns:
        `[P]`; `longest` where the class was read out all the time.
    """
    alive = torch.ones_like(labels, dtype=torch.bool)
    lifetime = torch.zeros_like(labels)
    for first in range(0, longest, FRAMES_AT_ONCE):
        visited = []
        for _ in range(min(FRAMES_AT_ONCE, longest - first)):
            visited.append(states)
            states = dynamics.step(states)
        # Read out together, network by network: [S, frames, C, n].
        by_network = torch.stack(visited).unflatten(1, (dynamics.networks, -1)).transpose(0, 1)
        read = dynamics.read_out(by_network.flatten(0, 2)).view(by_network.shape[:3])
        right = read.transpose(0, 1).flatten(1) == labels
        lasting = right.cumprod(0).bool() & alive
        lifetime += lasting.sum(0)
        alive = lasting[-1]
        if not alive.any():
            break
    return lifetime
