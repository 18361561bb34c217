"""Search for slow points of any differentiable map: states at which its speed is least.

The deep search minimises half the squared residual within bounds by a damped Newton method and classifies the
stationary points that it finds. Each of P points of n coordinates is treated on its own, all at once, in float64. The
authors' descent is in `dynamics.descent`.
"""

from __future__ import annotations

import logging
import math
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from slowpoints.core.arguments import finite, whole_number
from slowpoints.core.arrays import Array
from slowpoints.core.progress import report_stage
from slowpoints.core.torch_modes import usual_modes
from slowpoints.dynamics.autonomous import AutonomousMap
from slowpoints.dynamics.checks import ROW_BY_ROW, CheckedResidual, checked_residual, checked_rows, map_of_networks
from slowpoints.dynamics.maps import CheckedMap
from slowpoints.dynamics.merging import Merging
from slowpoints.dynamics.newton import WATCHDOG_STEPS, DampedNewton
from slowpoints.dynamics.point_types import TYPE_NAMES, PointType
from slowpoints.dynamics.region import MAX_DISTANCE, Region
from slowpoints.dynamics.residual import Map, Residual, bounds_like, clamp_start

log = logging.getLogger(__name__)
LOGGED_EVERY = 10  # iterations
NEWTON_EVERY = 2  # iterations


@dataclass(frozen=True)
class SlowPoints:
    """Slow points in the order of their starts. All values are of the same iterate, the best of the search.

    Attributes:
        state: `[P, n]`.
        speed: |residual| there, `[P]`.
        projected_gradient: norm of the gradient of speed^2 / 2 projected on the bounds, `[P]`.
        converged: whether the search reached a fixed point or minimum, `[P]`.
        iterations: Hessians from which a step was taken, `[P]`.
        kind: `[P]`: "fixed point" (zero speed to rounding, |residual| <= 1000 epsilon (1 + |z|)), "minimum" of the
            speed within the bounds, "saddle" (the gradient has vanished at a point with negative curvature, and no
            lower speed was found), or "sliding": the iterations ran out, no step reduced the speed any further, or the
            descent went beyond `max_distance` (this is its last state within), before the gradient had vanished.
        searched: index of the start whose search led to each point, `[P]`: its own, or with `merge` that of the search
            that it joined, from which all other values are then taken.
    """

    state: Tensor
    speed: Tensor
    projected_gradient: Tensor
    converged: Tensor
    iterations: Tensor
    kind: np.ndarray
    searched: Tensor


@usual_modes()
def find_slow_points(
    step: Map | None,
    start: Array,
    lower: float | Tensor = -1.0,
    upper: float | Tensor = 1.0,
    *,
    residual: Map | Residual | None = None,
    tolerance: float = 1e-8,
    max_iterations: int = 100,
    relax: int = 0,
    newton: int = 0,
    excursion: int = WATCHDOG_STEPS,
    merge: float = 0.0,
    max_distance: float = math.inf,
) -> SlowPoints:
    """Minimises speed^2 / 2, half the squared residual, of each point within bounds.

    A trust-region Newton method (Nocedal & Wright 2006, chapter 4) with the exact Hessian, bounds and a watchdog, see
    `dynamics.newton.DampedNewton`. Points that have converged cost no further work. Convergence and the type of a point
    are decided in `dynamics.point_types`.

    Args:
        step: the map, applied to any number of rows independently (or `Dynamics.step`); the default residual is
            step(z) - z. With a residual given, the map is used only for `relax`.
        start: `[P, n]`, clamped to the bounds with a warning. Not changed.
        lower: least value of each coordinate, a number or a tensor that broadcasts to `[P, n]`; may be infinite.
        upper: greatest value of each coordinate, likewise.
        residual: replaces step(z) - z, for example to measure an LSTM's cell state by its tanh; a `Residual` may have
            derivatives in closed form.
        tolerance: projected gradient below which a point counts as stationary.
        max_iterations: maximum number of Hessians.
        relax: frames for which the map runs before the search, clamped to the bounds after each. For the cost of a few
            Hessians this reaches an attractor if there is one, but leaves slow points that repel.
        newton: iterations of Newton's method for fixed points (`dynamics.roots`), tried from the start and at every
            second iteration. It finds a nearby fixed point, attractor or saddle, at a fraction of the cost, but may
            pass a nearer slow point on the way. Where it does not converge, the search continues from where it was.
        excursion: watchdog steps, for which the speed may rise above its least value. With 0 it never rises: slower,
            but a point stays in the valley where it started, as one tracked from map to map should.
        merge: distance, relative to 1 + |z|, within which two searches become one unless a barrier of the speed
            separates them (`dynamics.merging`). All points first descend by L-BFGS, which brings those of a valley
            together. With 0 each start is searched on its own, with Hessians from the first step.
        max_distance: greatest distance of a point from the start of its search, relative to 1 + |start|. Newton's
            method for fixed points goes no further than 10 in any case.

    Returns:
        The points, with the speed and gradient of exactly the states returned.

    Warns:
        UserWarning: if starts lie beyond the bounds, or some points met a derivative that is not finite. The projected
            gradient of a point without a finite derivative is NaN.

    Raises:
        ValueError: if start, bounds or settings are invalid; if the residual is not finite at the start, has no finite
            derivative at any start, or depends on other rows; or if there is neither map nor residual, or no map for
            `relax`.
        TypeError: if the map or residual is not a function of states, is not deterministic (noise, dropout), computes
            with less than float64, or has other derivatives in PyTorch than those of its values.
    """
    tolerance = finite(tolerance, "tolerance", least=0)
    max_iterations, relax = whole_number(max_iterations, "max_iterations"), whole_number(relax, "relax")
    newton, excursion = whole_number(newton, "newton"), whole_number(excursion, "excursion")
    merge, max_distance = finite(merge, "merge", least=0), _distance(max_distance)
    state = checked_rows(start, "start", map_of_networks(step if residual is None else residual))
    low, high = bounds_like(state, lower, upper)
    state = clamp_start(state, low, high)
    if step is not None and not isinstance(step, AutonomousMap | CheckedMap):
        step = CheckedMap(step)
    if relax:
        if step is None:
            raise ValueError("a map is needed to relax with; step is None")
        state = _relaxed(step, state, low, high, relax)
    residual = checked_residual(step, residual)
    if isinstance(residual, CheckedResidual):
        residual.check(state, newton=newton > 0)
    else:
        _check_rows(residual, state)
    merging = Merging(residual, low, high, merge) if merge and max_iterations and len(state) else None
    region, of_fixed_points = Region(state, max_distance), Region(state, min(max_distance, MAX_DISTANCE))
    running = each = torch.arange(len(state), device=state.device)
    left = each[:0]
    if merging is not None:
        state, running, left = merging.descend(state, newton, of_fixed_points, region)
    search = DampedNewton(residual, state, low, high, tolerance, excursion, region)
    search.end(left)
    search.rows = running
    with report_stage("deep search", max_iterations, unit="iteration", at_most=True) as progress:
        for iteration in range(max_iterations):
            if not len(search.rows):
                break
            if newton and iteration % NEWTON_EVERY == 0:
                search.try_fixed_points(newton, of_fixed_points)
            search.evaluate()
            if merging is not None:
                search.rows = merging.merge(search.rows, search.best.state, search.best.objective)
            search.iterate()
            if iteration % LOGGED_EVERY == 0:
                log.info("deep search, iteration %d: median speed %.3g", iteration, search.best.speed.median())
            progress.update()
    search.finish()
    searched = each if merging is None else merging.searched
    search.take_ends(searched)
    best, types = search.best, search.types
    if isinstance(residual, CheckedResidual):
        residual.check_after(best.state, best.speed)
    _warn_of_nonfinite(search)
    return SlowPoints(
        best.state,
        best.speed,
        best.projected_gradient,
        types >= PointType.MINIMUM,
        search.iterations,
        TYPE_NAMES[types.cpu().numpy()],
        searched,
    )


def _distance(max_distance: float) -> float:
    return math.inf if max_distance == math.inf else finite(max_distance, "max_distance", least=0)


@torch.no_grad()
def _check_rows(residual: Residual, state: Tensor) -> None:
    """Raises an error if the first or last row has another value when evaluated without the others."""
    points, together = len(state), residual(state)
    for row in {0, points - 1} if points > 1 else ():
        try:
            alone = residual.of_rows(torch.tensor([row], device=state.device), points)(state[row : row + 1])[0]
        except RuntimeError as error:
            raise ValueError(ROW_BY_ROW) from error
        # Float32 may round differently.
        if not torch.allclose(alone, together[row], rtol=1e-4, atol=1e-6, equal_nan=True):
            raise ValueError(ROW_BY_ROW)


@torch.no_grad()
def _relaxed(step: Map, state: Tensor, lower: Tensor, upper: Tensor, frames: int) -> Tensor:
    """States after so many frames of the map, clamped to the bounds after each, `[P, n]`."""
    for _ in range(frames):
        state = step(state).clamp(lower, upper)
    return state


def _warn_of_nonfinite(search: DampedNewton) -> None:
    """Warns of points whose search met a derivative that is not finite; raises if none is finite at any start."""
    no_gradient = search.best.projected_gradient.isnan()
    affected = no_gradient | (search.met_nonfinite & (search.types < PointType.MINIMUM))
    if not affected.any():
        return
    reason = "as of a square root or a norm at 0, also in the branch that torch.where does not select"
    if (no_gradient & (search.types != PointType.FIXED_POINT)).all():
        raise ValueError(f"the derivative of the residual is not finite at any of {len(affected)} starts, {reason}")
    warnings.warn(
        f"{int(affected.sum())} of {len(affected)} points met a derivative that is not finite, {reason}: those of kind "
        f"{TYPE_NAMES[PointType.SLIDING]!r} stopped because of it, and fixed points without a derivative have no "
        "stability",
        stacklevel=4,
    )
