"""Search for slow points of any differentiable map: states that it moves least.

Two ways: `descend`, the authors' Adam descent, and `find_slow_points`, a bounded Newton search that goes to a
minimum. Both treat each of P points of n coordinates on its own, all at once, in float64.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from slowpoints.residual import Map, Residual

log = logging.getLogger(__name__)

MAX_DAMPING = 1e12
TRIES = 6  # steps tried with one Hessian before a point waits for the next iteration


@dataclass(frozen=True)
class SlowPoints:
    """Points in the order given; everything belongs to one and the same iterate.

    Attributes:
        state: `[P, n]`.
        speed: |residual| there, `[P]`.
        projected_gradient: norm of the gradient of speed^2 / 2 projected on the bounds, `[P]`.
        converged: whether that came down to the tolerance, `[P]`.
        iterations: Hessians used, `[P]`.
    """

    state: Tensor
    speed: Tensor
    projected_gradient: Tensor
    converged: Tensor
    iterations: Tensor


def find_slow_points(
    step: Map | None,
    start: Tensor,
    lower: float | Tensor = -1.0,
    upper: float | Tensor = 1.0,
    *,
    residual: Map | Residual | None = None,
    tolerance: float = 1e-8,
    max_iterations: int = 100,
) -> SlowPoints:
    """Minimises speed^2 / 2, half the squared residual, of each point within bounds.

    Damped Newton steps with the exact Hessian, a variable on its bound held there while the gradient presses it
    outwards (Bertsekas 1982), the damping of each point raised until a step lowers its speed and lowered where
    the quadratic model proves good (Nocedal & Wright 2006, chapters 4 and 10).

    Args:
        step: the map; its residual is step(z) - z.
        start: `[P, n]`; put on the bounds where it lies outside. Not changed.
        lower: least value of each coordinate: a number or a tensor that broadcasts to `[P, n]`; may be infinite.
        upper: greatest value, likewise.
        residual: another residual in place of step(z) - z, as an LSTM's with tanh of the cell state; a `Residual`
            may know its derivatives in closed form.
        tolerance: projected gradient at which a point has converged.
        max_iterations: Hessians after which the search stops.

    Returns:
        The points, with the speed and gradient of the very states returned.

    Raises:
        ValueError: if the bounds cross, or the residual is not finite at the start.
    """
    residual = _with_derivatives(residual or (lambda states: step(states) - states))
    lower, upper = _bounds(start, lower, upper)
    state = start.detach().double().clamp(lower, upper)
    half_square = residual.half_square(state)
    if not half_square.isfinite().all():
        raise ValueError("the residual is not finite at the start of the search")
    points = len(state)
    damping = state.new_full((points,), 1e-3)
    iterations = torch.zeros(points, dtype=torch.int64, device=state.device)
    for iteration in range(max_iterations + 1):
        gradient = residual.gradient(state)
        projected = _projected_gradient(state, gradient, lower, upper)
        active = (projected > tolerance) & (damping < MAX_DAMPING)
        if iteration == max_iterations or not active.any():
            break
        iterations += active
        hessian = residual.hessian(state)
        free = ~((state <= lower) & (gradient > 0) | (state >= upper) & (gradient < 0))
        waiting = active
        for _ in range(TRIES):
            trial, rows = state.clone(), waiting.nonzero()[:, 0]
            move, damping[rows] = _newton_step(hessian[rows], gradient[rows], free[rows], damping[rows])
            trial[rows] = (state[rows] + move).clamp(lower[rows], upper[rows])
            value = residual.half_square(trial)
            move = trial - state
            predicted = -((gradient * move).sum(1) + 0.5 * (move[:, None] @ hessian @ move[:, :, None]).flatten())
            ratio = (half_square - value) / predicted
            better = waiting & (value < half_square) & (predicted > 0)
            state = torch.where(better[:, None], trial, state)
            half_square = torch.where(better, value, half_square)
            factor = torch.where(better & (ratio > 0.75), 0.2, torch.where(better & (ratio > 0.25), 1.0, 4.0))
            damping = torch.where(waiting, (damping * factor).clamp(min=1e-15), damping)
            waiting = waiting & ~better
            if not waiting.any():
                break
        if iteration % 10 == 0:
            log.info("deep search, iteration %d: median speed %.3g", iteration, (2 * half_square).sqrt().median())
    return SlowPoints(state, (2 * half_square).sqrt(), projected, projected <= tolerance, iterations)


def descend(
    residual: Map | Residual,
    start: Tensor,
    lower: float | Tensor,
    upper: float | Tensor,
    *,
    steps: int,
    rate: float = 1e-3,
    drop_at: float = 0.4,
    note_at: Sequence[int] = (),
) -> tuple[Tensor, dict[int, Tensor]]:
    """The authors' descent: Adam on speed^2, the state put back on the bounds after each step.

    Args:
        residual: `[P, n]` to `[P, n]`; a `Residual` may know its derivatives in closed form.
        start: `[P, n]`. Not changed.
        lower: as for `find_slow_points`.
        upper: likewise.
        steps: Adam steps.
        rate: learning rate; a tenth of it from the share `drop_at` of the steps on (authors' code).
        note_at: numbers of steps after which to note the speed.

    Returns:
        The states at the end, and the speed `[P]` after each number of steps in `note_at` that was reached.
    """
    residual = _with_derivatives(residual)
    lower, upper = _bounds(start, lower, upper)
    state = start.detach().double().clone().requires_grad_()
    optimiser = torch.optim.Adam([state], lr=rate)
    noted = {}
    for step in tqdm(range(steps), desc="descent", unit="step", disable=not sys.stderr.isatty()):
        if step in note_at:
            noted[step] = residual(state.detach()).norm(dim=-1)
        optimiser.param_groups[0]["lr"] = rate if step < drop_at * steps else rate / 10
        state.grad = 2 * residual.gradient(state.detach())
        optimiser.step()
        with torch.no_grad():
            state.clamp_(lower, upper)
    state = state.detach()
    if steps in note_at:
        noted[steps] = residual(state).norm(dim=-1)
    return state, noted


def _with_derivatives(residual: Map | Residual) -> Residual:
    return residual if isinstance(residual, Residual) else Residual(residual)


def _bounds(start: Tensor, lower: float | Tensor, upper: float | Tensor) -> tuple[Tensor, Tensor]:
    lower, upper = (
        torch.as_tensor(bound, dtype=torch.float64, device=start.device).expand(start.shape) for bound in (lower, upper)
    )
    if not (lower <= upper).all():
        raise ValueError("a lower bound lies above its upper bound")
    return lower, upper


def _projected_gradient(state: Tensor, gradient: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Norm of what a unit step down the gradient leaves within the bounds, `[P]`."""
    return ((state - gradient).clamp(lower, upper) - state).norm(dim=-1)


def _newton_step(hessian: Tensor, gradient: Tensor, free: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
    """Solves (H + damping) p = -gradient over the free variables.

    Returns:
        p, `[P, n]`, and the damping of each point, raised until H + damping is positive definite.
    """
    both = free[:, :, None] & free[:, None, :]
    held = torch.where(both, hessian, 0) + torch.diag_embed((~free).to(hessian))
    damping = damping.clone()
    factor, info = torch.linalg.cholesky_ex(held + torch.diag_embed(damping[:, None].expand_as(gradient)))
    while (failed := (info > 0) & (damping < MAX_DAMPING)).any():
        rows = failed.nonzero()[:, 0]
        damping[rows] *= 4
        raised = torch.diag_embed(damping[rows, None].expand(-1, gradient.shape[1]))
        factor[rows], info[rows] = torch.linalg.cholesky_ex(held[rows] + raised)
    right = torch.where(free, -gradient, 0)
    return torch.cholesky_solve(right[..., None], factor)[..., 0], damping
