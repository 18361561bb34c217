"""Points on their way to a minimum of their speed: damped Newton steps that may leave the floor of a valley.

P points of n coordinates, each on its own, of which R still walk.
"""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.dynamics.bounded import MAX_DAMPING, RAISED, bounded_step, pressed_outwards, projected_gradient
from slowpoints.dynamics.kinds import (
    EPSILON,
    FIXED_POINT,
    MINIMUM,
    SADDLE,
    SLIDING,
    Points,
    kinds_of,
    pushed,
    resting_speed,
)
from slowpoints.dynamics.residual import Residual, blocks
from slowpoints.dynamics.roots import brought_to_rest

FIRST_DAMPING, LEAST_DAMPING = 1e-3, 1e-15
LOWERED = 0.0010000000474974513  # factor on the damping after a step that the quadratic model foretold: float32's 1e-3
GOOD = 0.75  # share of the predicted fall from which that is said of it (Nocedal & Wright 2006, chapter 4)
TRIES = 6  # steps tried with one Hessian before a point waits for the next iteration
EXCURSION = 1000.0  # times the least speed^2 so far that a point may have on the way to a lower one
LONGEST = 5
"""Steps of an excursion, unless said otherwise."""
PUSH = 0.1  # how far a point looks past a saddle for the direction in which to leave it
SAME = 8 * EPSILON  # relative difference of two speeds^2 that rounding may have made


class NewtonWalk:
    """Points on their way to a minimum, each with a damping of its own.

    A valley of the speed is curved, so a Newton step along its floor ends far up its wall, from where the next falls
    back to the floor further on. A point may therefore leave the best state it has seen for a few steps that are worse
    (the watchdog of Chamberlain, Powell, Lemaréchal & Pedersen 1982); if they lead to no better one, it goes back there
    and on with more damping and no excursion until a step has lowered its speed.

    Args:
        residual: whose half square is made small.
        state: where to start, `[P, n]`, within the bounds.
        lower: `[P, n]`.
        upper: `[P, n]`.
        tolerance: of the projected gradient.
        longest: steps of an excursion; 0 for none.

    Raises:
        ValueError: if the residual is not finite at the start.
    """

    def __init__(self, residual: Residual, state: Tensor, lower: Tensor, upper: Tensor, tolerance: float, longest: int):
        half_square = residual.half_square(state)
        if not half_square.isfinite().all():
            raise ValueError("the residual is not finite at the start of the search")
        self.residual, self.lower, self.upper, self.tolerance = residual, lower, upper, tolerance
        self.longest = longest
        nowhere = torch.full_like(half_square, torch.inf)
        self.here = Points(state, half_square, torch.zeros_like(state), nowhere)
        self.best = Points(*(each.clone() for each in self.here._replace(half_square=nowhere)))
        self.rows = torch.arange(len(state), device=state.device)  # that still walk
        self.kinds = torch.full_like(self.rows, SLIDING)
        self.iterations = torch.zeros_like(self.rows)
        self.away = torch.zeros_like(self.rows)  # steps since the best state
        self.leash = torch.full_like(self.rows, longest)  # steps that the next excursion may take
        self.damping = torch.full_like(half_square, FIRST_DAMPING)
        self.rough = torch.zeros_like(self.rows, dtype=torch.bool)  # that met a derivative that is not finite

    def try_to_rest(self, iterations: int) -> None:
        """Points that walk leap to a fixed point, if Newton's method leads to one."""
        rows, here = self.rows, self.here
        state = brought_to_rest(self.residual, here.state, rows, self.lower, self.upper, iterations)
        leapt = rows[(state[rows] != here.state[rows]).any(1)]
        here.state[leapt] = state[leapt]
        if len(leapt):
            here.half_square[leapt] = self._residual(leapt).half_square(state[leapt])

    def look(self) -> None:
        """Takes the gradient where each point stands, notes the best states, and brings those back that are lost."""
        rows, here = self.rows, self.here
        state = here.state[rows]
        here.gradient[rows] = self._residual(rows).gradient(state)
        here.projected[rows] = projected_gradient(state, here.gradient[rows], self.lower[rows], self.upper[rows])
        smooth = self._smooth(rows)
        better = _is_better(here.at(rows), self.best.at(rows)) & smooth
        found, lost = rows[better], rows[~better]
        self.best.put(found, here.at(found))
        self.away[found], self.leash[found] = 0, self.longest
        self.away[lost] += 1
        self.go_back(lost[(self.away[lost] > self.leash[lost]) | ~smooth[~better]])

    def _smooth(self, rows: Tensor) -> Tensor:
        """Whether some points may stand where they are: their gradient is finite, they rest, or it is their start.

        Where it is not, none is noted.
        """
        finite = self.here.gradient[rows].isfinite().all(1)
        if finite.all():
            return finite
        self.rough[rows[~finite]] = True
        self.here.projected[rows[~finite]] = torch.nan
        here = self.here.at(rows)
        return finite | (here.speed <= resting_speed(here.state)) | self.best.half_square[rows].isinf()

    def go_back(self, rows: Tensor) -> None:
        """To the best state, from where the next steps must lower the speed."""
        self.here.put(rows, self.best.at(rows))
        self.damping[rows] = (self.damping[rows] * RAISED).clamp(min=LEAST_DAMPING)
        self.away[rows] = self.leash[rows] = 0

    def advance(self) -> None:
        """One Hessian: points that are done or stuck leave the walk, the others take the step that it suggests."""
        self._rest()
        if len(self.rows):
            self.rows = torch.cat([self._advance(rows) for rows in blocks(self.rows, self.here.state.shape[1])])

    def _advance(self, rows: Tensor) -> Tensor:
        """The same for some of the points that walk; gives those that go on, `[R]`."""
        hessian = self._judge(rows)
        walks = (self.kinds[rows] < MINIMUM) & (self.damping[rows] < MAX_DAMPING)
        rows, hessian = rows[walks], hessian[walks]
        self.iterations[rows] += 1
        gradient = self._leaving_saddles(rows, hessian)
        waiting = torch.arange(len(rows), device=rows.device)
        for _ in range(TRIES):
            if not len(waiting):
                break
            these = hessian if len(waiting) == len(hessian) else hessian[waiting]  # large, so not copied without need
            waiting = waiting[~self._try_step(rows[waiting], these, gradient[waiting])]
        return rows

    def finish(self) -> None:
        """Brings the points that still walk to their best state, and says of which kind it is."""
        if not len(self.rows):
            return
        self.look()
        self.go_back(self.rows)
        self.kinds[self.rows] = SLIDING
        self._rest()
        for rows in blocks(self.rows[self.best.projected[self.rows] <= self.tolerance], self.here.state.shape[1]):
            if len(rows):
                self._judge(rows)

    def _rest(self) -> None:
        """Points at rest leave the walk."""
        rows, here = self.rows, self.here.at(self.rows)
        resting = (here.speed <= resting_speed(here.state)) & (self.away[rows] == 0)
        self.kinds[rows[resting]] = FIXED_POINT
        self.rows = rows[~(resting | here.projected.isnan())]

    def _judge(self, rows: Tensor) -> Tensor:
        """The Hessian of some points that walk, `[R, n, n]`; notes the kind of those that stand at their best state."""
        hessian = self._residual(rows).hessian(self.here.state[rows])
        rough = ~hessian.sum(dim=(1, 2)).isfinite()
        if rough.any():
            hessian[rough] = self._without_curvature(rows[rough])
        kinds = kinds_of(self.here.at(rows), hessian, self.lower[rows], self.upper[rows], self.tolerance)
        kinds[rough] = SLIDING  # nobody knows
        at_best = self.away[rows] == 0
        self.kinds[rows[at_best]] = kinds[at_best]
        return hessian

    def _without_curvature(self, rows: Tensor) -> Tensor:
        """The Hessian of points where it is not finite, as far as first derivatives say it (Gauss-Newton)."""
        self.rough[rows] = True
        slopes = self._residual(rows).jacobian(self.here.state[rows])
        return (slopes.mT @ slopes).nan_to_num(0.0, 0.0, 0.0)

    def _leaving_saddles(self, rows: Tensor, hessian: Tensor) -> Tensor:
        """Gradients of some points that walk; of those at a saddle, a little past it, `[R, n]`."""
        gradient = self.here.gradient[rows]
        at = ((self.kinds[rows] == SADDLE) & (self.away[rows] == 0)).nonzero()[:, 0]
        if len(at):
            below, above = pressed_outwards(gradient[at], *self._room(rows[at]))
            gradient[at] = pushed(hessian[at], gradient[at], ~(below | above), PUSH)
        return gradient

    def _try_step(self, rows: Tensor, hessian: Tensor, gradient: Tensor) -> Tensor:
        """A damped Newton step of some points; gives those that took it, `[R]`."""
        here = self.here.at(rows)
        lowest, highest = self._room(rows)
        move, damping = bounded_step(hessian, gradient, lowest, highest, self.damping[rows])
        # On the bounds themselves, not a rounding beside them.
        trial = torch.where(move == lowest, self.lower[rows], here.state + move)
        trial = torch.where(move == highest, self.upper[rows], trial)
        value = self._residual(rows).half_square(trial)
        move = trial - here.state
        curved = 0.5 * (move[:, None] @ hessian @ move[:, :, None]).flatten()
        predicted = -((here.gradient * move).sum(1) + curved)
        limit = torch.where(
            self.away[rows] < self.leash[rows], EXCURSION * self.best.half_square[rows], here.half_square * (1 + SAME)
        )
        taken = (value <= torch.maximum(limit, here.half_square)) & (predicted > 0)
        good = here.half_square - value > GOOD * predicted
        lowered = damping.new_tensor(LOWERED)  # or `where` gives numbers of the default type
        factor = torch.where(taken, torch.where(good, lowered, 1.0), RAISED)
        self.damping[rows] = (damping * factor).clamp(min=LEAST_DAMPING)
        self.here.state[rows[taken]], self.here.half_square[rows[taken]] = trial[taken], value[taken]
        return taken

    def _room(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """How far some points may go down and up, `[R, n]` each."""
        return self.lower[rows] - self.here.state[rows], self.upper[rows] - self.here.state[rows]

    def _residual(self, rows: Tensor) -> Residual:
        return self.residual.of_rows(rows, len(self.kinds))


def _is_better(points: Points, best: Points) -> Tensor:
    """Whether a speed is lower, or, where rounding leaves that open, its gradient, `[R]`."""
    lower = points.half_square < best.half_square * (1 - SAME)
    same = points.half_square <= best.half_square * (1 + SAME)
    return lower | same & (points.projected < best.projected)
