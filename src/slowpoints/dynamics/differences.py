"""Central differences of a function, to check its derivatives.

R states of n coordinates, K step lengths.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

PROBES = 4  # states at which derivatives are compared with differences
SHIFT = {torch.float64: 1e-3, torch.float32: 0.1}
"""Distance of the probes from the states, relative to 1 + |z|: further than a step from kinks, as of ReLU at 0."""
SLOPE_TOLERANCE, CURVATURE_TOLERANCE, COARSE_TOLERANCE = 1e-4, 0.01, 0.2
"""Relative differences allowed in first derivatives, in second ones, and over long steps or in float32."""
ROUNDING_ERRORS = {torch.float64: 1e3, torch.float32: 30}  # in a difference, relative to values and states


class Differences:
    """Central differences of a function at a few states, along one direction, for several step lengths.

    Attributes:
        states: at which they are taken, `[R, n]`.
        direction: of unit length, `[R, n]`.
        slopes: `[K, R, m]` for K lengths.
        rounding: bounds on their rounding errors, `[K, R]`.
    """

    def __init__(self, function: Callable[[Tensor], Tensor], states: Tensor, relative_lengths: tuple[float, ...]):
        rows = torch.linspace(0, len(states) - 1, min(PROBES, len(states)), device="cpu").long()
        chosen, n = states[rows.to(states.device)].detach(), states.shape[1]
        dtype, stream = chosen.dtype, torch.Generator("cpu").manual_seed(0)
        shift, direction = torch.randn((2, *chosen.shape), generator=stream, dtype=torch.float64, device="cpu").to(
            chosen
        )
        scale = 1 + chosen.norm(dim=1, keepdim=True)
        near = chosen + SHIFT[dtype] / n**0.5 * scale * shift
        with torch.no_grad():
            defined = function(near).isfinite().all(1, keepdim=True)
        self.states = torch.where(defined, near, chosen)
        self.direction = direction / direction.norm(dim=1, keepdim=True)
        lengths = torch.tensor(relative_lengths, dtype=dtype, device=chosen.device)[:, None, None] * scale
        steps = lengths * self.direction
        both = torch.cat([self.states + steps, self.states - steps])
        with torch.no_grad():
            values = function(both.flatten(0, 1)).unflatten(0, both.shape[:2])
        ahead, behind = values.chunk(2)
        self.slopes = (ahead - behind) / (2 * lengths)
        size = ahead.norm(dim=2) + self.states.norm(dim=1) * (1 + self.slopes.norm(dim=2))
        self.rounding = ROUNDING_ERRORS[dtype] * torch.finfo(dtype).eps * size / lengths[..., 0]

    def agree(self, expected: Tensor, lengths: int, tolerance: float) -> bool:
        """Whether at each state a difference over one of the first lengths is the expected one, `[R, m]`.

        States without finite values to compare do not count.
        """
        close = self._close(expected, lengths, tolerance)
        comparable = expected.isfinite().all(1) & self.slopes.isfinite().all(2).all(0)
        return bool((close.any(0) | ~comparable).all())

    def consistent(self) -> bool:
        """Whether differences of all lengths agree, the longest roughly, as those of a smooth function do."""
        lengths, most_exact = len(self.slopes), self.slopes[-2]
        fine = self._close(most_exact, lengths - 1, SLOPE_TOLERANCE)
        return bool(fine.all() and self._close(most_exact, lengths, COARSE_TOLERANCE).all())

    def _close(self, expected: Tensor, lengths: int, tolerance: float) -> Tensor:
        slopes = self.slopes[:lengths]
        size = expected.norm(dim=1) + slopes.norm(dim=2)
        return (slopes - expected).norm(dim=2) <= tolerance * size + self.rounding[:lengths]
