"""A damped Newton step within bounds: the minimum of a quadratic in a box, for many points at once.

P points, n coordinates.
"""

from __future__ import annotations

import torch
from torch import Tensor

RAISED = 8.0  # factor on a damping with which the curvature is not yet positive definite, or the step failed
MAX_DAMPING = 1e12
MAX_CHANGES = 10  # of the set of variables on their bounds; more than three are rare


def bounded_step(
    hessian: Tensor, gradient: Tensor, lowest: Tensor, highest: Tensor, damping: Tensor
) -> tuple[Tensor, Tensor]:
    """Minimises g p + p (H + damping) p / 2 over lowest <= p <= highest.

    By the primal-dual active set method (Hintermüller, Ito & Kunisch 2003): variables that the last step took over
    a bound are put on it, those held that would leave it are let go, and the others solved for again, until nothing
    changes. Cutting off a Newton step at the bounds instead takes a point far off the floor of its valley. Where the
    sets go round in a circle, the last step is cut off after all.

    Args:
        hessian: H, `[P, n, n]`.
        gradient: g, `[P, n]`.
        lowest: `[P, n]`, at most 0.
        highest: `[P, n]`, at least 0.
        damping: `[P]`.

    Returns:
        p, `[P, n]`, and the damping, raised until H + damping is positive definite over the variables not held.
    """
    below, above = pressed_outwards(gradient, lowest, highest)
    move, damping = torch.zeros_like(gradient), damping.clone()
    rows = torch.arange(len(gradient), device=gradient.device)
    for _ in range(MAX_CHANGES):
        low, high, at_low, at_high = lowest[rows], highest[rows], below[rows], above[rows]
        held = torch.where(at_low, low, torch.where(at_high, high, 0.0))
        these = hessian if len(rows) == len(hessian) else hessian[rows]  # large, so not copied without need
        p, slope, damping[rows] = _step_of_free(these, gradient[rows], ~(at_low | at_high), held, damping[rows])
        move[rows] = p.clamp(low, high)
        below[rows] = torch.where(at_low, (slope > 0) | (low == high), ~at_high & (p < low))
        above[rows] = torch.where(at_high, slope < 0, ~at_low & (p > high))
        rows = rows[((below[rows] != at_low) | (above[rows] != at_high)).any(1)]
        if not len(rows):
            break
    return move, damping


def pressed_outwards(gradient: Tensor, lowest: Tensor, highest: Tensor) -> tuple[Tensor, Tensor]:
    """Variables that lie on their lower and their upper bound and would go on beyond it, `[P, n]` each.

    One that has no room at all is on its lower bound.
    """
    below, above = lowest >= 0, highest <= 0
    return below & (above | (gradient > 0)), above & ~below & (gradient < 0)


def among_free(hessian: Tensor, free: Tensor, damping: Tensor | float = 0.0) -> Tensor:
    """The Hessian of the free variables; the identity in the others' rows and columns, `[P, n, n]`.

    Args:
        hessian: `[P, n, n]`.
        free: `[P, n]`.
        damping: added to the whole diagonal, `[P, 1]` or a number.
    """
    share = free.to(hessian)
    among = (hessian * share[:, :, None]).mul_(share[:, None, :])
    among.diagonal(dim1=1, dim2=2).add_(1 - share).add_(damping)
    return among


def projected_gradient(state: Tensor, gradient: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Norm of what a unit step down the gradient leaves within the bounds, `[P]`."""
    return ((state - gradient).clamp(lower, upper) - state).norm(dim=-1)


def _step_of_free(
    hessian: Tensor, gradient: Tensor, free: Tensor, held: Tensor, damping: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The step of the free variables while the others make the step `held`.

    Returns:
        p, `[P, n]`; the slope of the damped quadratic there, `[P, n]`; and the damping, raised as need be, `[P]`.
    """
    factor, failed = torch.linalg.cholesky_ex(among_free(hessian, free, damping[:, None]))
    while len(rows := ((failed > 0) & (damping < MAX_DAMPING)).nonzero()[:, 0]):
        damping[rows] *= RAISED
        raised = among_free(hessian[rows], free[rows], damping[rows, None])
        factor[rows], failed[rows] = torch.linalg.cholesky_ex(raised)
    pull = gradient + (hessian @ held[..., None])[..., 0]
    p = held + torch.cholesky_solve(torch.where(free, -pull, 0)[..., None], factor)[..., 0]
    slope = gradient + (hessian @ p[..., None])[..., 0] + damping[:, None] * p
    return p, slope, damping
