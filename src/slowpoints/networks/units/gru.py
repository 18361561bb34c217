"""The GRU of the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import Kernels, Unit, gated_slopes, join, scale_columns, tanh, times_weights

if TYPE_CHECKING:
    from torch import Tensor


class GRU(Unit):
    """Gated recurrent unit with the reset gate before the recurrent product.

    z, r = sigmoid(W x + U h + b), n = tanh(W x + U (r h) + b), h' = (1 - z) h + z n (Cho et al. 2014, as in the
    authors' code). `torch.nn.GRU` resets after the product: a different network.
    """

    name = "gru"
    look = Look("GRU", marker="o")
    gate_groups = (2, 1)  # (z, r) multiply h, n multiplies r * h
    parts = 1

    def step(self, drive, state, recurrent):
        (h,) = state
        gates = drive[0].baddbmm(h, recurrent[0]).sigmoid()
        z, r = gates.chunk(2, dim=-1)
        reset = r * h
        n = tanh(drive[1].baddbmm(reset, recurrent[1]))
        return (h.lerp(n, z),), (gates, reset, n)

    def adjoint(self, grad, state, saved, recurrent):
        (grad_h,), (h,), (gates, reset, n) = grad, state, saved
        z, r = gates.chunk(2, dim=-1)
        through_n = grad_h * z
        grad_n = through_n.addcmul(through_n * n, n, value=-1)
        grad_reset = grad_n.bmm(recurrent[1].mT)
        through_r = grad_reset * r
        stay = grad_h - through_n
        grad_gates = join(stay * z * (n - h), through_r.addcmul(through_r, r, value=-1) * h)
        before = (stay + through_r).baddbmm(grad_gates, recurrent[0].mT)
        return (before,), [(h, grad_gates), (reset, grad_n)]

    def kernels(self):
        from slowpoints.networks.recurrence.kernels.gru import backward, forward  # Numba takes half a second to import

        return Kernels(forward, backward, saved=(2, 1, 1))

    def jacobian(self, drive, state, recurrent):
        (h,) = state
        _, (gates, _, n) = self.step(drive, state, recurrent)
        z, r = gates.chunk(2, dim=-1)
        return gated_slopes(recurrent, z, n, n - h, _inner(recurrent, r, h)).mT

    def hessian(self, drive, state, recurrent):
        (h,) = state
        _, (gates, _, n) = self.step(drive, state, recurrent)
        z, r = gates.chunk(2, dim=-1)
        u_z, u_r = (gate[:, None] for gate in recurrent[0].chunk(2, dim=-1))
        u_n = recurrent[1]
        z1, r1, n1 = z * (1 - z), r * (1 - r), 1 - n**2  # first derivatives
        z2, r2, n2 = z1 * (1 - 2 * z), r1 * (1 - 2 * r), -2 * n * n1  # second derivatives
        gap = n - h
        speed = z * gap
        inner = _inner(recurrent, r, h)
        slopes = gated_slopes(recurrent, z, n, gap, inner)
        through_reset = (speed * z * n1).bmm(u_n.mT)  # weight of each reset state's own curvature
        hessian = slopes @ slopes.mT
        hessian += scale_columns(inner, speed * z * n2) @ inner.mT
        hessian += times_weights(scale_columns(u_z, speed * z2 * gap), u_z[:, 0].mT)
        hessian += times_weights(scale_columns(u_r, through_reset * r2 * h), u_r[:, 0].mT)
        mixed = scale_columns(u_z, speed * z1 * n1) @ inner.mT
        mixed = mixed - scale_columns(u_z, speed * z1) + scale_columns(u_r, through_reset * r1)
        return hessian + mixed + mixed.mT


def _inner(recurrent: list[Tensor], r: Tensor, h: Tensor) -> Tensor:
    """Derivatives of n's input with respect to h, through the reset state r h, `[S, B, H, H]`."""
    u_r = recurrent[0][:, None, :, r.shape[-1] :]
    return r[..., None] * recurrent[1][:, None] + times_weights(scale_columns(u_r, r * (1 - r) * h), recurrent[1])
