"""The minimal GRU without a recurrent product."""

from __future__ import annotations

import math

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import Unit, join


class MinGRU(Unit):
    """Minimal gated recurrent unit: gate and new state depend on the input alone.

    z = sigmoid(W x + b), n = W x + b, h' = (1 - z) h + z n (Feng et al. 2024, "Were RNNs all we needed?"). Under a
    constant input h' is affine in h, unit by unit: all states approach one fixed point, h = n.
    """

    name = "mingru"
    look = Look("minGRU", marker="X")
    gate_groups = (2,)  # (z, n)
    groups_without_recurrence = (0,)
    parts = 1
    bound = math.inf
    affine = True

    def step(self, drive, state, recurrent):
        (h,) = state
        z, n = drive[0].chunk(2, dim=-1)
        z = z.sigmoid()
        return (h.lerp(n, z),), (z, n)

    def adjoint(self, grad, state, saved, recurrent):
        (grad_h,), (h,), (z, n) = grad, state, saved
        grad_n = grad_h * z
        stay = grad_h - grad_n
        return (stay,), [(None, join(stay * z * (n - h), grad_n))]

    def jacobian(self, drive, state, recurrent):
        _, (z, _) = self.step(drive, state, recurrent)
        return (-z).diag_embed()

    def hessian(self, drive, state, recurrent):
        _, (z, _) = self.step(drive, state, recurrent)
        return z.square().diag_embed()
