"""Search for slow points of any differentiable map: states that it moves least.

A bounded Newton search that goes to a minimum. Each of P points of n coordinates is treated on its own, all at once,
in float64. `dynamics.descent` has the authors' descent.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch
from torch import Tensor

from slowpoints.dynamics.residual import Map, Residual, bounds_like

log = logging.getLogger(__name__)
FIRST_DAMPING, LEAST_DAMPING = 1e-3, 1e-15
MAX_DAMPING = 1e12  # a point that no step of such a damping lowers is stuck
TRIES = 6  # steps tried with one Hessian before a point waits for the next iteration
FAIR, GOOD = 0.25, 0.75  # share of the predicted fall from which damping stays, and from which it is lowered
LOWERED, RAISED = 0.2, 4.0  # factors on the damping (Nocedal & Wright 2006, chapter 4)
LOGGED_EVERY = 10  # iterations


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
        step: the map; its residual is step(z) - z. Not used where another is given.
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
        ValueError: if the bounds cross, the residual is not finite at the start, or there is neither map nor residual.
    """
    if residual is None:
        if step is None:
            raise ValueError("a map or a residual is needed")
        residual = Residual(lambda states: step(states) - states)
    residual = Residual.of(residual)
    low, high = bounds_like(start, lower, upper)
    search = _Newton(residual, start.detach().double().clamp(low, high), low, high)
    for iteration in range(max_iterations + 1):
        active = search.look(tolerance)
        if iteration == max_iterations or not active.any():
            break
        search.advance(active)
        if iteration % LOGGED_EVERY == 0:
            log.info("deep search, iteration %d: median speed %.3g", iteration, search.speed.median())
    return SlowPoints(search.state, search.speed, search.projected, search.projected <= tolerance, search.iterations)


class _Newton:
    """Points on their way to a minimum, each with a damping of its own.

    Args:
        residual: whose half square is made small.
        state: where to start, `[P, n]`, within the bounds.
        lower: `[P, n]`.
        upper: `[P, n]`.

    Raises:
        ValueError: if the residual is not finite at the start.
    """

    gradient: Tensor  # of half the squared speed, `[P, n]`, as `look` last saw it
    projected: Tensor  # its norm within the bounds, `[P]`

    def __init__(self, residual: Residual, state: Tensor, lower: Tensor, upper: Tensor):
        self.residual, self.state, self.lower, self.upper = residual, state, lower, upper
        self.half_square = residual.half_square(state)
        if not self.half_square.isfinite().all():
            raise ValueError("the residual is not finite at the start of the search")
        self.damping = state.new_full((len(state),), FIRST_DAMPING)
        self.iterations = torch.zeros(len(state), dtype=torch.int64, device=state.device)

    @property
    def speed(self) -> Tensor:
        return (2 * self.half_square).sqrt()

    def look(self, tolerance: float) -> Tensor:
        """Takes the gradient; gives the points that are neither done nor stuck, `[P]`."""
        self.gradient = self.residual.gradient(self.state)
        self.projected = _projected_gradient(self.state, self.gradient, self.lower, self.upper)
        return (self.projected > tolerance) & (self.damping < MAX_DAMPING)

    def advance(self, active: Tensor) -> None:
        """One Hessian, and steps with it until every active point has gone down, or has tried often enough."""
        self.iterations += active
        hessian = self.residual.hessian(self.state)
        outwards = (self.state <= self.lower) & (self.gradient > 0) | (self.state >= self.upper) & (self.gradient < 0)
        waiting = active
        for _ in range(TRIES):
            waiting = self._try_step(hessian, ~outwards, waiting)
            if not waiting.any():
                break

    def _try_step(self, hessian: Tensor, free: Tensor, waiting: Tensor) -> Tensor:
        """A damped Newton step of the waiting points, taken where it lowers the speed; gives those that still wait."""
        trial, rows = self.state.clone(), waiting.nonzero()[:, 0]
        move, self.damping[rows] = _newton_step(hessian[rows], self.gradient[rows], free[rows], self.damping[rows])
        trial[rows] = (self.state[rows] + move).clamp(self.lower[rows], self.upper[rows])
        value = self.residual.half_square(trial)
        move = trial - self.state
        curved = 0.5 * (move[:, None] @ hessian @ move[:, :, None]).flatten()
        predicted = -((self.gradient * move).sum(1) + curved)
        ratio = (self.half_square - value) / predicted
        better = waiting & (value < self.half_square) & (predicted > 0)
        self.state = torch.where(better[:, None], trial, self.state)
        self.half_square = torch.where(better, value, self.half_square)
        fair, good = better & (ratio > FAIR), better & (ratio > GOOD)
        factor = torch.where(good, LOWERED, torch.where(fair, 1.0, RAISED))
        self.damping = torch.where(waiting, (self.damping * factor).clamp(min=LEAST_DAMPING), self.damping)
        return waiting & ~better


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
        damping[rows] *= RAISED
        raised = torch.diag_embed(damping[rows, None].expand(-1, gradient.shape[1]))
        factor[rows], info[rows] = torch.linalg.cholesky_ex(held[rows] + raised)
    right = torch.where(free, -gradient, 0)
    return torch.cholesky_solve(right[..., None], factor)[..., 0], damping
