"""How long the spectrum allows memories of affine units to last.

If the state after a frame is affine in the state before, F(z) = z* + A (z - z*), then t frames take z to z* + A^t (z -
z*), and outputs approach those at the one fixed point z* at the rate of the largest eigenvalue of A, or faster.
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

    At z* some output exceeds that of the class by a gap. With A = V diag(lambda) V^-1, the difference of the two
    outputs t frames on is the gap and a sum of c_i lambda_i^t, so that the class is read out only as long as the sum of
    |c_i| times |lambda_1|^t exceeds the gap: log(sum |c_i| / gap) / -log |lambda_1| frames, with lambda_1 the largest.

    Args:
        dynamics: of S networks.
        states: `[P, n]`, where to start.
        labels: class of each, `[P]`.
        longest: frames followed at most, as for `lifetimes`.

    Returns:
        `[P]`; `longest` for the class that is read out at z*, and if an eigenvalue lies on or beyond the unit circle.
        NaN for units that are not affine.
    """
    if not dynamics.unit.affine:
        return torch.full(states.shape[:1], torch.nan, dtype=states.dtype, device=states.device)
    networks, n = dynamics.networks, dynamics.coordinates
    origin = states.new_zeros(networks, n)
    frame, readout = jacobian(dynamics.step, origin), jacobian(dynamics.logits, origin)
    identity = torch.eye(n, dtype=states.dtype, device=states.device)
    # Not finite where an eigenvalue rounds to 1, where no bound is known.
    rest = torch.linalg.solve_ex(identity - frame, dynamics.step(origin)).result
    values, vectors = torch.linalg.eig(frame)
    starts = (states.view(networks, -1, n) - rest[:, None]).to(vectors)
    parts = torch.linalg.solve_ex(vectors, starts.mT).result.mT  # of each start along each eigenvector, [S, C, n]
    outputs = readout.to(vectors) @ vectors  # of each eigenvector, [S, C + 1, n]
    own = (labels.view(networks, -1) + 1)[..., None]
    against = outputs[:, None] - outputs.gather(1, own.expand(-1, -1, n))[:, :, None]  # [S, C, C + 1, n]
    most = (against * parts[:, :, None]).abs().sum(-1)
    at_rest = dynamics.logits(rest)
    gap = at_rest[:, None] - at_rest.gather(1, own[..., 0])[..., None]
    rate = -values.abs().amax(-1).log()[:, None, None]
    frames = 1 + (most / gap).log() / rate
    lasting = torch.where((gap > 0) & (rate > 0), frames.clamp(0, longest), longest)
    return lasting.amin(-1).flatten()
