"""Jacobian of the autonomous dynamics at slow points, and its eigenvalues."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from slowpoints.core.torch_modes import usual_modes


def jacobian(step: Callable[[Tensor], Tensor], states: Tensor) -> Tensor:
    """Derivative of a map that works row by row.

    Args:
        step: `[P, n]` to `[P, m]`.
        states: `[P, n]`.

    Returns:
        `[P, m, n]`; row i holds the derivatives of coordinate i.
    """
    states = states.detach().requires_grad_()
    with torch.enable_grad():
        after = step(states)
    if not after.requires_grad:  # a constant
        return states.new_zeros(*after.shape, states.shape[1])
    identity = torch.eye(after.shape[1], dtype=states.dtype, device=states.device)
    select = identity[:, None].expand(-1, len(states), -1)
    gradients = torch.autograd.grad(after, states, select, is_grads_batched=True, materialize_grads=True)
    return gradients[0].permute(1, 0, 2)


@usual_modes()
def spectra(step: Callable[[Tensor], Tensor], states: Tensor) -> Tensor:
    """Eigenvalues of the Jacobian at each state, `[P, n]` complex, largest absolute value first.

    Args:
        step: `[P, n]` to `[P, n]`, row by row (or `Dynamics.step`).
        states: `[P, n]`.

    Returns:
        NaN where the Jacobian is not finite.

    Raises:
        ValueError: if the states are not finite numbers of that shape, or rows depend on each other.
        TypeError: if `step` is not a map of states, or its derivative by PyTorch is not that of its values.
    """
    from slowpoints.dynamics.checks import checked_step  # which itself imports `jacobian`

    return eigenvalues(jacobian(*checked_step(step, states)))


def eigenvalues(matrices: Tensor) -> Tensor:
    """Eigenvalues of each matrix, `[P, n]` complex, largest absolute value first; NaN where a matrix is not finite."""
    finite = matrices.isfinite().flatten(1).all(1)
    if not finite.all():  # such matrices make some builds of LAPACK abort
        values = torch.full(matrices.shape[:2], torch.nan, dtype=matrices.dtype.to_complex(), device=matrices.device)
        values[finite] = eigenvalues(matrices[finite])
        return values
    values = torch.linalg.eigvals(matrices)
    return values.gather(1, values.abs().argsort(dim=1, descending=True, stable=True))


def unstable_directions(matrix: Tensor) -> Tensor:
    """Unit vectors `[k, n]` along the unstable directions of a point: eigenvalues beyond 1, largest first.

    A complex pair gives two, the axes of the ellipse on which it rotates, the longer first.

    Args:
        matrix: Jacobian at the point, `[n, n]`; one that is not finite has no known directions.
    """
    if not matrix.isfinite().all():
        return matrix.new_empty(0, len(matrix))
    values, vectors = torch.linalg.eig(matrix)
    order = values.abs().argsort(descending=True, stable=True)
    unstable = [index for index in order.tolist() if values[index].abs() > 1 and values[index].imag >= 0]
    directions = [matrix.new_empty(0, len(matrix))]
    for index in unstable:
        rotates = bool(values[index].imag > 0)
        plane = torch.view_as_real(vectors[:, index])  # real and imaginary part, at an arbitrary phase
        directions.append(torch.linalg.svd(plane, full_matrices=False).U.T[: 1 + rotates])
    return torch.cat(directions)


def time_constant(leading: Tensor) -> Tensor:
    """Frames in which the slowest direction decays, or grows where `leading` exceeds 1, by a factor e."""
    return 1 / leading.log().abs()
