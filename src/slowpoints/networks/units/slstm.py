"""The sLSTM of the xLSTM."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import Unit, by_variable, gate_weights, in_state, join, outer, tanh, through_gates

if TYPE_CHECKING:
    from torch import Tensor

F, O, I, G, MEAN, LOG_N = range(6)  # noqa: E741 (the six variables of a unit by itself: inputs of its gates, c / n, log n)


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

    def jacobian(self, drive, state, recurrent):
        _, saved = self.step(drive, state, recurrent)
        u, slopes = gate_weights(recurrent, 4), _slopes(state[1], saved)
        rows = []
        for of in (slopes.h, slopes.mean, slopes.log_n):
            rows.append(join(through_gates(of, u).mT, of[:, :, MEAN].diag_embed(), of[:, :, LOG_N].diag_embed()))
        after_by_before = join(*rows, dim=-2)
        return after_by_before - after_by_before.new_ones(after_by_before.shape[:-1]).diag_embed()

    def hessian(self, drive, state, recurrent):
        after, saved = self.step(drive, state, recurrent)
        speeds = [new - old for new, old in zip(after, state, strict=True)]
        slopes = _slopes(state[1], saved)
        return in_state(_local_hessian(state[1], speeds, saved, slopes), slopes.h, gate_weights(recurrent, 4))


class _Slopes(NamedTuple):
    """First derivatives of a unit's h', c' / n' and log n' in its six variables, `[S, B, 6, H]` each.

    `difference` is those of log i - log f - log n, of which the share of the new input is the sigmoid.
    """

    h: Tensor
    mean: Tensor
    log_n: Tensor
    difference: Tensor


def _slopes(mean: Tensor, saved: tuple[Tensor, ...]) -> _Slopes:
    forget, o, share, g, new = saved
    one, none, closed = o.new_ones(o.shape), o.new_zeros(o.shape), (-forget).sigmoid()
    difference = by_variable(-closed, none, one, none, none, -one)
    kept = by_variable(closed, none, none, none, none, one)
    moved = (share * (1 - share) * (g - mean))[:, :, None]
    of_mean = moved * difference + by_variable(none, none, none, share * (1 - g**2), 1 - share, none)
    through_o = by_variable(none, new * o * (1 - o), none, none, none, none)
    return _Slopes(o[:, :, None] * of_mean + through_o, of_mean, kept + share[:, :, None] * difference, difference)


def _local_hessian(mean: Tensor, speeds: list[Tensor], saved: tuple[Tensor, ...], slopes: _Slopes) -> Tensor:
    """Hessian of a unit's own share of half the squared speed in its six variables, `[S, B, 6, 6, H]`.

    Args:
        mean: c / n, `[S, B, H]`.
        speeds: of h, c / n and log n, `[S, B, H]` each.
        saved: intermediate values of the step.
        slopes: of the step.
    """
    forget, o, share, g, new = saved
    speed_h, speed_mean, speed_log_n = speeds
    share1, g1, o1, f1 = share * (1 - share), 1 - g**2, o * (1 - o), forget.sigmoid() * (-forget).sigmoid()
    moves_mean, moves_log_n = slopes.mean.clone(), slopes.log_n.clone()
    moves_mean[:, :, MEAN] -= 1
    moves_log_n[:, :, LOG_N] -= 1
    local = outer(slopes.h, slopes.h) + outer(moves_mean, moves_mean) + outer(moves_log_n, moves_log_n)
    weight = speed_h * o + speed_mean  # of the curvature of c' / n'
    bent = weight * share1 * (1 - 2 * share) * (g - mean) + speed_log_n * share1
    local += outer(slopes.difference, slopes.difference) * bent[:, :, None, None]
    for variable, slope in ((G, weight * share1 * g1), (MEAN, -weight * share1)):
        along = slopes.difference * slope[:, :, None]
        local[:, :, variable] += along
        local[:, :, :, variable] += along
    through_o = slopes.mean * (speed_h * o1)[:, :, None]
    local[:, :, O] += through_o
    local[:, :, :, O] += through_o
    local[:, :, O, O] += speed_h * new * o1 * (1 - 2 * o)
    local[:, :, G, G] += weight * share * -2 * g * g1
    local[:, :, F, F] += f1 * (weight * share1 * (g - mean) - speed_log_n * (1 - share))
    return local


def _log_sigmoid(x: Tensor) -> Tensor:
    """log sigmoid x, which does not underflow."""
    return x.clamp(max=0) + x.abs().sigmoid().log()


def _log_sum(a: Tensor, b: Tensor) -> Tensor:
    """log(exp a + exp b), where a may be -inf."""
    return a.maximum(b) - (a - b).abs().sigmoid().log()
