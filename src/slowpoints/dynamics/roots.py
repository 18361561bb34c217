"""Newton's method for the fixed points of a map, that is for the nonlinear equations residual(z) = 0.

P points of n coordinates, each on its own. An iteration costs a fraction of one with a Hessian. The terms are those of
Nocedal & Wright (2006), chapter 11.
"""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.dynamics.point_types import fixed_point_tolerance
from slowpoints.dynamics.region import Region
from slowpoints.dynamics.residual import Residual, chunks

MAX_HALVINGS = 6  # in a line search
CHORD_STEPS, CHORD_REDUCTION = 4, 0.2  # further steps with the same Jacobian, and the factor by which each must reduce
SUFFICIENT_DECREASE = 1e-4  # share of the predicted reduction of the residual that a step must achieve (Armijo 1966)


@torch.no_grad()
def newton_fixed_points(
    residual: Residual, state: Tensor, rows: Tensor, lower: Tensor, upper: Tensor, iterations: int, region: Region
) -> Tensor:
    """Fixed points near some states, by Newton's method with a line search (section 11.2).

    It converges to saddles of the map as it does to attractors.

    Args:
        residual: of as many values as there are coordinates; fixed points are its zeros.
        state: initial states, `[P, n]`, within the bounds.
        rows: indices of the points to search from, increasing.
        lower: `[P, n]`.
        upper: `[P, n]`.
        iterations: maximum number of Jacobians.
        region: which the fixed points must lie in.

    Returns:
        `[P, n]`: fixed points to rounding; the initial state where the search does not converge, or leaves the region
        (some maps slow down towards infinity).
    """
    result, current = state.clone(), state.clone()
    for iteration in range(iterations + 1):
        if not len(rows):
            break
        speed = residual.of_rows(rows, len(state))(current[rows]).norm(dim=1)
        converged = speed <= fixed_point_tolerance(current[rows])
        result[rows[converged]] = current[rows[converged]]
        rows = rows[~converged]
        if iteration == iterations or not len(rows):
            break
        stepped = [
            chunk[_newton_step(residual.of_rows(chunk, len(state)), current, chunk, lower, upper)]
            for chunk in chunks(rows, state.shape[1])
        ]
        rows = torch.cat(stepped)
        rows = rows[region.contains(rows, current[rows])]
    return result


def _newton_step(residual: Residual, current: Tensor, rows: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Moves some points of `current` by Newton steps with one Jacobian; returns which moved, `[R]`.

    A line search halves the first step until the residual decreases sufficiently. Chord steps, which reuse the
    Jacobian, follow as long as each reduces the residual by a large factor (Shamanskii 1967).
    """
    state, low, high = current[rows], lower[rows], upper[rows]
    values = residual(state)
    speed = values.norm(dim=1)
    newton = residual.newton(state)
    step = newton(values)
    searching = step.isfinite().all(1)
    moved = torch.zeros_like(searching)
    for halving in range(MAX_HALVINGS):
        length = 0.5**halving
        trial = torch.where(searching[:, None], state + length * step, state).clamp(low, high)
        decreased = searching & (residual(trial).norm(dim=1) <= (1 - SUFFICIENT_DECREASE * length) * speed)
        state = torch.where(decreased[:, None], trial, state)
        moved, searching = moved | decreased, searching & ~decreased
        if not searching.any():
            break
    values = residual(state)
    reducing = moved
    for _ in range(CHORD_STEPS):
        trial = (state + torch.where(reducing[:, None], newton(values), 0)).clamp(low, high)
        next_values = residual(trial)
        reducing = reducing & (next_values.norm(dim=1) <= CHORD_REDUCTION * values.norm(dim=1))
        if not reducing.any():
            break
        state = torch.where(reducing[:, None], trial, state)
        values = torch.where(reducing[:, None], next_values, values)
    current[rows] = state
    return moved
