"""The minimiser of the deep search: damped Newton steps within bounds, with a watchdog.

P points of n coordinates, each minimised on its own, of which R have not converged yet. Terms and sections are those of
Nocedal & Wright (2006).
"""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.dynamics.bounded import DAMPING_INCREASE, MAX_DAMPING, active_bounds, bounded_step, projected_gradient
from slowpoints.dynamics.point_types import (
    EPSILON,
    Iterates,
    PointType,
    classify,
    fixed_point_tolerance,
    perturb_gradient,
)
from slowpoints.dynamics.region import Region
from slowpoints.dynamics.residual import Residual, chunks
from slowpoints.dynamics.roots import newton_fixed_points

INITIAL_DAMPING, MIN_DAMPING = 1e-3, 1e-15
DAMPING_DECREASE = 0.0010000000474974513  # after a step that the model predicts well; float32's 1e-3
GOOD_RATIO = 0.75  # of actual to predicted reduction, from which the model counts as good (section 4.1)
MAX_TRIALS = 6  # trial steps with one Hessian
WATCHDOG_INCREASE = 1000.0  # factor by which the objective may exceed its least value during watchdog steps
WATCHDOG_STEPS = 5
PERTURBATION = 0.1  # distance from a saddle at which its direction of negative curvature is followed
OBJECTIVE_ROUNDING = 8 * EPSILON  # relative difference of two objectives that may be rounding


class DampedNewton:
    """Newton's method with Levenberg damping, within bounds, for P points at once.

    In the terms of Nocedal & Wright: a trust-region Newton method with the exact Hessian (chapter 4) in its Levenberg
    form, the damping adapted to the ratio of actual to predicted reduction (and raised until the Hessian is positive
    definite, section 3.4). Each step minimises the quadratic model within the bounds, a problem of section 16.7, by a
    primal-dual active-set method (`bounded_step`). The objective may rise for a few steps under a watchdog (section
    15.6; Chamberlain, Powell, Lemaréchal & Pedersen 1982), since a Newton step along a curved valley ends far up its
    wall, from where the next one descends to the floor further on. Saddles are left along a direction of negative
    curvature.

    Args:
        residual: half whose square is the objective.
        state: initial states, `[P, n]`, within the bounds.
        lower: `[P, n]`.
        upper: `[P, n]`.
        tolerance: on the projected gradient.
        watchdog_steps: steps for which the objective may exceed its least value; with 0 it never rises.
        region: which no best iterate leaves; a point that descends beyond it ends at its last best iterate within.

    Attributes:
        current: the iterates.
        best: those of least objective so far.
        rows: indices of the points that have not converged, `[R]`.
        types: `PointType` of each point's best iterate, `[P]`.
        iterations: Hessians from which a step was taken, `[P]`.
        met_nonfinite: whether a derivative was not finite, `[P]`.

    Raises:
        ValueError: if the residual is not finite at the initial states.
    """

    def __init__(
        self,
        residual: Residual,
        state: Tensor,
        lower: Tensor,
        upper: Tensor,
        tolerance: float,
        watchdog_steps: int,
        region: Region,
    ):
        objective = residual.objective(state)
        if not objective.isfinite().all():
            raise ValueError("the residual is not finite at the start of the search")
        self.residual, self.lower, self.upper, self.tolerance = residual, lower, upper, tolerance
        self.watchdog_steps, self.region = watchdog_steps, region
        unknown = torch.full_like(objective, torch.inf)
        self.current = Iterates(state, objective, torch.zeros_like(state), unknown)
        self.best = Iterates(*(values.clone() for values in self.current._replace(objective=unknown)))
        self.rows = torch.arange(len(state), device=state.device)
        self.types = torch.full_like(self.rows, PointType.SLIDING)
        self.iterations = torch.zeros_like(self.rows)
        self.steps_since_best = torch.zeros_like(self.rows)
        self.steps_allowed = torch.full_like(self.rows, watchdog_steps)  # since the best, before returning to it
        self.damping = torch.full_like(objective, INITIAL_DAMPING)
        self.met_nonfinite = torch.zeros_like(self.rows, dtype=torch.bool)

    def end(self, rows: Tensor) -> None:
        """Ends points `[R]` where they are, as sliding."""
        if len(rows):
            self.rows = rows
            self.evaluate()
            self.rows = rows[:0]

    def try_fixed_points(self, iterations: int, region: Region) -> None:
        """Moves points to a fixed point wherever Newton's method for equations converges to one in a region."""
        rows, current = self.rows, self.current
        state = newton_fixed_points(self.residual, current.state, rows, self.lower, self.upper, iterations, region)
        moved = rows[(state[rows] != current.state[rows]).any(1)]
        current.state[moved] = state[moved]
        if len(moved):
            current.objective[moved] = self._residual_of(moved).objective(state[moved])

    def evaluate(self) -> None:
        """Evaluates gradients, updates the best iterates, and returns points to theirs once the watchdog expires.

        Points that have descended beyond the region are dropped.
        """
        rows, current = self.rows, self.current
        state = current.state[rows]
        gradient = self._residual_of(rows).gradient(state)
        current.gradient[rows] = gradient
        current.projected_gradient[rows] = projected_gradient(state, gradient, self.lower[rows], self.upper[rows])
        inside = self.region.contains(rows, state)
        valid, lower = self._may_stay(rows) & inside, _is_better(current.at(rows), self.best.at(rows))
        better, left = lower & valid, lower & ~inside
        improved, others = rows[better], rows[~better]
        self.best.assign(improved, current.at(improved))
        self.steps_since_best[improved], self.steps_allowed[improved] = 0, self.watchdog_steps
        self.steps_since_best[others] += 1
        expired = self.steps_since_best[others] > self.steps_allowed[others]
        self.return_to_best(others[expired | ~valid[~better]])
        self.types[rows[left]] = PointType.SLIDING
        self.rows = rows[~left]

    def _may_stay(self, rows: Tensor) -> Tensor:
        """Whether points have a finite gradient, are fixed points, or are at their start, `[R]`.

        Records where a gradient is not finite.
        """
        finite = self.current.gradient[rows].isfinite().all(1)
        if finite.all():
            return finite
        self.met_nonfinite[rows[~finite]] = True
        self.current.projected_gradient[rows[~finite]] = torch.nan
        current = self.current.at(rows)
        fixed = current.speed <= fixed_point_tolerance(current.state)
        return finite | fixed | self.best.objective[rows].isinf()

    def return_to_best(self, rows: Tensor) -> None:
        """Returns points to their best iterate with more damping; the objective must fall before the next watchdog."""
        self.current.assign(rows, self.best.at(rows))
        self.damping[rows] = (self.damping[rows] * DAMPING_INCREASE).clamp(min=MIN_DAMPING)
        self.steps_since_best[rows] = self.steps_allowed[rows] = 0

    def iterate(self) -> None:
        """One iteration: drops points that have converged or cannot move, and takes a step from the others."""
        self._drop_fixed_points()
        if len(self.rows):
            self.rows = torch.cat([self._step_chunk(rows) for rows in self._chunks(self.rows)])

    def _step_chunk(self, rows: Tensor) -> Tensor:
        """The same for a chunk of points; returns those that have not converged."""
        hessian = self._classify(rows)
        unfinished = (self.types[rows] < PointType.MINIMUM) & (self.damping[rows] < MAX_DAMPING)
        rows, hessian = rows[unfinished], hessian[unfinished]
        self.iterations[rows] += 1
        gradient = self._perturbed_at_saddles(rows, hessian)
        rejected = torch.arange(len(rows), device=rows.device)
        for _ in range(MAX_TRIALS):
            if not len(rejected):
                break
            curvature = hessian if len(rejected) == len(hessian) else hessian[rejected]  # copied only where necessary
            rejected = rejected[~self._try_step(rows[rejected], curvature, gradient[rejected])]
        return rows

    def finish(self) -> None:
        """Moves points that have not converged to their best iterate and classifies it."""
        if not len(self.rows):
            return
        self.evaluate()
        self.return_to_best(self.rows)
        self.types[self.rows] = PointType.SLIDING
        self._drop_fixed_points()
        for rows in self._chunks(self.rows[self.best.projected_gradient[self.rows] <= self.tolerance]):
            if len(rows):
                self._classify(rows)

    def take_ends(self, searched: Tensor) -> None:
        """Gives each point the end of the search of another, `[P]`."""
        self.best = self.best.at(searched)
        for name in ("types", "iterations", "met_nonfinite"):
            setattr(self, name, getattr(self, name)[searched])

    def _drop_fixed_points(self) -> None:
        rows, current = self.rows, self.current.at(self.rows)
        fixed = (current.speed <= fixed_point_tolerance(current.state)) & (self.steps_since_best[rows] == 0)
        self.types[rows[fixed]] = PointType.FIXED_POINT
        self.rows = rows[~(fixed | current.projected_gradient.isnan())]

    def _classify(self, rows: Tensor) -> Tensor:
        """Hessians of some points, `[R, n, n]`; records the type of those that are at their best iterate."""
        hessian = self._residual_of(rows).hessian(self.current.state[rows])
        nonfinite = ~hessian.sum(dim=(1, 2)).isfinite()
        if nonfinite.any():
            hessian[nonfinite] = self._gauss_newton(rows[nonfinite])
        types = classify(self.current.at(rows), hessian, self.lower[rows], self.upper[rows], self.tolerance)
        types[nonfinite] = PointType.SLIDING  # since the curvature is unknown
        at_best = self.steps_since_best[rows] == 0
        self.types[rows[at_best]] = types[at_best]
        return hessian

    def _gauss_newton(self, rows: Tensor) -> Tensor:
        """Gauss-Newton approximation of Hessians that are not finite, `[R, n, n]` (section 10.3)."""
        self.met_nonfinite[rows] = True
        jacobian = self._residual_of(rows).jacobian(self.current.state[rows])
        return (jacobian.mT @ jacobian).nan_to_num(0.0, 0.0, 0.0)

    def _perturbed_at_saddles(self, rows: Tensor, hessian: Tensor) -> Tensor:
        """Gradients `[R, n]`, those at saddles taken a little way along the direction of negative curvature."""
        gradient = self.current.gradient[rows]
        saddles = ((self.types[rows] == PointType.SADDLE) & (self.steps_since_best[rows] == 0)).nonzero()[:, 0]
        if len(saddles):
            at_lower, at_upper = active_bounds(gradient[saddles], *self._step_bounds(rows[saddles]))
            free = ~(at_lower | at_upper)
            gradient[saddles] = perturb_gradient(hessian[saddles], gradient[saddles], free, PERTURBATION)
        return gradient

    def _try_step(self, rows: Tensor, hessian: Tensor, gradient: Tensor) -> Tensor:
        """A trial step of some points, and their new damping; returns which accepted the step, `[R]`."""
        current = self.current.at(rows)
        lowest, highest = self._step_bounds(rows)
        step, damping = bounded_step(hessian, gradient, lowest, highest, self.damping[rows])
        # Exactly on the bounds, without the rounding of a sum.
        trial = torch.where(step == lowest, self.lower[rows], current.state + step)
        trial = torch.where(step == highest, self.upper[rows], trial)
        objective = self._residual_of(rows).objective(trial)
        step = trial - current.state
        curvature = 0.5 * (step[:, None] @ hessian @ step[:, :, None]).flatten()
        predicted = -((current.gradient * step).sum(1) + curvature)
        limit = torch.where(
            self.steps_since_best[rows] < self.steps_allowed[rows],
            WATCHDOG_INCREASE * self.best.objective[rows],
            current.objective * (1 + OBJECTIVE_ROUNDING),
        )
        accepted = (objective <= torch.maximum(limit, current.objective)) & (predicted > 0)
        good = current.objective - objective > GOOD_RATIO * predicted
        decrease = damping.new_tensor(DAMPING_DECREASE)  # or `where` returns numbers of the default type
        factor = torch.where(accepted, torch.where(good, decrease, 1.0), DAMPING_INCREASE)
        self.damping[rows] = (damping * factor).clamp(min=MIN_DAMPING)
        moved = rows[accepted]
        self.current.state[moved], self.current.objective[moved] = trial[accepted], objective[accepted]
        return accepted

    def _step_bounds(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Lowest and highest step of some points within the bounds, `[R, n]` each."""
        return self.lower[rows] - self.current.state[rows], self.upper[rows] - self.current.state[rows]

    def _residual_of(self, rows: Tensor) -> Residual:
        return self.residual.of_rows(rows, len(self.types))

    def _chunks(self, rows: Tensor) -> tuple[Tensor, ...]:
        return chunks(rows, self.lower.shape[1])


def _is_better(points: Iterates, best: Iterates) -> Tensor:
    """Whether an objective is lower, or equal to rounding with a smaller projected gradient, `[R]`."""
    lower = points.objective < best.objective * (1 - OBJECTIVE_ROUNDING)
    equal = points.objective <= best.objective * (1 + OBJECTIVE_ROUNDING)
    return lower | equal & (points.projected_gradient < best.projected_gradient)
