"""Jacobian of the autonomous dynamics at slow points, and its eigenvalues."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def jacobian(step: Callable[[Tensor], Tensor], states: Tensor) -> Tensor:
    """Derivative of a map that works row by row.

    Args:
        step: `[P, n]` to `[P, n]`.
        states: `[P, n]`.

    Returns:
        `[P, n, n]`; row i holds the derivatives of coordinate i.
    """
    states = states.detach().requires_grad_()
    with torch.enable_grad():
        after = step(states)
    identity = torch.eye(states.shape[1], dtype=states.dtype, device=states.device)
    select = identity[:, None].expand(-1, len(states), -1)
    return torch.autograd.grad(after, states, select, is_grads_batched=True)[0].permute(1, 0, 2)


def spectra(step: Callable[[Tensor], Tensor], states: Tensor) -> Tensor:
    """Eigenvalues of the Jacobian at each state, `[P, n]` complex, largest absolute value first."""
    return eigenvalues(jacobian(step, states))


def eigenvalues(matrices: Tensor) -> Tensor:
    """Those of each matrix, `[P, n]` complex, largest absolute value first."""
    values = torch.linalg.eigvals(matrices)
    return values.gather(1, values.abs().argsort(dim=1, descending=True, stable=True))


def unstable_directions(matrix: Tensor) -> Tensor:
    """Directions in which a point comes apart, `[k, n]` of unit length: of each eigenvalue beyond 1, largest first.

    A complex pair gives two, the axes of the ellipse on which it turns, the longer first.

    Args:
        matrix: Jacobian at the point, `[n, n]`.
    """
    values, vectors = torch.linalg.eig(matrix)
    order = values.abs().argsort(descending=True, stable=True)
    growing = [place for place in order.tolist() if values[place].abs() > 1 and values[place].imag >= 0]
    found = [matrix.new_empty(0, len(matrix))]
    for place in growing:
        turning = bool(values[place].imag > 0)
        plane = torch.view_as_real(vectors[:, place])  # real and imaginary part, of any common phase
        found.append(torch.linalg.svd(plane, full_matrices=False).U.T[: 1 + turning])
    return torch.cat(found)


def time_constant(leading: Tensor) -> Tensor:
    """Frames in which the slowest direction decays, or grows where `leading` exceeds 1, by a factor e."""
    return 1 / leading.log().abs()
