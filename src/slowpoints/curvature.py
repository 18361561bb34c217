"""Exact Hessians of half the squared speed in closed form, for the recurrent units that ship.

A unit's equations are elementwise but for the recurrent products, so its Hessian is a sum of few matrix products,
where automatic differentiation takes a backward pass for each coordinate. Tests hold them against it.

Shapes: S networks, B states of each, H hidden units, n = H, or 2 H for the LSTM. A matrix `[S, B, H, H]` has the
coordinate of h in its row and the unit that depends on it in its column, as the recurrent weights.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from slowpoints.cells import CELLS, State, tanh

Curvature = Callable[[list[Tensor], State, list[Tensor]], Tensor]
"""From drives, state and recurrent weights, as `Cell.step`, to the Hessian `[S, B, n, n]`."""


def gru_curvature(drive: list[Tensor], state: State, recurrent: list[Tensor]) -> Tensor:
    """Hessian of |z (n - h)|^2 / 2, half the squared speed of a GRU: `[S, B, H, H]`."""
    (h,) = state
    _, (gates, _, n) = CELLS["gru"].step(drive, state, recurrent)
    z, r = gates.chunk(2, dim=-1)
    u_z, u_r = (block[:, None] for block in recurrent[0].chunk(2, dim=-1))
    u_n = recurrent[1]
    z1, r1, n1 = z * (1 - z), r * (1 - r), 1 - n**2  # first derivatives
    z2, r2, n2 = z1 * (1 - 2 * z), r1 * (1 - 2 * r), -2 * n * n1  # second derivatives
    gap = n - h
    speed = z * gap
    # How n's input depends on h: through the reset state r h.
    inner = r[..., None] * u_n[:, None] + _product(_columns(u_r, r1 * h), u_n)
    jacobian = _columns(u_z, z1 * gap) + _columns(inner, z * n1) - torch.diag_embed(z)
    through_reset = torch.bmm(speed * z * n1, u_n.mT)  # weight of each reset state's own curvature
    hessian = jacobian @ jacobian.mT
    hessian += _columns(inner, speed * z * n2) @ inner.mT
    hessian += _product(_columns(u_z, speed * z2 * gap), u_z[:, 0].mT)
    hessian += _product(_columns(u_r, through_reset * r2 * h), u_r[:, 0].mT)
    mixed = _columns(u_z, speed * z1 * n1) @ inner.mT - _columns(u_z, speed * z1) + _columns(u_r, through_reset * r1)
    return hessian + mixed + mixed.mT


def lstm_curvature(drive: list[Tensor], state: State, recurrent: list[Tensor]) -> Tensor:
    """Hessian of (|h' - h|^2 + |tanh c' - tanh c|^2) / 2, half the squared speed of an LSTM: `[S, B, 2 H, 2 H]`."""
    h, c = state
    (h_new, _), (gates, g, squashed) = CELLS["lstm"].step(drive, state, recurrent)
    i, f, o = gates.chunk(3, dim=-1)
    i1, f1, o1, g1 = i * (1 - i), f * (1 - f), o * (1 - o), 1 - g**2
    e, before = 1 - squashed**2, tanh(c)
    e_before = 1 - before**2
    speed_h, speed_c = h_new - h, squashed - before
    none = torch.zeros_like(c)
    # Each unit by itself: derivatives in its five variables, the inputs of i, f, o, g and its own c.
    c_first = torch.stack([i1 * g, f1 * c, none, i * g1, f], dim=2)  # of c', [S, B, 5, H]
    of_o = torch.stack([none, none, o1, none, none], dim=2)
    h_first = o[:, :, None] * e[:, :, None] * c_first + of_o * squashed[:, :, None]
    tanh_first = e[:, :, None] * c_first
    residual_first = tanh_first.clone()
    residual_first[:, :, 4] -= e_before
    local = _outer(h_first, h_first) + _outer(residual_first, residual_first)
    through_c = speed_h * o + speed_c
    local += _outer(c_first, c_first) * (-2 * squashed * e * through_c)[:, :, None, None]
    mixed = _outer(of_o, tanh_first) * speed_h[:, :, None, None]
    local += mixed + mixed.transpose(2, 3)
    weight = through_c * e
    for (row, column), second in {
        (0, 0): weight * i1 * (1 - 2 * i) * g,
        (0, 3): weight * i1 * g1,
        (3, 0): weight * i1 * g1,
        (3, 3): weight * i * -2 * g * g1,
        (1, 1): weight * f1 * (1 - 2 * f) * c,
        (1, 4): weight * f1,
        (4, 1): weight * f1,
        (2, 2): speed_h * squashed * o1 * (1 - 2 * o),
        (4, 4): speed_c * 2 * before * e_before,
    }.items():
        local[:, :, row, column] += second
    # From a unit's variables to h and c: inputs of gates are products of h, and h' - h has h in it.
    u = [block[:, None] for block in recurrent[0].chunk(4, dim=-1)]
    hh = torch.diag_embed(torch.ones_like(h))
    hc = torch.diag_embed(-h_first[:, :, 4])
    for row in range(4):
        hh += _product(sum(_columns(u[other], local[:, :, other, row]) for other in range(4)), u[row][:, 0].mT)
        straight = _columns(u[row], h_first[:, :, row])
        hh -= straight + straight.mT
        hc += _columns(u[row], local[:, :, row, 4])
    return torch.cat([torch.cat([hh, hc], -1), torch.cat([hc.mT, torch.diag_embed(local[:, :, 4, 4])], -1)], -2)


CURVATURES: dict[str, Curvature] = {"gru": gru_curvature, "lstm": lstm_curvature}
"""By name of the recurrent unit; units that are not here are differentiated automatically."""


def _columns(matrix: Tensor, scale: Tensor) -> Tensor:
    """A matrix `[S, B or 1, H, H]` with its columns scaled by `[S, B, H]`."""
    return matrix * scale[..., None, :]


def _product(matrices: Tensor, weights: Tensor) -> Tensor:
    """Matrices `[S, B, H, H]` times each network's own `[S, H, H]`, as one product a network."""
    return torch.bmm(matrices.flatten(1, 2), weights).view(matrices.shape)


def _outer(first: Tensor, second: Tensor) -> Tensor:
    """`[S, B, 5, 5, H]` of two `[S, B, 5, H]`."""
    return first[:, :, :, None] * second[:, :, None]
