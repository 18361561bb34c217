"""Search for slow points of any differentiable map: states that it moves least.

A bounded Newton search that goes to a minimum and says what it found. Each of P points of n coordinates is treated on
its own, all at once, in float64. `dynamics.descent` has the authors' descent.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from slowpoints.core.arguments import finite, whole
from slowpoints.core.arrays import Array
from slowpoints.core.progress import report_stage
from slowpoints.core.torch_modes import usual_modes
from slowpoints.dynamics.checks import ROW_BY_ROW, CheckedResidual, checked_residual, checked_rows, dynamics_of
from slowpoints.dynamics.kinds import FIXED_POINT, KINDS, MINIMUM
from slowpoints.dynamics.maps import CheckedMap
from slowpoints.dynamics.newton import LONGEST, NewtonWalk
from slowpoints.dynamics.residual import Map, Residual, bounds_like, put_within

log = logging.getLogger(__name__)
LOGGED_EVERY = 10  # iterations
NEWTON_EVERY = 2  # iterations after which points that still walk try Newton's method again


@dataclass(frozen=True)
class SlowPoints:
    """Points in the order given; everything belongs to one and the same iterate, the best of the search.

    Attributes:
        state: `[P, n]`.
        speed: |residual| there, `[P]`.
        projected_gradient: norm of the gradient of speed^2 / 2 projected on the bounds, `[P]`.
        converged: whether the search came to a fixed point or minimum, `[P]`.
        iterations: Hessians from which a step was taken, `[P]`.
        kind: `[P]`: "fixed point" (no speed but for rounding, |residual| <= 1000 epsilon (1 + |z|)), "minimum" of the
            speed within the bounds, "saddle" (the gradient has vanished, yet no way down was found), or "sliding": the
            iterations came to an end, or no step lowered the speed any more, before the gradient had vanished.
    """

    state: Tensor
    speed: Tensor
    projected_gradient: Tensor
    converged: Tensor
    iterations: Tensor
    kind: np.ndarray


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
    excursion: int = LONGEST,
) -> SlowPoints:
    """Minimises speed^2 / 2, half the squared residual, of each point within bounds.

    Damped Newton steps with the exact Hessian, each the minimum of its quadratic model within the bounds, and free to
    leave the floor of a curved valley for a few steps (`dynamics.bounded`, `dynamics.newton`). Points that are done
    cost no more work. `dynamics.kinds` says when a point is done, and of which kind it is.

    Args:
        step: the map, on any number of rows, each on its own (or `Dynamics.step`); its residual is step(z) - z. Not
            used where another is given, but to relax.
        start: `[P, n]`; put on the bounds where it lies outside, with a warning. Not changed.
        lower: least value of each coordinate: a number or a tensor that broadcasts to `[P, n]`; may be infinite.
        upper: greatest value, likewise.
        residual: another residual in place of step(z) - z, as an LSTM's with tanh of the cell state; a `Residual`
            may know its derivatives in closed form.
        tolerance: projected gradient at which one has vanished.
        max_iterations: Hessians after which the search stops.
        relax: frames for which the map runs first, put back on the bounds after each: to an attractor, where there is
            one, for the price of a few Hessians. A slow point that repels is left for another.
        newton: iterations of Newton's method for a fixed point, which points try at their start and at times on the
            way (`dynamics.roots`): where most have one near, attractor or saddle, this finds it at a fraction of the
            price. A point that comes to none goes on from where it was; one may pass a slow point that is nearer.
        excursion: steps for which a point may leave its valley's floor. With 0 no step raises the speed: slower, but
            the point stays in the valley where it began, as one that is followed from map to map should.

    Returns:
        The points, with the speed and gradient of the very states returned.

    Warns:
        UserWarning: if starts lie beyond the bounds, or some points met a derivative that is not finite; a point that
            stands where there is none has no projected gradient (NaN).

    Raises:
        ValueError: if start, bounds or settings are impossible, the residual is not finite at the start, nor its
            derivative at any, or depends on a row's neighbours, or there is neither map nor residual, or no map to
            relax with.
        TypeError: if the map or residual is none, gives other values at another call (noise, dropout), computes with
            less than float64, or its derivatives by PyTorch are not those of its values.
    """
    tolerance = finite(tolerance, "tolerance", least=0)
    max_iterations, relax = whole(max_iterations, "max_iterations"), whole(relax, "relax")
    newton, excursion = whole(newton, "newton"), whole(excursion, "excursion")
    begin = checked_rows(start, "start", dynamics_of(step if residual is None else residual))
    low, high = bounds_like(begin, lower, upper)
    state = put_within(begin, low, high)
    if step is not None and dynamics_of(step) is None and not isinstance(step, CheckedMap):
        step = CheckedMap(step)
    if relax:
        if step is None:
            raise ValueError("a map is needed to relax with")
        state = _relaxed(step, state, low, high, relax)
    residual = checked_residual(step, residual)
    if isinstance(residual, CheckedResidual):
        residual.check(state, newton=newton > 0)
    else:
        _check_rows(residual, state)
    walk = NewtonWalk(residual, state, low, high, tolerance, excursion)
    with report_stage("deep search", max_iterations, unit="iteration", at_most=True) as progress:
        for iteration in range(max_iterations):
            if not len(walk.rows):
                break
            if newton and iteration % NEWTON_EVERY == 0:
                walk.try_to_rest(newton)
            walk.look()
            walk.advance()
            if iteration % LOGGED_EVERY == 0:
                log.info("deep search, iteration %d: median speed %.3g", iteration, walk.best.speed.median())
            progress.update()
    walk.finish()
    best, kinds = walk.best, walk.kinds.cpu()
    if isinstance(residual, CheckedResidual):
        residual.check_after(best.state, best.speed)
    _tell_of_derivatives(walk)
    return SlowPoints(
        best.state, best.speed, best.projected, walk.kinds >= MINIMUM, walk.iterations, KINDS[kinds.numpy()]
    )


@torch.no_grad()
def _check_rows(residual: Residual, state: Tensor) -> None:
    """Refuses a residual that gives the first or last row another value without the others, as the search will ask."""
    points, together = len(state), residual(state)
    for row in {0, points - 1} if points > 1 else ():
        try:
            alone = residual.of_rows(torch.tensor([row], device=state.device), points)(state[row : row + 1])[0]
        except RuntimeError as error:
            raise ValueError(ROW_BY_ROW) from error
        if not torch.allclose(
            alone, together[row], rtol=1e-4, atol=1e-6, equal_nan=True
        ):  # float32 may round otherwise
            raise ValueError(ROW_BY_ROW)


@torch.no_grad()
def _relaxed(step: Map, state: Tensor, lower: Tensor, upper: Tensor, frames: int) -> Tensor:
    """Where the map leads in so many frames, `[P, n]`."""
    for _ in range(frames):
        state = step(state).clamp(lower, upper)
    return state


def _tell_of_derivatives(walk: NewtonWalk) -> None:
    """Warns of points whose search met a derivative that is not finite, or refuses if no start has a finite one."""
    resting = walk.kinds == FIXED_POINT
    nowhere = walk.best.projected.isnan()
    told = nowhere | (walk.rough & (walk.kinds < MINIMUM))
    if not told.any():
        return
    reason = "as of a square root or a norm at 0, also in the branch that torch.where leaves out"
    if (nowhere & ~resting).all():
        raise ValueError(f"the derivative of the residual is not finite at any of {len(told)} starts, {reason}")
    warnings.warn(
        f"{int(told.sum())} of {len(told)} points met a derivative that is not finite, {reason}: those that are "
        f"{KINDS[0]} went no further because of it, and fixed points where there is none have no stability",
        stacklevel=4,
    )
