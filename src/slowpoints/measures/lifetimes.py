"""How long memories last when no noise disturbs them: the noise-free replay of the memory measure."""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.core.progress import report_stage
from slowpoints.dynamics.autonomous import Dynamics

LIFETIME_CAP = 10  # lifetimes are followed for this many times the longest delay
FRAMES_AT_ONCE = 64  # read out together


@torch.no_grad()
def lifetimes(dynamics: Dynamics, states: Tensor, labels: Tensor, longest: int) -> Tensor:
    """Frames under the mean input until a triggered step no longer reads out the class.

    Args:
        dynamics: of S networks.
        states: starting points, `[P, n]`.
        labels: class of each, `[P]`.
        longest: largest number of frames to follow.

    Returns:
        `[P]`; `longest` where the class is read out throughout.
    """
    alive = torch.ones_like(labels, dtype=torch.bool)
    lifetime = torch.zeros_like(labels)
    followed = torch.arange(len(labels), device=labels.device).view(dynamics.networks, -1)
    with report_stage("lifetimes", longest, unit="frame", at_most=True) as progress:
        for first in range(0, longest, FRAMES_AT_ONCE):
            begin, points = states, followed.flatten()
            visited = []
            for _ in range(min(FRAMES_AT_ONCE, longest - first)):
                visited.append(states)
                states = dynamics.step(states)
            remembered = _read_out_correctly(dynamics, visited, labels[points]).cumprod(0).bool() & alive[points]
            lifetime[points] += remembered.sum(0)
            # Back where it began, bit for bit: a cycle, read out correctly at each of its frames, for ever.
            for_ever = remembered[-1] & (states == begin).all(-1)
            lifetime[points[for_ever]] = longest
            alive[points] = remembered[-1] & ~for_ever
            if not alive.any():
                break
            progress.update(len(visited))
            living = _living_first(alive[followed])
            followed = followed.gather(1, living)
            by_network = states.unflatten(0, (dynamics.networks, -1))
            states = by_network.gather(1, living[..., None].expand(-1, -1, by_network.shape[2])).flatten(0, 1)
    return lifetime


def _read_out_correctly(dynamics: Dynamics, visited: list[Tensor], labels: Tensor) -> Tensor:
    """Whether each of the states `[P, n]` of K frames is read out as the point's class, `[K, P]`."""
    # All frames at once, network by network: [S, K, C, n].
    by_network = torch.stack(visited).unflatten(1, (dynamics.networks, -1)).transpose(0, 1)
    read = dynamics.read_out(by_network.flatten(0, 2)).view(by_network.shape[:3])
    return read.transpose(0, 1).flatten(1) == labels


def _living_first(alive: Tensor) -> Tensor:
    """Columns of `[S, C]`, the living first, as many as there are in the network with most of them: `[S, K]`."""
    return alive.int().argsort(dim=1, descending=True, stable=True)[:, : int(alive.sum(1).max())]
