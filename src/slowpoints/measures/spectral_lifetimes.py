"""How long the spectrum allows memories of affine units to last.

If the state after a frame is affine in the state before, F(z) = z* + A (z - z*), then t frames take z to z* + A^t (z -
z*), and outputs approach those at the single fixed point z* at the rate of the largest eigenvalue of A, or faster.

S networks, C classes, P = S * C points, n state coordinates.
"""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.jacobian import jacobian


@torch.no_grad()
def spectral_lifetimes(dynamics: Dynamics, states: Tensor, labels: Tensor, longest: int) -> Tensor:
    """Upper bound of `lifetimes`, in frames under the mean input.

    At z*, some output exceeds that of the class by a gap. With A = V diag(lambda) V^-1, the difference of the two
    outputs after t frames is the gap plus a sum of c_i lambda_i^t. So the class is read out only while the sum of |c_i|
    times |lambda_1|^t exceeds the gap: for log(sum |c_i| / gap) / -log |lambda_1| frames, with lambda_1 the largest.

    Args:
        dynamics: of S networks.
        states: starting points, `[P, n]`.
        labels: class of each, `[P]`.
        longest: largest number of frames to follow, as for `lifetimes`.

    Returns:
        `[P]`; `longest` for the class that is read out at z*, and if an eigenvalue lies on or outside the unit circle;
        NaN for units that are not affine.
    """
    if not dynamics.unit.affine:
        return torch.full(states.shape[:1], torch.nan, dtype=states.dtype, device=states.device)
    networks, n = dynamics.networks, dynamics.coordinates
    origin = states.new_zeros(networks, n)
    frame, readout = jacobian(dynamics.step, origin), jacobian(dynamics.logits, origin)
    identity = torch.eye(n, dtype=states.dtype, device=states.device)
    # Not finite where an eigenvalue rounds to 1, and no bound is known.
    fixed_point = torch.linalg.solve_ex(identity - frame, dynamics.step(origin)).result
    values, vectors = torch.linalg.eig(frame)
    starts = (states.view(networks, -1, n) - fixed_point[:, None]).to(vectors)
    components = torch.linalg.solve_ex(vectors, starts.mT).result.mT  # of starts along eigenvectors, [S, C, n]
    outputs = readout.to(vectors) @ vectors  # of each eigenvector, [S, C + 1, n]
    own = (labels.view(networks, -1) + 1)[..., None]
    difference = outputs[:, None] - outputs.gather(1, own.expand(-1, -1, n))[:, :, None]  # [S, C, C + 1, n]
    amplitude = (difference * components[:, :, None]).abs().sum(-1)
    final = dynamics.logits(fixed_point)
    gap = final[:, None] - final.gather(1, own[..., 0])[..., None]
    rate = -values.abs().amax(-1).log()[:, None, None]
    frames = 1 + (amplitude / gap).log() / rate
    bounds = torch.where((gap > 0) & (rate > 0), frames.clamp(0, longest), longest)  # by each other output
    return bounds.amin(-1).flatten()
