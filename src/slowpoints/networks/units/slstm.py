"""The sLSTM of the xLSTM."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import Unit, join, tanh

if TYPE_CHECKING:
    from torch import Tensor


class SLSTM(Unit):
    """LSTM with an exponential input gate and a normaliser, one head.

    i = exp(W x + U h + b), f, o = sigmoid(W x + U h + b), g = tanh(W x + U h + b), c' = f c + i g, n' = f n + i,
    h' = o c' / n' (Beck et al. 2024, sLSTM; of their two forget gates the sigmoid). The state is (h, c / n, log n):
    without their stabiliser m, c and n overflow, and with it they are known only up to a common factor, along which
    nothing happens. In these coordinates, with the share s = i / n' of the new input,

        c' / n' = (1 - s) c / n + s g,  log n' = log(exp(log f + log n) + exp(log i)),

    the latter computed about its larger term, which is their m. c and n start at 0, so that s is 1 in the first frame.
    The convolution, normalisation and projections around the paper's cell are left out.
    """

    name = "slstm"
    look = Look("sLSTM", marker="*")
    gate_groups = (4,)  # (f, o, i, g), all multiply h
    parts = 3

    def initial_state(self, networks, trials, hidden, like):
        h, mean, log_n = super().initial_state(networks, trials, hidden, like)
        return h, mean, log_n - math.inf

    def step(self, drive, state, recurrent):
        h, mean, log_n = state
        forget, o, log_i, g = drive[0].baddbmm(h, recurrent[0]).chunk(4, dim=-1)
        kept = _log_sigmoid(forget) + log_n
        share = (log_i - kept).sigmoid()
        g, o = tanh(g), o.sigmoid()
        new = mean.lerp(g, share)
        return (o * new, new, _log_sum(kept, log_i)), (forget, o, share, g, new)

    def adjoint(self, grad, state, saved, recurrent):
        (grad_h, grad_mean, grad_log_n), (h, mean, _), (forget, o, share, g, new) = grad, state, saved
        grad_new = grad_mean + grad_h * o
        grad_g = grad_new * share
        stay = grad_new - grad_g
        grad_share = stay * share * (g - mean)
        grad_i = grad_share + grad_log_n * share
        grad_kept = grad_log_n - grad_i
        grad_o = grad_h * new * o
        grad_pre = join(
            grad_kept * (-forget).sigmoid(),
            grad_o - grad_o * o,
            grad_i,
            grad_g.addcmul(grad_g * g, g, value=-1),
        )
        return (grad_pre.bmm(recurrent[0].mT), stay, grad_kept), [(h, grad_pre)]


def _log_sigmoid(x: Tensor) -> Tensor:
    """log sigmoid x, which does not underflow."""
    return x.clamp(max=0) + x.abs().sigmoid().log()


def _log_sum(a: Tensor, b: Tensor) -> Tensor:
    """log(exp a + exp b), where a may be -inf."""
    return a.maximum(b) - (a - b).abs().sigmoid().log()
