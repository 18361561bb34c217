"""Residuals, half whose square is the objective of a search for slow points, with the derivatives of both."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from slowpoints.core.arrays import as_numbers
from slowpoints.dynamics.jacobian import jacobian
from slowpoints.networks.units.unit import Solver, solver

Map = Callable[[Tensor], Tensor]
"""From `[P, n]` to `[P, n]`, row by row, twice differentiable by PyTorch."""
BOUND_TOLERANCE = 1e-6  # relative; rounding in float32 may move a state this far beyond a bound
BACKWARD_COPIES = 8  # tensors of the size of its result that a backward pass holds, about
CHUNK_NUMBERS = 2**24  # held at once by the matrices of a chunk of points, or of rows of them


class Residual:
    """A residual of P points of n coordinates, each on its own; derivatives by automatic differentiation.

    Subclasses override `gradient`, `jacobian` and `hessian` where they have closed forms.

    Args:
        function: `[P, n]` to `[P, m]`, row by row, twice differentiable by PyTorch.
    """

    def __init__(self, function: Map):
        self.function = function

    @classmethod
    def of(cls, function: Map | Residual) -> Residual:
        """The residual of a function; a `Residual` is returned as is."""
        return function if isinstance(function, Residual) else cls(function)

    def __call__(self, states: Tensor) -> Tensor:
        return self.function(states)

    def of_rows(self, rows: Tensor, points: int) -> Residual:
        """The residual of a subset of the points.

        Subclasses override it where rows differ from one another, as those of different networks do.

        Args:
            rows: `[R]`, increasing.
            points: P, all of them.
        """
        return self

    @torch.no_grad()
    def objective(self, states: Tensor) -> Tensor:
        """Half the squared norm of the residual, `[P]`."""
        return self(states).square().sum(1) / 2

    def gradient(self, states: Tensor) -> Tensor:
        """Gradient of half the squared speed, `[P, n]`."""
        return self._gradient(states.detach().requires_grad_(), create_graph=False)

    def jacobian(self, states: Tensor) -> Tensor:
        """Derivatives of the residual, `[P, m, n]`; row i holds those of its coordinate i."""
        return jacobian(self, states)

    def newton(self, states: Tensor) -> Solver:
        """Newton's step to a zero of the residual, as a function of its values, `[P, n]` each.

        The linear systems are solved in float32, at half the cost: with values in float64 the method converges to
        zeros that are as exact, in more steps only where a Jacobian is nearly singular.

        Args:
            states: at which the residual is linearised, `[P, n]`.

        Returns:
            A function from values to steps, which are not finite where the Jacobian is singular.
        """
        solve = solver(self.jacobian(states).float())
        return lambda values: -solve(values.float()).to(values)

    def hessian(self, states: Tensor) -> Tensor:
        """Exact Hessian of half the squared speed of each point, `[P, n, n]`."""
        points, n = states.shape
        states = states.detach().requires_grad_()
        gradient = self._gradient(states, create_graph=True)
        if not gradient.requires_grad:
            return states.new_zeros(points, n, n)
        rows = max(1, CHUNK_NUMBERS // (BACKWARD_COPIES * points * n))
        identity = torch.eye(n, dtype=states.dtype, device=states.device)
        columns = [
            torch.autograd.grad(
                gradient,
                states,
                chunk[:, None].expand(-1, points, -1),
                retain_graph=True,
                is_grads_batched=True,
                materialize_grads=True,
            )[0]
            for chunk in identity.split(rows)
        ]
        hessian = torch.cat(columns).permute(1, 0, 2)
        return (hessian + hessian.mT) / 2

    def _gradient(self, states: Tensor, *, create_graph: bool) -> Tensor:
        with torch.enable_grad():
            objective = self(states).square().sum() / 2
            if not objective.requires_grad:  # a constant
                return torch.zeros_like(states)
            # Not `backward`, which would leave gradients in the caller's model.
            return torch.autograd.grad(objective, states, create_graph=create_graph, materialize_grads=True)[0]


class MapResidual(Residual):
    """The residual step(z) - z of a map.

    Args:
        step: `[P, n]` to `[P, n]`, row by row, twice differentiable by PyTorch.
    """

    def __init__(self, step: Map):
        self.step = step

    def __call__(self, states: Tensor) -> Tensor:
        return self.step(states) - states


def chunks(rows: Tensor, n: int) -> tuple[Tensor, ...]:
    """Rows split into chunks small enough for the matrices `[R, n, n]` of each to fit in memory."""
    return rows.split(max(1, CHUNK_NUMBERS // (BACKWARD_COPIES * n * n)))


def bounds_like(start: Tensor, lower: float | Tensor, upper: float | Tensor) -> tuple[Tensor, Tensor]:
    """Bounds `[P, n]` in float64, from numbers or tensors that broadcast to the start's shape.

    Raises:
        ValueError: if they are not numbers, do not broadcast, or a lower bound exceeds its upper bound.
    """
    low, high = (_bound(bound, name, start) for name, bound in (("lower", lower), ("upper", upper)))
    if (low > high).any():
        point, coordinate = (low > high).nonzero()[0].tolist()
        pair = f"{low[point, coordinate]:g} and {high[point, coordinate]:g} for coordinate {coordinate}"
        raise ValueError(f"lower and upper are {pair}: a lower bound must not exceed its upper bound")
    return low, high


def clamp_start(start: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """The start clamped to the bounds, with a warning if that moves it by more than rounding in float32."""
    if outside := count_beyond(start, low, high):
        warnings.warn(
            f"{outside} of {len(start)} starts lie beyond the bounds and were clamped to them; set lower and upper to "
            "search further out",
            stacklevel=4,  # the caller of a public function, through the modes in which it runs
        )
    return start.clamp(low, high)


def count_beyond(states: Tensor, low: Tensor, high: Tensor) -> int:
    """How many states `[P, n]` have a coordinate beyond bounds `[n]` or `[P, n]` by more than rounding in float32."""
    clamped = states.clamp(low, high)
    return int(((states - clamped).abs() > BOUND_TOLERANCE * (1 + clamped.abs())).any(1).sum())


def _bound(bound: Any, name: str, start: Tensor) -> Tensor:
    axes = bound.dim() if isinstance(bound, Tensor) else np.ndim(bound)
    values = as_numbers(bound if axes else [bound], name, finite=False)
    try:
        values = values.to(start.device).expand(start.shape)
    except RuntimeError:
        raise ValueError(
            f"{name} has the shape {tuple(values.shape)}; it must be a number, or broadcast to {tuple(start.shape)}"
        ) from None
    if values.isnan().any():
        raise ValueError(f"{name} is NaN for some coordinates")
    return values
