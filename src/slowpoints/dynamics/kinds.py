"""Which kind of slow point a state is: fixed point, minimum or saddle of the speed, or none of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from slowpoints.dynamics.bounded import among_free, pressed_outwards

KINDS = np.array(["sliding", "saddle", "minimum", "fixed point"])
SLIDING, SADDLE, MINIMUM, FIXED_POINT = range(4)

EPSILON, TINY = torch.finfo(torch.float64).eps, torch.finfo(torch.float64).tiny
ROUNDING = 1e3
"""A speed up to this many roundings of the state, or a gradient that as many of them bring about, is none."""
STRAIGHT = 1e-10  # share of the Hessian's norm up to which a negative curvature is none
PROMISE = 0.1  # share of speed^2 that a Newton step may still take off at a minimum; at a fixed point it takes off all


class Points(NamedTuple):
    """Where P points are, with half their squared speed, its gradient, and the norm of that within the bounds.

    Attributes:
        state: `[P, n]`.
        half_square: `[P]`.
        gradient: `[P, n]`.
        projected: `[P]`.
    """

    state: Tensor
    half_square: Tensor
    gradient: Tensor
    projected: Tensor

    def at(self, rows: Tensor) -> Points:
        return Points(*(each[rows] for each in self))

    def put(self, rows: Tensor, others: Points) -> None:
        """Replaces those rows."""
        for mine, theirs in zip(self, others, strict=True):
            mine[rows] = theirs

    @property
    def speed(self) -> Tensor:
        return (2 * self.half_square).sqrt()


def resting_speed(states: Tensor) -> Tensor:
    """Speed up to which a state `[..., n]` is at rest but for rounding, `[...]`: 1000 epsilon (1 + |z|)."""
    return ROUNDING * EPSILON * (1 + states.norm(dim=-1))


def kinds_of(points: Points, hessian: Tensor, lower: Tensor, upper: Tensor, tolerance: float) -> Tensor:
    """Kind of each point that is not at rest, as a row of `KINDS`, `[P]`.

    The gradient within the bounds must have come down to the tolerance, or to 1000 epsilon (1 + |z|) |H|, which is
    what rounding leaves of it. Then it is a saddle where a curvature is negative among the variables that the gradient
    does not hold on their bounds, and a minimum where none is and no further step promises to take off more than a
    tenth of speed^2. Curvatures under 1e-10 of the Hessian's norm count as none: what a saturated unit could still
    promise in a million frames is not waited for.

    Args:
        points: P of them.
        hessian: of half the squared speed there, `[P, n, n]`.
        lower: `[P, n]`.
        upper: `[P, n]`.
        tolerance: of the projected gradient.
    """
    kinds = torch.full_like(points.projected, SLIDING, dtype=torch.int64)
    rounding, scale = resting_speed(points.state), hessian.norm(dim=(1, 2))
    rows = (points.projected <= (rounding * scale).clamp(min=tolerance)).nonzero()[:, 0]
    below, above = pressed_outwards(points.gradient, lower - points.state, upper - points.state)
    free = ~(below | above)[rows]
    straight = (STRAIGHT * scale[rows, None]).clamp(min=TINY)
    factor, indefinite = torch.linalg.cholesky_ex(among_free(hessian[rows], free, straight))
    slope = torch.where(free, points.gradient[rows], 0)
    promised = (slope * torch.cholesky_solve(slope[..., None], factor)[..., 0]).sum(1) / 2
    bottom = torch.where(promised <= PROMISE * points.half_square[rows], MINIMUM, SLIDING)
    kinds[rows] = torch.where(indefinite > 0, SADDLE, bottom)
    return kinds


def pushed(hessian: Tensor, gradient: Tensor, free: Tensor, length: float) -> Tensor:
    """The gradient as it would be that far off a saddle, where the speed falls most, `[P, n]`."""
    values, vectors = torch.linalg.eigh(among_free(hessian, free))
    steepest = vectors[:, :, 0]
    downhill = torch.where((gradient * steepest).sum(1) > 0, -1.0, 1.0)
    return gradient + length * (values[:, 0] * downhill)[:, None] * steepest
