"""The authors' search for slow points: Adam on the squared speed, for a given number of steps."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import torch
from torch import Tensor
from tqdm import tqdm

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
    residual = Residual.of(residual)
    lower, upper = bounds_like(start, lower, upper)
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
