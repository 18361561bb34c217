"""Iterates of the deep search, and the type of stationary point that each has reached."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from slowpoints.dynamics.bounded import active_bounds, reduced_hessian


class PointType(IntEnum):
    """What a point has converged to; from `MINIMUM` on it has converged."""

    SLIDING = 0
    SADDLE = 1
    MINIMUM = 2
    FIXED_POINT = 3


TYPE_NAMES = np.array([kind.name.lower().replace("_", " ") for kind in PointType])
"""By `PointType`, as in the column `kind`."""

EPSILON, TINY = torch.finfo(torch.float64).eps, torch.finfo(torch.float64).tiny
ROUNDING_ERRORS = 1e3
"""A speed, or a gradient, of at most this many rounding errors counts as zero."""
ZERO_CURVATURE = 1e-10  # relative to the norm of the Hessian
REMAINING_REDUCTION = (
    0.1  # share of speed^2 that a Newton step may still predict at a minimum; at a fixed point it is 1
)


class Iterates(NamedTuple):
    """States of P points, with the objective (half the squared speed) and its derivatives.

    Attributes:
        state: `[P, n]`.
        objective: `[P]`.
        gradient: `[P, n]`.
        projected_gradient: its norm, `[P]`.
    """

    state: Tensor
    objective: Tensor
    gradient: Tensor
    projected_gradient: Tensor

    def at(self, rows: Tensor) -> Iterates:
        return Iterates(*(values[rows] for values in self))

    def assign(self, rows: Tensor, others: Iterates) -> None:
        """Replaces these rows in place."""
        for mine, theirs in zip(self, others, strict=True):
            mine[rows] = theirs

    @property
    def speed(self) -> Tensor:
        return (2 * self.objective).sqrt()


def fixed_point_tolerance(states: Tensor) -> Tensor:
    """Speed up to which a state `[..., n]` is a fixed point to rounding, `[...]`: 1000 epsilon (1 + |z|)."""
    return ROUNDING_ERRORS * EPSILON * (1 + states.norm(dim=-1))


def classify(points: Iterates, hessian: Tensor, lower: Tensor, upper: Tensor, tolerance: float) -> Tensor:
    """`PointType` of each point that is not a fixed point, `[P]`.

    A point is stationary when its projected gradient is at most `tolerance`, or 1000 epsilon (1 + |z|) |H|, the size of
    its rounding errors. The second-order conditions (Nocedal & Wright 2006, sections 2.1 and 12.5) on the reduced
    Hessian then tell a saddle from a minimum. A minimum must also have no Newton step left that predicts a reduction of
    speed^2 by more than a tenth. A curvature below 1e-10 of the norm of the Hessian counts as zero: otherwise the
    search would wait for reductions that a saturated unit achieves only after millions of frames.

    Args:
        points: P of them.
        hessian: of the objective, `[P, n, n]`.
        lower: `[P, n]`.
        upper: `[P, n]`.
        tolerance: on the projected gradient.
    """
    types = torch.full_like(points.projected_gradient, PointType.SLIDING, dtype=torch.int64)
    rounding, scale = fixed_point_tolerance(points.state), hessian.norm(dim=(1, 2))
    rows = (points.projected_gradient <= (rounding * scale).clamp(min=tolerance)).nonzero()[:, 0]
    at_lower, at_upper = active_bounds(points.gradient, lower - points.state, upper - points.state)
    free = ~(at_lower | at_upper)[rows]
    shift = (ZERO_CURVATURE * scale[rows, None]).clamp(min=TINY)
    factor, indefinite = torch.linalg.cholesky_ex(reduced_hessian(hessian[rows], free, shift))
    gradient = torch.where(free, points.gradient[rows], 0)
    predicted = (gradient * torch.cholesky_solve(gradient[..., None], factor)[..., 0]).sum(1) / 2
    converged = predicted <= REMAINING_REDUCTION * points.objective[rows]
    definite = torch.where(converged, PointType.MINIMUM, PointType.SLIDING)
    types[rows] = torch.where(indefinite > 0, PointType.SADDLE, definite)
    return types


def perturb_gradient(hessian: Tensor, gradient: Tensor, free: Tensor, length: float) -> Tensor:
    """Gradient at that distance from a saddle, along the direction of most negative curvature, downhill, `[P, n]`."""
    values, vectors = torch.linalg.eigh(reduced_hessian(hessian, free))
    direction = vectors[:, :, 0]
    sign = torch.where((gradient * direction).sum(1) > 0, -1.0, 1.0)
    return gradient + length * (values[:, 0] * sign)[:, None] * direction
