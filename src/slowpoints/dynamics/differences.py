"""Central differences of a function, against which derivatives are checked.

R states of n coordinates, K lengths of the step.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

PROBES = 4  # states at which derivatives are compared with differences
SHIFT = {torch.float64: 1e-3, torch.float32: 0.1}
"""How far from those given, relative to 1 + |z|: off kinks, such as that of ReLU at 0, by more than a step's length."""
SAME_SLOPE, CLOSE, ROUGHLY = 1e-4, 0.01, 0.2
"""Relative differences up to which slopes are the same: first ones; second ones; over long steps, or in float32."""
LOST = {dtype: many * torch.finfo(dtype).eps for dtype, many in ((torch.float64, 1e3), (torch.float32, 30))}
"""What rounding may take of a difference, relative to values and states."""


class Differences:
    """Central differences of a function along one direction at a few states, for several lengths of the step.

    Attributes:
        states: at which they are taken, `[R, n]`.
        direction: of unit length, `[R, n]`.
        slopes: `[K, R, m]` for K lengths.
        rounding: what rounding may have made of each, `[K, R]`.
    """

    def __init__(self, function: Callable[[Tensor], Tensor], states: Tensor, lengths: tuple[float, ...]):
        rows = torch.linspace(0, len(states) - 1, min(PROBES, len(states)), device="cpu").long()
        some, n = states[rows.to(states.device)].detach(), states.shape[1]
        stream = torch.Generator("cpu").manual_seed(0)
        away, direction = torch.randn((2, *some.shape), generator=stream, dtype=torch.float64, device="cpu").to(some)
        scale = 1 + some.norm(dim=1, keepdim=True)
        near = some + SHIFT[some.dtype] / n**0.5 * scale * away
        with torch.no_grad():
            defined = function(near).isfinite().all(1, keepdim=True)
        self.states = torch.where(defined, near, some)
        self.direction = direction / direction.norm(dim=1, keepdim=True)
        steps = torch.tensor(lengths, dtype=some.dtype, device=some.device)[:, None, None] * scale
        moves = steps * self.direction
        both = torch.cat([self.states + moves, self.states - moves])
        with torch.no_grad():
            values = function(both.flatten(0, 1)).unflatten(0, both.shape[:2])
        ahead, behind = values.chunk(2)
        self.slopes = (ahead - behind) / (2 * steps)
        size = ahead.norm(dim=2) + self.states.norm(dim=1) * (1 + self.slopes.norm(dim=2))
        self.rounding = LOST[some.dtype] * size / steps[..., 0]

    def agree(self, expected: Tensor, lengths: int, tolerance: float) -> bool:
        """Whether at each state the difference over one of the first lengths is the expected one, `[R, m]`.

        States at which there is nothing finite to compare don't count.
        """
        close = self._close(expected, lengths, tolerance)
        comparable = expected.isfinite().all(1) & self.slopes.isfinite().all(2).all(0)
        return bool((close.any(0) | ~comparable).all())

    def repeat_themselves(self) -> bool:
        """Whether they are the same over all lengths, over the last roughly, as those of a smooth function are."""
        lengths, most_exact = len(self.slopes), self.slopes[-2]
        fine, all_ = self._close(most_exact, lengths - 1, SAME_SLOPE), self._close(most_exact, lengths, ROUGHLY)
        return bool(fine.all() and all_.all())

    def _close(self, expected: Tensor, lengths: int, tolerance: float) -> Tensor:
        slopes = self.slopes[:lengths]
        size = expected.norm(dim=1) + slopes.norm(dim=2)
        return (slopes - expected).norm(dim=2) <= tolerance * size + self.rounding[:lengths]
