"""The recurrently neuromodulated bistable recurrent cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import Unit, gate_weights, join, scale_columns, tanh, times_weights

if TYPE_CHECKING:
    from torch import Tensor


class NBRC(Unit):
    """Neuromodulated bistable recurrent cell: a BRC whose gates see all units.

    a = 1 + tanh(W x + U h + b), c = sigmoid(W x + U h + b), n = tanh(W x + b + a h), h' = c h + (1 - c) n (Vecoven,
    Ernst & Drion 2021; the bias of n is ours).
    """

    name = "nbrc"
    look = Look("nBRC", marker=">")
    gate_groups = (2, 1)  # (a, c) multiply h, what the input adds to n
    groups_without_recurrence = (1,)
    parts = 1

    def step(self, drive, state, recurrent):
        (h,) = state
        a, c = drive[0].baddbmm(h, recurrent[0]).chunk(2, dim=-1)
        t, c = tanh(a), c.sigmoid()
        n = tanh(drive[1].addcmul(1 + t, h))
        return (n.lerp(h, c),), (t, c, n)

    def adjoint(self, grad, state, saved, recurrent):
        (grad_h,), (h,), (t, c, n) = grad, state, saved
        stay = grad_h * c
        through_n = grad_h - stay
        grad_n = through_n.addcmul(through_n * n, n, value=-1)
        grad_gates = join(grad_n * h * (1 - t**2), through_n * c * (h - n))
        before = (stay + grad_n * (1 + t)).baddbmm(grad_gates, recurrent[0].mT)
        return (before,), [(h, grad_gates), (None, grad_n)]

    def jacobian(self, drive, state, recurrent):
        _, saved = self.step(drive, state, recurrent)
        return _slopes(recurrent, state[0], saved, _inner(recurrent, state[0], saved[0])).mT

    def hessian(self, drive, state, recurrent):
        (h,) = state
        _, saved = self.step(drive, state, recurrent)
        t, c, n = saved
        u_a, u_c = gate_weights(recurrent, 2)
        a1, c1, n1 = 1 - t**2, c * (1 - c), 1 - n**2  # first derivatives
        a2, c2, n2 = -2 * t * a1, c1 * (1 - 2 * c), -2 * n * n1  # second derivatives
        fresh, gap = 1 - c, n - h
        speed = fresh * gap
        inner = _inner(recurrent, h, t)
        slopes = _slopes(recurrent, h, saved, inner)
        through_n = speed * fresh * n1  # weight of the curvature of n's input
        hessian = slopes @ slopes.mT
        hessian += scale_columns(inner, speed * fresh * n2) @ inner.mT
        hessian += times_weights(scale_columns(u_a, through_n * a2 * h), u_a[:, 0].mT)
        hessian -= times_weights(scale_columns(u_c, speed * c2 * gap), u_c[:, 0].mT)
        mixed = scale_columns(u_a, through_n * a1) + scale_columns(u_c, speed * c1)
        mixed = mixed - scale_columns(u_c, speed * c1 * n1) @ inner.mT
        return hessian + mixed + mixed.mT


def _inner(recurrent: list[Tensor], h: Tensor, t: Tensor) -> Tensor:
    """How n's input depends on h: through a h, `[S, B, H, H]`."""
    return (1 + t).diag_embed() + scale_columns(gate_weights(recurrent, 2)[0], (1 - t**2) * h)


def _slopes(recurrent: list[Tensor], h: Tensor, saved: tuple[Tensor, ...], inner: Tensor) -> Tensor:
    """How h' - h depends on h, a column a coordinate of h', `[S, B, H, H]`."""
    _, c, n = saved
    through_c = scale_columns(gate_weights(recurrent, 2)[1], c * (1 - c) * (n - h))
    return scale_columns(inner, (1 - c) * (1 - n**2)) - through_c - (1 - c).diag_embed()
