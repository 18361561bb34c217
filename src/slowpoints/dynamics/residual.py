"""What a search for slow points makes small: a residual, with the derivatives of half its square."""

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
"""From `[P, n]` to `[P, n]`, row by row, differentiable twice by PyTorch."""
OUTSIDE = 1e-6  # by how much a state may lie beyond a bound: rounding in float32 moves it as far
HELD = 8  # tensors of this size that a backward pass holds, about
HESSIAN_NUMBERS = 2**24  # numbers that all matrices of a block of points, or rows of them, may have at once


class Residual:
    """A residual of P points of n coordinates, each on its own; derivatives by automatic differentiation.

    A subclass that knows them in closed form says so in `gradient`, `jacobian` and `hessian`.

    Args:
        function: `[P, n]` to `[P, m]`, row by row, differentiable twice by PyTorch.
    """

    def __init__(self, function: Map):
        self.function = function

    @classmethod
    def of(cls, function: Map | Residual) -> Residual:
        """A function with derivatives by automatic differentiation; a residual that knows its own, as it is."""
        return function if isinstance(function, Residual) else cls(function)

    def __call__(self, states: Tensor) -> Tensor:
        return self.function(states)

    def of_rows(self, rows: Tensor, points: int) -> Residual:
        """The residual for some rows of the points alone.

        A function takes any number of rows; a subclass whose rows differ from one another says here how.

        Args:
            rows: `[R]`, increasing.
            points: P, all of them.
        """
        return self

    @torch.no_grad()
    def half_square(self, states: Tensor) -> Tensor:
        """Half the squared speed, `[P]`."""
        return self(states).square().sum(1) / 2

    def gradient(self, states: Tensor) -> Tensor:
        """Gradient of half the squared speed, `[P, n]`."""
        return self._gradient(states.detach().requires_grad_(), create_graph=False)

    def jacobian(self, states: Tensor) -> Tensor:
        """Derivatives of the residual, `[P, m, n]`; row i holds those of its coordinate i."""
        return jacobian(self, states)

    def newton(self, states: Tensor) -> Solver:
        """Newton's step to a zero of the residual, from its values, `[P, n]` each.

        In float32, at half the price: as long as the values are those in float64, the zero that steps come to is as
        exact, and only where a Jacobian is nearly singular do they take longer.

        Args:
            states: where the residual is taken to be affine, `[P, n]`.

        Returns:
            A function that gives changes of the states, not finite where there are none.
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
        rows = max(1, HESSIAN_NUMBERS // (HELD * points * n))
        identity = torch.eye(n, dtype=states.dtype, device=states.device)
        blocks = [
            torch.autograd.grad(
                gradient,
                states,
                some[:, None].expand(-1, points, -1),
                retain_graph=True,
                is_grads_batched=True,
                materialize_grads=True,
            )[0]
            for some in identity.split(rows)
        ]
        hessian = torch.cat(blocks).permute(1, 0, 2)
        return (hessian + hessian.mT) / 2

    def _gradient(self, states: Tensor, *, create_graph: bool) -> Tensor:
        with torch.enable_grad():
            half_square = self(states).square().sum() / 2
            if not half_square.requires_grad:  # a constant
                return torch.zeros_like(states)
            # Not `backward`, which would leave gradients in the caller's model.
            return torch.autograd.grad(half_square, states, create_graph=create_graph, materialize_grads=True)[0]


class MapResidual(Residual):
    """step(z) - z of a map.

    Args:
        step: `[P, n]` to `[P, n]`, row by row, differentiable twice by PyTorch.
    """

    def __init__(self, step: Map):
        self.step = step

    def __call__(self, states: Tensor) -> Tensor:
        return self.step(states) - states


def blocks(rows: Tensor, n: int) -> tuple[Tensor, ...]:
    """Rows in as many blocks as it takes for the matrices `[R, n, n]` of each to fit in memory."""
    return rows.split(max(1, HESSIAN_NUMBERS // (HELD * n * n)))


def bounds_like(start: Tensor, lower: float | Tensor, upper: float | Tensor) -> tuple[Tensor, Tensor]:
    """Bounds `[P, n]` in float64, from numbers or tensors that broadcast to the start's shape.

    Raises:
        ValueError: if they are no numbers, do not fit the start, or cross.
    """
    low, high = (_bound(bound, name, start) for name, bound in (("lower", lower), ("upper", upper)))
    if (low > high).any():
        point, coordinate = (low > high).nonzero()[0].tolist()
        at = f"{low[point, coordinate]:g} and {high[point, coordinate]:g} for coordinate {coordinate}"
        raise ValueError(f"lower and upper are {at}: a lower bound lies above its upper bound")
    return low, high


def put_within(start: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """The start on the bounds where it lies beyond, with a warning if that is more than rounding in float32."""
    put = start.clamp(low, high)
    outside = int(((start - put).abs() > OUTSIDE * (1 + put.abs())).any(1).sum())
    if outside:
        warnings.warn(
            f"{outside} of {len(start)} starts lie beyond the bounds, and were put there; lower and upper say how far "
            "states may go",
            stacklevel=4,  # the caller of a public function, through the modes in which it runs
        )
    return put


def _bound(bound: Any, name: str, start: Tensor) -> Tensor:
    axes = bound.dim() if isinstance(bound, Tensor) else np.ndim(bound)
    given = as_numbers(bound if axes else [bound], name, finite=False)
    try:
        given = given.to(start.device).expand(start.shape)
    except RuntimeError:
        raise ValueError(
            f"{name} has the shape {tuple(given.shape)}; it must be a number, or fit states {tuple(start.shape)}"
        ) from None
    if given.isnan().any():
        raise ValueError(f"{name} is no number (NaN) for some coordinates")
    return given
