"""The update-gate unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import Unit, gate_weights, join, scale_columns, tanh, times_weights

if TYPE_CHECKING:
    from torch import Tensor


class UGRNN(Unit):
    """Update-gate recurrent unit: a single gate between the old state and the new one.

    z = sigmoid(W x + U h + b), n = tanh(W x + U h + b), h' = z h + (1 - z) n (Collins, Sohl-Dickstein & Sussillo
    2017). As there, an open gate keeps the state; the offset of its bias is left out, as that of the LSTM is.
    """

    name = "ugrnn"
    look = Look("UGRNN", marker="v")
    gate_groups = (2,)  # (z, n), both multiply h
    parts = 1

    def step(self, drive, state, recurrent):
        (h,) = state
        z, n = drive[0].baddbmm(h, recurrent[0]).chunk(2, dim=-1)
        z, n = z.sigmoid(), tanh(n)
        return (n.lerp(h, z),), (z, n)

    def adjoint(self, grad, state, saved, recurrent):
        (grad_h,), (h,), (z, n) = grad, state, saved
        stay = grad_h * z
        through_n = grad_h - stay
        grad_pre = join(through_n * z * (h - n), through_n.addcmul(through_n * n, n, value=-1))
        return (stay.baddbmm(grad_pre, recurrent[0].mT),), [(h, grad_pre)]

    def jacobian(self, drive, state, recurrent):
        (h,) = state
        _, (z, n) = self.step(drive, state, recurrent)
        return _slopes(recurrent, z, n, n - h).mT

    def hessian(self, drive, state, recurrent):
        (h,) = state
        _, (z, n) = self.step(drive, state, recurrent)
        u_z, u_n = gate_weights(recurrent, 2)
        z1, n1 = z * (1 - z), 1 - n**2  # first derivatives
        z2, n2 = z1 * (1 - 2 * z), -2 * n * n1  # second derivatives
        fresh, gap = 1 - z, n - h
        speed = fresh * gap
        slopes = _slopes(recurrent, z, n, gap)
        hessian = slopes @ slopes.mT
        hessian += times_weights(scale_columns(u_n, speed * fresh * n2), u_n[:, 0].mT)
        hessian -= times_weights(scale_columns(u_z, speed * z2 * gap), u_z[:, 0].mT)
        mixed = scale_columns(u_z, speed * z1) - times_weights(scale_columns(u_z, speed * z1 * n1), u_n[:, 0].mT)
        return hessian + mixed + mixed.mT


def _slopes(recurrent: list[Tensor], z: Tensor, n: Tensor, gap: Tensor) -> Tensor:
    """Derivatives of h' - h with respect to h, a column for each coordinate of h', `[S, B, H, H]`."""
    u_z, u_n = gate_weights(recurrent, 2)
    fresh = 1 - z
    return scale_columns(u_n, fresh * (1 - n**2)) - scale_columns(u_z, z * fresh * gap) - fresh.diag_embed()
