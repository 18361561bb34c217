"""Quadratic models with bounds: their minimiser, active bounds, reduced Hessian and projected gradient.

P points of n coordinates, each with a model of its own. The terms are those of Nocedal & Wright (2006), section 16.7.
"""

from __future__ import annotations

import torch
from torch import Tensor

DAMPING_INCREASE = 8.0  # where the damped Hessian is not positive definite, or the step was rejected
MAX_DAMPING = 1e12
MAX_ACTIVE_SETS = 10  # more than three are rare


def bounded_step(
    hessian: Tensor, gradient: Tensor, lowest: Tensor, highest: Tensor, damping: Tensor
) -> tuple[Tensor, Tensor]:
    """Minimises the damped model g p + p (H + damping) p / 2 subject to lowest <= p <= highest.

    The primal-dual active set method (Hintermüller, Ito & Kunisch 2003): a variable that the step takes beyond a bound
    joins the active set, one whose multiplier has the wrong sign leaves it, and the free variables are solved for
    again, until the set no longer changes. Truncating a Newton step at the bounds would take a point far from the floor
    of its valley. A step is truncated only if the active sets cycle.

    Args:
        hessian: H, `[P, n, n]`.
        gradient: g, `[P, n]`.
        lowest: `[P, n]`, at most 0.
        highest: `[P, n]`, at least 0.
        damping: `[P]`.

    Returns:
        p, `[P, n]`, and the damping, increased until H + damping is positive definite over the free variables.
    """
    at_lower, at_upper = active_bounds(gradient, lowest, highest)
    step, damping = torch.zeros_like(gradient), damping.clone()
    rows = torch.arange(len(gradient), device=gradient.device)
    for _ in range(MAX_ACTIVE_SETS):
        low, high, was_lower, was_upper = lowest[rows], highest[rows], at_lower[rows], at_upper[rows]
        fixed_step = torch.where(was_lower, low, torch.where(was_upper, high, 0.0))
        curvature = hessian if len(rows) == len(hessian) else hessian[rows]  # large, so copied only where necessary
        p, slope, damping[rows] = _solve_free(
            curvature, gradient[rows], ~(was_lower | was_upper), fixed_step, damping[rows]
        )
        step[rows] = p.clamp(low, high)
        at_lower[rows] = torch.where(was_lower, (slope > 0) | (low == high), ~was_upper & (p < low))
        at_upper[rows] = torch.where(was_upper, slope < 0, ~was_lower & (p > high))
        rows = rows[((at_lower[rows] != was_lower) | (at_upper[rows] != was_upper)).any(1)]
        if not len(rows):
            break
    return step, damping


def active_bounds(gradient: Tensor, lowest: Tensor, highest: Tensor) -> tuple[Tensor, Tensor]:
    """Variables at their lower and at their upper bound that a descent step would take beyond it, `[P, n]` each.

    A variable whose bounds coincide counts as at its lower bound.
    """
    at_lower, at_upper = lowest >= 0, highest <= 0
    return at_lower & (at_upper | (gradient > 0)), at_upper & ~at_lower & (gradient < 0)


def reduced_hessian(hessian: Tensor, free: Tensor, damping: Tensor | float = 0.0) -> Tensor:
    """The Hessian of the free variables, with the identity in the rows and columns of the others, `[P, n, n]`.

    Args:
        hessian: `[P, n, n]`.
        free: `[P, n]`.
        damping: added to the diagonal of all variables, `[P, 1]` or a number.
    """
    weight = free.to(hessian)
    reduced = (hessian * weight[:, :, None]).mul_(weight[:, None, :])
    reduced.diagonal(dim1=1, dim2=2).add_(1 - weight).add_(damping)
    return reduced


def projected_gradient(state: Tensor, gradient: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Norm of the gradient projected on the bounds, `[P]`: the length of a unit descent step that stays within them."""
    return ((state - gradient).clamp(lower, upper) - state).norm(dim=-1)


def _solve_free(
    hessian: Tensor, gradient: Tensor, free: Tensor, fixed_step: Tensor, damping: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Minimises the model over the free variables, the step of the others being fixed.

    Returns:
        p, `[P, n]`; the gradient of the damped model there, `[P, n]`; and the damping, increased as needed, `[P]`.
    """
    factor, failed = torch.linalg.cholesky_ex(reduced_hessian(hessian, free, damping[:, None]))
    while len(rows := ((failed > 0) & (damping < MAX_DAMPING)).nonzero()[:, 0]):
        damping[rows] *= DAMPING_INCREASE
        reduced = reduced_hessian(hessian[rows], free[rows], damping[rows, None])
        factor[rows], failed[rows] = torch.linalg.cholesky_ex(reduced)
    right = gradient + (hessian @ fixed_step[..., None])[..., 0]
    p = fixed_step + torch.cholesky_solve(torch.where(free, -right, 0)[..., None], factor)[..., 0]
    slope = gradient + (hessian @ p[..., None])[..., 0] + damping[:, None] * p
    return p, slope, damping
