"""L-BFGS within bounds, for many points at once.

R points of n coordinates, each minimised on its own. The terms are those of Nocedal & Wright (2006), section 7.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.dynamics.bounded import active_bounds, projected_gradient
from slowpoints.dynamics.point_types import TINY
from slowpoints.dynamics.residual import Residual

PAIRS = 8  # of steps and changes of the gradient that are kept; with more the speed falls little faster
STEP_DECREASE = 0.3  # in a line search
SUFFICIENT_DECREASE = 1e-4  # share of the reduction predicted by the gradient (Armijo 1966)
MIN_CURVATURE = 1e-12  # of a pair that counts: step * change, relative to |change|^2
PER_POINT = ("state", "lower", "upper", "objective", "gradient", "scale", "length", "accepted", "direction")


class LBFGS:
    """Points on their descent of half the squared residual. The objective never rises.

    A coordinate at a bound that a descent step would take beyond it stays there, and steps are truncated at the bounds.
    The line search takes one trial step of every point per iteration, so that all are evaluated at once. Points do not
    move to where the derivative is not finite.

    Args:
        residual: of all P points.
        state: initial states of all points, `[P, n]`, within the bounds.
        rows: indices of the points that descend, `[R]`, increasing.
        lower: `[P, n]`.
        upper: `[P, n]`.

    Attributes:
        rows: `[R]`.
        state: where they are, `[R, n]`.
        objective: there, `[R]`.
    """

    def __init__(self, residual: Residual, state: Tensor, rows: Tensor, lower: Tensor, upper: Tensor):
        self.of_all, self.points, self.rows = residual, len(state), rows
        self.residual = residual.of_rows(rows, self.points)
        self.state, self.lower, self.upper = state[rows], lower[rows], upper[rows]
        self.objective, self.gradient = self.residual.objective(self.state), self.residual.gradient(self.state)
        pairs = (PAIRS, *self.state.shape)
        self.steps, self.changes = self.state.new_zeros(pairs), self.state.new_zeros(pairs)
        self.inverse_curvature = self.state.new_zeros(pairs[:2])  # zero for a pair that does not count
        # Scale of the inverse Hessian that the pairs correct: that of the newest pair (equation 7.20).
        self.scale = 1 / self.gradient.norm(dim=1).clamp(min=1)
        self.length, self.accepted = torch.ones_like(self.objective), torch.ones_like(self.rows, dtype=torch.bool)
        self.direction = torch.zeros_like(self.state)
        self.iterations = 0

    @property
    def projected_gradient(self) -> Tensor:
        """Norm of the gradient projected on the bounds, `[R]`."""
        return projected_gradient(self.state, self.gradient, self.lower, self.upper)

    def keep(self, chosen: Tensor) -> None:
        """Drops all points but those chosen by a mask `[R]`."""
        if chosen.all():
            return
        self.rows, self.residual = self.rows[chosen], self.of_all.of_rows(self.rows[chosen], self.points)
        for name in PER_POINT:
            setattr(self, name, getattr(self, name)[chosen])
        for name in ("steps", "changes", "inverse_curvature"):
            setattr(self, name, getattr(self, name)[:, chosen])

    @torch.no_grad()
    def descend(self, iterations: int) -> None:
        """Takes so many steps from every point."""
        for _ in range(iterations):
            self._step()

    def _step(self) -> None:
        """Tries one step of every point: a new one, or a shorter one where the last was rejected."""
        direction = torch.where(self.accepted[:, None], self._direction(), self.direction)
        trial = (self.state + self.length[:, None] * direction).clamp(self.lower, self.upper)
        objective, gradient = self.residual.objective(trial), self.residual.gradient(trial)
        step, change = trial - self.state, gradient - self.gradient
        sufficient = self.objective + SUFFICIENT_DECREASE * _dot(self.gradient, step)
        accepted = (objective <= sufficient) & gradient.isfinite().all(1)
        slot, curvature, squared = self.iterations % PAIRS, _dot(step, change), _dot(change, change)
        convex = accepted & (curvature > MIN_CURVATURE * squared) & (torch.minimum(curvature, squared) > TINY)
        self.steps[slot], self.changes[slot] = step, change
        self.inverse_curvature[slot] = torch.where(convex, 1 / curvature, 0)
        self.scale = torch.where(convex, curvature / squared, self.scale)
        self.state = torch.where(accepted[:, None], trial, self.state)
        self.gradient = torch.where(accepted[:, None], gradient, self.gradient)
        self.objective = torch.where(accepted, objective, self.objective)
        self.length = torch.where(accepted, 1, self.length * STEP_DECREASE)
        self.accepted, self.direction = accepted, direction
        self.iterations += 1

    def _direction(self) -> Tensor:
        """Steps that the pairs predict to lead to the minimum, by the two-loop recursion (algorithm 7.4), `[R, n]`."""
        low, high = self.lower - self.state, self.upper - self.state
        at_lower, at_upper = active_bounds(self.gradient, low, high)
        free = ~(at_lower | at_upper)
        gradient = torch.where(free, self.gradient, 0)
        direction, shares = -gradient, {}
        newest_first = [(self.iterations - 1 - age) % PAIRS for age in range(min(self.iterations, PAIRS))]
        for slot in newest_first:
            shares[slot] = self.inverse_curvature[slot] * _dot(self.steps[slot], direction)
            direction = direction.addcmul(shares[slot][:, None], self.changes[slot], value=-1)
        direction = direction * self.scale[:, None]
        for slot in reversed(newest_first):
            share = self.inverse_curvature[slot] * _dot(self.changes[slot], direction)
            direction = direction.addcmul((shares[slot] - share)[:, None], self.steps[slot])
        direction = torch.where(free, direction, 0)
        uphill = ~(_dot(direction, gradient) < 0)
        return torch.where(uphill[:, None], -self.scale[:, None] * gradient, direction)


def _dot(first: Tensor, second: Tensor) -> Tensor:
    return (first * second).sum(1)
