"""The authors' search for slow points: Adam on the squared speed, for a fixed number of steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from slowpoints.core.adam import adam_step
from slowpoints.core.progress import report_stage
from slowpoints.dynamics.residual import Map, Residual, bounds_like


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
    """The authors' descent: Adam on speed^2, the state clamped to the bounds after each step.

    Args:
        residual: `[P, n]` to `[P, n]`; a `Residual` may have derivatives in closed form.
        start: `[P, n]`. Not changed.
        lower: as for `find_slow_points`.
        upper: likewise.
        steps: Adam steps.
        rate: learning rate.
        drop_at: share of the steps after which the learning rate falls to a tenth (authors' code).
        note_at: numbers of steps after which to record the speed.

    Returns:
        The final states, and the speed `[P]` after each number of steps in `note_at` that was reached.
    """
    residual = Residual.of(residual)
    lower, upper = bounds_like(start, lower, upper)
    state = start.detach().double().clone()
    mean, square, noted = torch.zeros_like(state), torch.zeros_like(state), {}
    with report_stage("descent", steps, bar=True) as progress:
        for step in range(steps):
            if step in note_at:
                noted[step] = residual(state).norm(dim=-1)
            gradient = 2 * residual.gradient(state)
            adam_step(state, gradient, mean, square, step + 1, rate if step < drop_at * steps else rate / 10)
            torch.clamp(state, lower, upper, out=state)
            progress.update()
    if steps in note_at:
        noted[steps] = residual(state).norm(dim=-1)
    return state, noted
