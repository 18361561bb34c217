"""Searches for slow points that have come together: only one of them goes on.

P searches in states of n coordinates. In a trained network, searches from most states share a few valleys of the speed.
Since a gradient costs a hundredth of a Hessian or less, all descend by L-BFGS until those of a valley have come
together; Newton steps then take the few that remain to the exact minimum.
"""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.dynamics.checks import CheckedResidual, map_of_networks
from slowpoints.dynamics.lbfgs import LBFGS
from slowpoints.dynamics.point_types import fixed_point_tolerance
from slowpoints.dynamics.region import Region
from slowpoints.dynamics.residual import CHUNK_NUMBERS, Residual
from slowpoints.dynamics.roots import newton_fixed_points

ITERATIONS_PER_COORDINATE = 6  # of the descent, which then costs a few Hessians
MERGE_EVERY = 20  # iterations of the descent; stages before have 1, 2, 4, ...
NEWTON_STAGES = 3  # of the descent that begin with Newton's method for fixed points; later it finds few more
FLAT = 1e-4  # projected gradient, relative to the speed, from which a point is left to Newton's method
LINE_POINTS = 7  # between two states, at which the speed is evaluated
LEVEL = 1e-9  # relative difference of two objectives that may be rounding


class Merging:
    """Which search each of P searches has joined.

    Two searches become one once their states are within a distance of each other and no barrier of the speed separates
    them: on the line between them the speed nowhere exceeds that of the faster one. The slower one goes on, so that the
    other never ends faster than it was when it joined. Searches of different networks or constant inputs, or within
    different bounds, never join.

    Args:
        residual: half whose square is minimised.
        lower: bounds, `[P, n]`.
        upper: likewise.
        distance: greatest distance, relative to 1 + |z|.

    Attributes:
        searched: index of the search that each has joined, its own if none, `[P]`.
    """

    def __init__(self, residual: Residual, lower: Tensor, upper: Tensor, distance: float):
        self.residual, self.lower, self.upper, self.distance = residual, lower, upper, distance
        self.searched = torch.arange(len(lower), device=lower.device)
        comparable = torch.cat([lower, upper, self._function_of_rows()[:, None]], dim=1)
        self.group = torch.unique(comparable, dim=0, return_inverse=True)[1]

    def merge(self, rows: Tensor, state: Tensor, objective: Tensor) -> Tensor:
        """Ends searches that have come together with another, running or finished.

        Args:
            rows: indices of running searches, `[R]`.
            state: of all searches, `[P, n]`.
            objective: half the squared speed of all, `[P]`.

        Returns:
            Those of `rows` that go on.
        """
        others = self.searched.unique()
        chunks = rows.split(max(1, CHUNK_NUMBERS // len(others)))
        nearest = torch.cat([self._nearest(chunk, others, state, objective) for chunk in chunks])
        close = nearest >= 0
        joining, joined = rows[close], nearest[close]
        connected = self._connected(joining, state[joining], state[joined], objective[joining])
        # Not in place: callers index searches by the tensor that `searched` was before.
        self.searched = self.searched.index_put((joining[connected],), joined[connected])
        # A search may have joined one that joins a third.
        while not torch.equal(again := self.searched[self.searched], self.searched):
            self.searched = again
        return rows[self.searched[rows] == rows]

    def descend(self, state: Tensor, newton: int, fixed: Region, region: Region) -> tuple[Tensor, Tensor, Tensor]:
        """Descends from all states, at first with tries of Newton's method for fixed points, and merges on the way.

        Args:
            state: `[P, n]`, within the bounds.
            newton: iterations of Newton's method, 0 for none.
            fixed: which fixed points must lie in.
            region: which a descent must not leave.

        Returns:
            States `[P, n]`, and the indices of the searches that are to go on from there, and of those that have left
            the region and ended at their last state in it.
        """
        rows, state = self.searched, state.clone()
        left = torch.zeros_like(rows, dtype=torch.bool)
        objective, remaining = self.residual.objective(state), ITERATIONS_PER_COORDINATE * state.shape[1]
        descent = LBFGS(self.residual, state, rows, self.lower, self.upper)
        running, stage = rows, 0
        while remaining > 0:
            if newton and stage < NEWTON_STAGES:
                state = newton_fixed_points(self.residual, state, descent.rows, self.lower, self.upper, newton, fixed)
                objective = self._objective(state, objective, descent.rows)
            running = self.merge(running, state, objective)
            going_on = self._unfinished(descent, state, objective) & ((self.searched == rows) & ~left)[descent.rows]
            if not going_on.any():
                break
            descent.keep(going_on)
            if stage == 0 and isinstance(self.residual, CheckedResidual):
                self.residual.check_hessian(descent.state)
            iterations = min(2**stage, MERGE_EVERY, remaining)
            descent.descend(iterations)
            inside = region.contains(descent.rows, descent.state)
            kept, left[descent.rows] = descent.rows[inside], ~inside
            state[kept], objective[kept] = descent.state[inside], descent.objective[inside]
            running = running[~left[running]]
            remaining, stage = remaining - iterations, stage + 1
        return state, self.merge(running, state, objective), left.nonzero()[:, 0]

    def _function_of_rows(self) -> Tensor:
        """A number for each search, equal where the residual is the same function, `[P]`."""
        points = len(self.searched)
        if self.residual.of_rows(self.searched[:1], points) is self.residual:
            return torch.zeros_like(self.searched)
        networks = map_of_networks(self.residual)
        return self.searched if networks is None else self.searched // (points // networks.networks)

    def _objective(self, state: Tensor, objective: Tensor, rows: Tensor) -> Tensor:
        """Objective of all searches, evaluated anew for some, `[P]`."""
        return objective.index_copy(0, rows, self.residual.of_rows(rows, len(state)).objective(state[rows]))

    @staticmethod
    def _unfinished(descent: LBFGS, state: Tensor, objective: Tensor) -> Tensor:
        """Which points of the descent are neither at rest nor on flat ground, `[R]`."""
        speed = (2 * objective[descent.rows]).sqrt()
        moving = speed > fixed_point_tolerance(state[descent.rows])
        return moving & (descent.projected_gradient > FLAT * speed)  # neither if the gradient is not finite

    def _nearest(self, rows: Tensor, others: Tensor, state: Tensor, objective: Tensor) -> Tensor:
        """The nearest search that each of some may join, -1 if none, `[R]`."""
        distance = torch.cdist(state[rows], state[others], compute_mode="use_mm_for_euclid_dist")
        mine, theirs = objective[rows, None], objective[others]
        deeper = (theirs < mine) | ((theirs == mine) & (others < rows[:, None]))
        near = distance <= self.distance * (1 + state[rows].norm(dim=1, keepdim=True))
        allowed = near & deeper & (self.group[rows, None] == self.group[others])
        least, nearest = torch.where(allowed, distance, torch.inf).min(1)
        return torch.where(least.isfinite(), others[nearest], -1)

    @torch.no_grad()
    def _connected(self, rows: Tensor, state: Tensor, other: Tensor, objective: Tensor) -> Tensor:
        """Whether the objective on the line from each state to another, `[R, n]`, exceeds its own nowhere, `[R]`."""
        connected = torch.ones_like(rows, dtype=torch.bool)
        if not len(rows):
            return connected
        residual = self.residual.of_rows(rows, len(self.lower))
        for point in range(1, LINE_POINTS + 1):
            between = state.lerp(other, point / (LINE_POINTS + 1))
            connected &= residual.objective(between) <= objective * (1 + LEVEL)
        return connected
