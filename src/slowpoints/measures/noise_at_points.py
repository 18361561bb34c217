"""Effect of noise on a state in one frame: the mean drift, and the spread around it.

The mean of squared speed over noise frames, which the paper's penalty takes, is their sum: drift^2 + diffusion^2.
S networks, C classes, P = S * C points, n state coordinates, g gates of a gate group.
"""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.core.progress import report_stage
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.measures.relaxation import margins
from slowpoints.networks.ensemble import Networks
from slowpoints.networks.rollout import next_states

PAIRS = 256
"""Pairs of noise frames, each with its mirror image about the mean frame. Effects of first order in the noise cancel in
their mean, so that small drifts can be distinguished from the spread."""


@torch.no_grad()
def noise_drives(networks: Networks, pairs: int = PAIRS) -> list[Tensor]:
    """Drives of each gate group under noise frames and their mirror images, `[S, 2 * pairs, g * H]`."""
    frames = networks.weights["bias"].new_empty(len(networks), pairs, networks.spec.pixels)
    networks.noise(networks.streams("noise at points"), frames)
    return networks.drive(networks.features(torch.cat([frames, 2 * networks.spec.noise_mean - frames], dim=1)))


@torch.no_grad()
def noise_parts(networks: Networks, states: Tensor) -> tuple[Tensor, Tensor]:
    """Drift and diffusion at states, per frame, `[P]` each.

    Drift is the length of the mean of s(F(z, noise)) - s(z), diffusion the root of the summed variance of its
    coordinates, where s denotes the coordinates of speed. The squared error of the mean is subtracted from the squared
    drift, which is at least that error: a smaller drift cannot be distinguished from none.

    Args:
        networks: S networks.
        states: `[P, n]`.
    """
    unit, drives = networks.spec.unit, noise_drives(networks)
    points = states.to(drives[0].dtype).view(len(networks), -1, states.shape[-1])
    drift, diffusion = [], []
    with report_stage("noise at points", points.shape[1], unit="point") as progress:
        for point in points.split(1, dim=1):  # one per network at a time, to bound memory use
            after = next_states(networks, drives, point.expand(-1, 2 * PAIRS, -1))
            move = unit.displacement(point.double(), after.double())
            mean, pairs = move.mean(1), move.unflatten(1, (2, PAIRS)).mean(1)
            error = pairs.var(1).sum(-1) / PAIRS
            drift.append((mean.square().sum(-1) - error).maximum(error).sqrt())
            diffusion.append((move - mean[:, None]).square().sum(-1).mean(1).sqrt())
            progress.update()
    return torch.stack(drift, dim=1).flatten(), torch.stack(diffusion, dim=1).flatten()


@torch.no_grad()
def margin_parts(networks: Networks, dynamics: Dynamics, states: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Drift and diffusion of the readout margin at states, per frame, `[P]` each.

    The margin is the output of the correct class minus the largest other output after a triggered step under the mean
    input. Drift is its change in a frame under the mean input, diffusion its standard deviation after a frame of noise.

    Args:
        networks: S networks.
        dynamics: their dynamics under the mean input.
        states: `[P, n]`.
        labels: class of each, `[P]`.
    """
    drives = noise_drives(networks)
    drift = margins(dynamics.logits(dynamics.step(states)), labels) - margins(dynamics.logits(states), labels)
    diffusion = []
    points = states.to(drives[0].dtype).view(len(networks), -1, states.shape[-1])
    for point, label in zip(points.split(1, dim=1), labels.view(len(networks), -1).unbind(1), strict=True):
        after = next_states(networks, drives, point.expand(-1, 2 * PAIRS, -1)).double().flatten(0, 1)
        margin = margins(dynamics.logits(after), label.repeat_interleave(2 * PAIRS))
        diffusion.append(margin.view(len(networks), -1).std(1, correction=0))
    return drift, torch.stack(diffusion, dim=1).flatten()
