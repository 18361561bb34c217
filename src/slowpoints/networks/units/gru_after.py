"""The GRU of `torch.nn.GRU` and cuDNN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import Unit, gated_slopes, join, scale_columns, tanh, times_weights

if TYPE_CHECKING:
    from torch import Tensor


class GRUAfter(Unit):
    """Gated recurrent unit with the reset gate after the recurrent product.

    z, r = sigmoid(W x + U h + b), m = U h + b, n = tanh(W x + b + r m), h' = (1 - z) h + z n (Cho et al. 2014, version
    1 of the preprint; `torch.nn.GRU`, whose update gate is 1 - z). All but the order of reset and product is as in
    `gru`.
    """

    name = "gru-after"
    look = Look("GRU, reset after", marker="P")
    gate_groups = (2, 1, 1)  # (z, r), what the input adds to n, m
    groups_without_input = (2,)
    groups_without_recurrence = (1,)
    parts = 1

    def step(self, drive, state, recurrent):
        (h,) = state
        gates = drive[0].baddbmm(h, recurrent[0]).sigmoid()
        z, r = gates.chunk(2, dim=-1)
        m = drive[2].baddbmm(h, recurrent[2])
        n = tanh(drive[1].addcmul(r, m))
        return (h.lerp(n, z),), (gates, m, n)

    def adjoint(self, grad, state, saved, recurrent):
        (grad_h,), (h,), (gates, m, n) = grad, state, saved
        z, r = gates.chunk(2, dim=-1)
        through_n = grad_h * z
        grad_n = through_n.addcmul(through_n * n, n, value=-1)
        grad_m = grad_n * r
        stay = grad_h - through_n
        grad_gates = join(stay * z * (n - h), grad_m.addcmul(grad_m, r, value=-1) * m)
        before = stay.baddbmm(grad_gates, recurrent[0].mT).baddbmm(grad_m, recurrent[2].mT)
        return (before,), [(h, grad_gates), (None, grad_n), (h, grad_m)]

    def jacobian(self, drive, state, recurrent):
        (h,) = state
        _, (gates, m, n) = self.step(drive, state, recurrent)
        z, r = gates.chunk(2, dim=-1)
        return gated_slopes(recurrent, z, n, n - h, _inner(recurrent, r, m)).mT

    def hessian(self, drive, state, recurrent):
        (h,) = state
        _, (gates, m, n) = self.step(drive, state, recurrent)
        z, r = gates.chunk(2, dim=-1)
        u_z, u_r = (gate[:, None] for gate in recurrent[0].chunk(2, dim=-1))
        z1, r1, n1 = z * (1 - z), r * (1 - r), 1 - n**2  # first derivatives
        z2, r2, n2 = z1 * (1 - 2 * z), r1 * (1 - 2 * r), -2 * n * n1  # second derivatives
        gap = n - h
        speed = z * gap
        inner = _inner(recurrent, r, m)
        slopes = gated_slopes(recurrent, z, n, gap, inner)
        through_n = speed * z * n1  # weight of the curvature of n's input
        hessian = slopes @ slopes.mT
        hessian += scale_columns(inner, speed * z * n2) @ inner.mT
        hessian += times_weights(scale_columns(u_z, speed * z2 * gap), u_z[:, 0].mT)
        hessian += times_weights(scale_columns(u_r, through_n * r2 * m), u_r[:, 0].mT)
        mixed = scale_columns(u_z, speed * z1 * n1) @ inner.mT - scale_columns(u_z, speed * z1)
        mixed = mixed + times_weights(scale_columns(u_r, through_n * r1), recurrent[2].mT)
        return hessian + mixed + mixed.mT


def _inner(recurrent: list[Tensor], r: Tensor, m: Tensor) -> Tensor:
    """Derivatives of n's input with respect to h, through r m, `[S, B, H, H]`."""
    u_r = recurrent[0][:, None, :, r.shape[-1] :]
    return scale_columns(recurrent[2][:, None], r) + scale_columns(u_r, r * (1 - r) * m)
