"""The bistable recurrent cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import Unit, join, tanh

if TYPE_CHECKING:
    from torch import Tensor


class BRC(Unit):
    """Bistable recurrent cell: each unit sees the input and its own state alone.

    a = 1 + tanh(W x + w h + b), c = sigmoid(W x + w h + b), n = tanh(W x + b + a h), h' = c h + (1 - c) n (Vecoven,
    Ernst & Drion 2021), with a weight w for each unit where other units have a matrix, and products unit by unit. A
    unit with a > 1 has two stable states. As in the authors' code, w starts at 1: it is 1 + a bias. The bias of n is
    ours.
    """

    name = "brc"
    look = Look("BRC", marker="<")
    gate_groups = (3, 2)  # (a, c, n), w of a and c
    groups_without_input = (1,)
    groups_without_recurrence = (0, 1)
    parts = 1

    def step(self, drive, state, recurrent):
        (h,) = state
        a, c, n = drive[0].chunk(3, dim=-1)
        own_a, own_c = (1 + drive[1]).chunk(2, dim=-1)
        t, c = tanh(a.addcmul(own_a, h)), c.addcmul(own_c, h).sigmoid()
        n = tanh(n.addcmul(1 + t, h))
        return (n.lerp(h, c),), (t, c, n, own_a, own_c)

    def adjoint(self, grad, state, saved, recurrent):
        (grad_h,), (h,), (t, c, n, own_a, own_c) = grad, state, saved
        stay = grad_h * c
        through_n = grad_h - stay
        grad_n = through_n.addcmul(through_n * n, n, value=-1)
        grad_a = grad_n * h * (1 - t**2)
        grad_c = through_n * c * (h - n)
        before = stay + grad_n * (1 + t) + grad_a * own_a + grad_c * own_c
        return (before,), [(None, join(grad_a, grad_c, grad_n)), (None, join(grad_a * h, grad_c * h))]

    def jacobian(self, drive, state, recurrent):
        return self._derivatives(drive, state, recurrent).slope.diag_embed()

    def hessian(self, drive, state, recurrent):
        of_h = self._derivatives(drive, state, recurrent)
        return (of_h.slope**2 + of_h.speed * of_h.curvature).diag_embed()

    def _derivatives(self, drive: list[Tensor], state: tuple, recurrent: list[Tensor]) -> _Derivatives:
        (h,) = state
        _, (t, c, n, own_a, own_c) = self.step(drive, state, recurrent)
        a1, c1, n1 = (1 - t**2) * own_a, c * (1 - c) * own_c, 1 - n**2  # first derivatives
        a2, c2, n2 = -2 * t * a1 * own_a, c1 * (1 - 2 * c) * own_c, -2 * n * n1  # second derivatives
        inner, inner1 = 1 + t + h * a1, 2 * a1 + h * a2  # of n's input
        gap, gap1 = n - h, n1 * inner - 1
        curvature = (1 - c) * (n2 * inner**2 + n1 * inner1) - c2 * gap - 2 * c1 * gap1
        return _Derivatives((1 - c) * gap, (1 - c) * gap1 - c1 * gap, curvature)


class _Derivatives(NamedTuple):
    """h' - h of each unit, and its first and second derivative in h, `[S, B, H]` each."""

    speed: Tensor
    slope: Tensor
    curvature: Tensor
