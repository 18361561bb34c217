"""The real-gated linear recurrent unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import Unit, join

if TYPE_CHECKING:
    from torch import Tensor

SHARPNESS = 8.0
"""c: frames of decay by a in one frame whose gate is open (paper)."""
SLOWEST_START, FASTEST_START = 0.999, 0.9
"""Between them, a^c is uniform before training (paper)."""
TINY = 1e-30
"""Below any gain but 0 in float32: that of the smallest number is 5e-23."""


class RGLRU(Unit):
    """Real-gated linear recurrent unit: a diagonal real state, and gates that see the input alone.

    r, i = sigmoid(W x + b), n = W x + b, a = sigmoid(Lambda)^(c r), h' = a h + sqrt(1 - a^2) i n, with c = 8 (De et al.
    2024, "Griffin"). Where r is closed, a frame leaves h as it is and adds nothing. Under a constant input h' is affine
    in h, unit by unit.

    In the paper, unit and gates read the output of a linear layer and a short convolution. Here n is the linear layer,
    and the gates read x; what lies around the unit is left out. As in the paper, sigmoid(Lambda)^c is uniform between
    0.9 and 0.999 before training, though with the same values in every network: Lambda is a start plus a bias. (The
    paper's appendix writes log a as -c r softplus(Lambda), with Lambda for -Lambda.)
    """

    name = "rg-lru"
    look = Look("RG-LRU", marker="d")
    gate_groups = (3, 1)  # (r, i, n), Lambda
    groups_without_input = (1,)
    groups_without_recurrence = (0, 1)
    parts = 1
    bound = math.inf
    affine = True

    def step(self, drive, state, recurrent):
        (h,) = state
        r, i, n = drive[0].chunk(3, dim=-1)
        r, i, logit = r.sigmoid(), i.sigmoid(), _logit(drive[1])
        log_a = -r * _rate(logit)
        a, gain = log_a.exp(), (-(2 * log_a).expm1()).sqrt()  # 1 - a^2 would round to 0 where a is close to 1
        return (a * h + gain * (i * n),), (r, i, n, logit, log_a, a, gain)

    def adjoint(self, grad, state, saved, recurrent):
        (grad_h,), (h,), (r, i, n, logit, log_a, a, gain) = grad, state, saved
        before = grad_h * a
        grad_n = grad_h * gain * i
        # By log |log a|: finite, and 0, where log a underflows and the derivative of the gain by it has no bound.
        grad_log = before * (log_a * h - log_a / gain.clamp(min=TINY) * a * i * n)
        grad_logit = -grad_log * SHARPNESS * (-logit).sigmoid() / _rate(logit).clamp(min=TINY)
        grad_gates = join(grad_log * (1 - r), grad_n * n * (1 - i), grad_n)
        return (before,), [(None, grad_gates), (None, grad_logit)]

    def jacobian(self, drive, state, recurrent):
        return self._moves(drive, state, recurrent).diag_embed()

    def hessian(self, drive, state, recurrent):
        return self._moves(drive, state, recurrent).square().diag_embed()

    def _moves(self, drive: list[Tensor], state: tuple, recurrent: list[Tensor]) -> Tensor:
        """a - 1 of each unit, `[S, B, H]`, without cancellation where a is close to 1."""
        _, (*_, log_a, _, _) = self.step(drive, state, recurrent)
        return log_a.expm1()


def _logit(deviation: Tensor) -> Tensor:
    """Lambda, `[S, B, H]`: a start in each unit, and its deviation from it."""
    place = (deviation.new_ones(deviation.shape[-1]).cumsum(0) - 0.5) / deviation.shape[-1]  # evenly in [0, 1]
    decay = FASTEST_START + (SLOWEST_START - FASTEST_START) * place  # a^c
    return deviation - (-decay.log() / SHARPNESS).expm1().log()


def _rate(logit: Tensor) -> Tensor:
    """-log sigmoid(Lambda)^c, per frame with an open gate."""
    return SHARPNESS * (-logit).logaddexp(logit.new_zeros(()))
