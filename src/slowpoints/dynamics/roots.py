"""Newton's method for fixed points: from states that have one near, at a fraction of a Hessian's price.

P points of n coordinates, each on its own.
"""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.dynamics.kinds import resting_speed
from slowpoints.dynamics.residual import Residual, blocks

FAR = 10.0  # times the length of the state where it began, that a fixed point may be away from there
HALVINGS = 6  # of a step, before a point is left to the search of minima
REUSES, STRIDE = 4, 0.2  # further steps with one Jacobian, and the share of the speed that each may leave
ENOUGH = 1e-4  # share of the fall in speed that a Newton step promises, which it must bring (Armijo 1966)


@torch.no_grad()
def brought_to_rest(
    residual: Residual, state: Tensor, rows: Tensor, lower: Tensor, upper: Tensor, iterations: int
) -> Tensor:
    """Fixed points near some states, by Newton's method with a line search on the speed.

    Saddles are as near as attractors: the way there is not that of the dynamics.

    Args:
        residual: whose zeros are fixed points; as many coordinates as the state has.
        state: where to start, `[P, n]`, within the bounds.
        rows: of the points to be brought, increasing.
        lower: `[P, n]`.
        upper: `[P, n]`.
        iterations: Jacobians after which a point is given up.

    Returns:
        `[P, n]`: states at rest but for rounding; where they began, points that came to no such state, or only far away
        (some maps slow down towards infinity).
    """
    found, here = state.clone(), state.clone()
    reach = FAR * (1 + state.norm(dim=1))
    for iteration in range(iterations + 1):
        if not len(rows):
            break
        speed = residual.of_rows(rows, len(state))(here[rows]).norm(dim=1)
        resting = speed <= resting_speed(here[rows])
        found[rows[resting]] = here[rows[resting]]
        rows = rows[~resting]
        if iteration == iterations or not len(rows):
            break
        walking = [
            some[_step(residual.of_rows(some, len(state)), here, some, lower, upper)]
            for some in blocks(rows, state.shape[1])
        ]
        rows = torch.cat(walking)
        rows = rows[(here[rows] - state[rows]).norm(dim=1) <= reach[rows]]
    return found


def _step(residual: Residual, here: Tensor, rows: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Moves some points of `here` by Newton steps with one Jacobian; gives those that moved, `[R]`.

    The first step is halved until the speed falls. As long as the next with the same Jacobian bring it down in large
    strides, they cost little (Shamanskii 1967).
    """
    state, low, high = here[rows], lower[rows], upper[rows]
    values = residual(state)
    speed = values.norm(dim=1)
    newton = residual.newton(state)
    move = newton(values)
    waiting = move.isfinite().all(1)
    moved = torch.zeros_like(waiting)
    for halving in range(HALVINGS):
        length = 0.5**halving
        trial = torch.where(waiting[:, None], state + length * move, state).clamp(low, high)
        falls = waiting & (residual(trial).norm(dim=1) <= (1 - ENOUGH * length) * speed)
        state = torch.where(falls[:, None], trial, state)
        moved, waiting = moved | falls, waiting & ~falls
        if not waiting.any():
            break
    values = residual(state)
    striding = moved
    for _ in range(REUSES):
        trial = (state + torch.where(striding[:, None], newton(values), 0)).clamp(low, high)
        next_values = residual(trial)
        striding = striding & (next_values.norm(dim=1) <= STRIDE * values.norm(dim=1))
        if not striding.any():
            break
        state = torch.where(striding[:, None], trial, state)
        values = torch.where(striding[:, None], next_values, values)
    here[rows] = state
    return moved
