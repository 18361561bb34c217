"""How long the mean outputs in noise favour the memories of affine units.

If the state after a frame is affine in the state before, h' = A(x) h + b(x) under the input x, and the noise of a frame
is independent of all that came before, and so of h, then the mean over noise follows the noise-averaged map exactly:

    E h' = E[A] E h + E[b]

A triggered frame and the outputs are affine as well. So the mean outputs t frames on are those at the map's one fixed
point plus a sum over the eigenvalues of E[A], c_i lambda_i^t. E[A] is not A under the mean input: a gate that is nearly
closed in the mean frame opens in some frames of noise, and each time the unit forgets.

S networks, C classes, P = S * C points, R noise frames, n state coordinates, g gates of a unit. Affine maps are
matrices that act on a state with a 1 behind it; their last column is the offset.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from slowpoints.core.progress import report_stage
from slowpoints.dynamics.autonomous import AutonomousMap, Dynamics
from slowpoints.dynamics.speed import StepResidual
from slowpoints.networks.ensemble import Networks

NOISE_FRAMES = 2**15
"""Averaged over. Gates of slow units open in rare frames: in trained minGRUs, their standard deviation was 5 to 9 times
their mean. Between samples of so many frames, the `spectral_score` of a network varied by 0.006 or less (standard
deviation), less than measured memory does; with 2^12, by 0.014."""
FRAMES_AT_ONCE = 128
"""Noise frames of each network through a front end, to bound memory use; divides `NOISE_FRAMES`."""
NUMBERS_AT_ONCE = 2**18
"""Held by the Jacobians of a network, to bound memory use; so few fit a processor's cache."""
DELAYS_AT_ONCE = 64
"""Read out together."""


@torch.no_grad()
def spectral_lifetimes(networks: Networks, dynamics: Dynamics, states: Tensor, labels: Tensor, longest: int) -> Tensor:
    """Frames of noise until the mean outputs favour the class for the last time.

    For the mean over noise, this is exact up to the sample of noise frames: in no later frame is the mean output of the
    class the largest. For the accuracy of single trials, it is a prediction and not a theorem, since a trial may be
    reported correctly although the mean is not. Without noise, every trial is the mean, and no lifetime (`lifetimes`)
    is longer.

    Args:
        networks: S networks; the noise is that of their task.
        dynamics: their dynamics under the mean input.
        states: starting points, `[P, n]`.
        labels: class of each, `[P]`.
        longest: largest number of frames to follow, as for `lifetimes`.

    Returns:
        `[P]`, as `favoured_frames`; NaN for units that are not affine.
    """
    if not dynamics.unit.affine:
        return torch.full(states.shape[:1], torch.nan, dtype=states.dtype, device=states.device)
    return favoured_frames(*averaged_maps(networks, dynamics), states, labels, longest)


@torch.no_grad()
def averaged_maps(networks: Networks, dynamics: Dynamics) -> tuple[Tensor, Tensor]:
    """Averages over noise frames of one frame of an affine unit, and of the outputs after a triggered frame.

    Outputs are those of `Networks.logits`, the largest of which is reported, whichever readout the loss uses.

    Args:
        networks: S networks.
        dynamics: their dynamics under the mean input.

    Returns:
        Affine maps from a state to the mean state, `[S, n + 1, n + 1]`, whose last row keeps the 1, and to the mean
        outputs, null first, `[S, C + 1, n + 1]`.
    """
    n, trigger = dynamics.coordinates, dynamics.trigger[:, None]
    free, triggered = dynamics.drive.new_zeros(2, len(networks), n + 1, n + 1)
    streams = networks.streams("averaged map")
    frames = networks.weights["bias"].new_empty(len(networks), FRAMES_AT_ONCE, networks.spec.pixels)
    with report_stage("averaged map", NOISE_FRAMES, unit="frame") as progress:
        for _ in range(NOISE_FRAMES // FRAMES_AT_ONCE):
            drives = torch.cat(networks.drive(networks.features(networks.noise(streams, frames))), dim=-1).double()
            for chunk in drives.split(max(1, NUMBERS_AT_ONCE // n**2), dim=1):
                free[:, :n] += _summed_moves(dynamics, chunk)
                triggered[:, :n] += _summed_moves(dynamics, chunk + trigger)
            progress.update(FRAMES_AT_ONCE)
    for moves in (free, triggered):
        moves.div_(NOISE_FRAMES).diagonal(dim1=-2, dim2=-1).add_(1)
    outputs = dynamics.readout.mT @ triggered[:, : dynamics.hidden]
    outputs[..., -1] += dynamics.readout_bias
    return free, outputs


def _summed_moves(dynamics: Dynamics, drives: Tensor) -> Tensor:
    """Sum over frames with drives `[S, R, g * H]` of the affine map from a state to its move, `[S, n, n + 1]`."""
    # Each frame is a network of its own, with one state, since the Jacobian is the same at all states.
    recurrent = dynamics.recurrent.repeat_interleave(drives.shape[1], dim=0)
    move = StepResidual(AutonomousMap(dynamics.architecture, recurrent, drives.flatten(0, 1)))
    origin = drives.new_zeros(len(recurrent), dynamics.coordinates)
    matrices = torch.cat([move.jacobian(origin), move(origin)[..., None]], dim=-1)
    return matrices.unflatten(0, drives.shape[:2]).sum(1)


@torch.no_grad()
def favoured_frames(frame: Tensor, outputs: Tensor, states: Tensor, labels: Tensor, longest: int) -> Tensor:
    """Frames until the output of the class is the largest for the last time.

    Args:
        frame: affine map from a state to the next, `[S, n + 1, n + 1]`.
        outputs: affine map from a state to its outputs, null first, `[S, C + 1, n + 1]`.
        states: starting points, `[P, n]`.
        labels: class of each, `[P]`.
        longest: largest number of frames to follow.

    Returns:
        `[P]`: 0 where it never is, 1 where it is at the start alone, `longest` where it is in the last frame followed.
    """
    networks, own = len(frame), labels.view(len(frame), 1, -1) + 1
    points = pad(states.view(networks, own.shape[2], -1), (0, 1), value=1.0).mT  # [S, n + 1, C]
    later = [outputs]
    while len(later) < DELAYS_AT_ONCE:
        later.append(later[-1] @ frame)
    read_out, frames = torch.stack(later, dim=1), torch.linalg.matrix_power(frame, DELAYS_AT_ONCE)
    number = torch.arange(1, DELAYS_AT_ONCE + 1, device=states.device)[:, None]
    favoured_until = torch.zeros_like(own[:, 0])
    for first in range(0, longest, DELAYS_AT_ONCE):
        favoured = (read_out @ points[:, None]).argmax(2) == own  # [S, delays, C]
        last = (favoured * (first + number))[:, : longest - first].amax(1)
        favoured_until = favoured_until.maximum(last)
        points = frames @ points
    return favoured_until.flatten().to(states)
