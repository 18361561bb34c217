"""The LSTM of the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import Unit, join, scale_columns, tanh, times_weights

if TYPE_CHECKING:
    from torch import Tensor

    from slowpoints.networks.units.unit import State

I, F, O, G, C = range(5)  # noqa: E741 (the five variables of a unit by itself: inputs of its gates, and its own c)


class LSTM(Unit):
    """Long short-term memory without peepholes or forget-gate offset.

    i, f, o = sigmoid(W x + U h + b), g = tanh(W x + U h + b), c' = f c + i g, h' = o tanh(c') (Hochreiter &
    Schmidhuber 1997; Gers et al. 2000, as in the authors' code).
    """

    name = "lstm"
    look = Look("LSTM", marker="^")
    blocks = (4,)  # (i, f, o, g), all multiply h
    parts = 2

    def step(self, drive, state, recurrent):
        h, c = state
        pre = drive[0].baddbmm(h, recurrent[0])
        hidden = h.shape[-1]
        gates = pre[..., : 3 * hidden].sigmoid()
        g = tanh(pre[..., 3 * hidden :])
        i, f, o = gates.chunk(3, dim=-1)
        c_new = (f * c).addcmul(i, g)
        squashed = tanh(c_new)
        return (o * squashed, c_new), (gates, g, squashed)

    def adjoint(self, grad, state, kept, recurrent):
        (grad_h, grad_c), (h, c), (gates, g, squashed) = grad, state, kept
        i, f, o = gates.chunk(3, dim=-1)
        through_tanh_c = grad_h * o
        grad_c = grad_c + through_tanh_c.addcmul(through_tanh_c * squashed, squashed, value=-1)
        grad_gates = join(grad_c * g, grad_c * c, grad_h * squashed)
        grad_gates.mul_(gates.addcmul(gates, gates, value=-1))
        through_i = grad_c * i
        grad_g = through_i.addcmul(through_i * g, g, value=-1)
        grad_pre = join(grad_gates, grad_g)
        return (grad_pre.bmm(recurrent[0].mT), grad_c * f), [(h, grad_pre)]

    def hessian(self, drive, state, recurrent):
        (h_new, _), kept = self.step(drive, state, recurrent)
        slopes = _slopes(state, kept)
        local = _local_hessian(h_new - state[0], state[1], kept, slopes)
        return _in_state(local, slopes.h, [block[:, None] for block in recurrent[0].chunk(4, dim=-1)])

    def speed_coordinates(self, state):
        h, c = state.chunk(2, dim=-1)
        return join(h, tanh(c))

    def speed_adjoint(self, grad, coordinates):
        grad_h, grad_c = grad.chunk(2, dim=-1)
        squashed = coordinates.chunk(2, dim=-1)[1]
        return join(grad_h, grad_c.addcmul(grad_c * squashed, squashed, value=-1))


class _Slopes(NamedTuple):
    """First derivatives of a unit's c', h' and tanh c' in its five variables, `[S, B, 5, H]` each.

    `through_o` is the part of h' that its output gate adds, `squash` the slope of tanh at c', `[S, B, H]`.
    """

    c: Tensor
    h: Tensor
    tanh_c: Tensor
    through_o: Tensor
    squash: Tensor


def _slopes(state: State, kept: tuple) -> _Slopes:
    c, (gates, g, squashed) = state[1], kept
    i, f, o = gates.chunk(3, dim=-1)
    i1, f1, o1, g1 = i * (1 - i), f * (1 - f), o * (1 - o), 1 - g**2
    none = c.new_zeros(c.shape)
    of_c = _by_variable(i1 * g, f1 * c, none, i * g1, f)
    through_o = _by_variable(none, none, o1, none, none)
    squash = 1 - squashed**2
    of_h = o[:, :, None] * squash[:, :, None] * of_c + through_o * squashed[:, :, None]
    return _Slopes(of_c, of_h, squash[:, :, None] * of_c, through_o, squash)


def _local_hessian(speed_h: Tensor, c: Tensor, kept: tuple, slopes: _Slopes) -> Tensor:
    """Hessian of a unit's own share of half the squared speed in its five variables, `[S, B, 5, 5, H]`."""
    gates, g, squashed = kept
    i, f, o = gates.chunk(3, dim=-1)
    i1, f1, o1, g1 = i * (1 - i), f * (1 - f), o * (1 - o), 1 - g**2
    before = tanh(c)
    squash_before = 1 - before**2
    speed_c = squashed - before
    residual_slope = slopes.tanh_c.clone()
    residual_slope[:, :, C] -= squash_before
    local = _outer(slopes.h, slopes.h) + _outer(residual_slope, residual_slope)
    through_c = speed_h * o + speed_c
    local += _outer(slopes.c, slopes.c) * (-2 * squashed * slopes.squash * through_c)[:, :, None, None]
    mixed = _outer(slopes.through_o, slopes.tanh_c) * speed_h[:, :, None, None]
    local += mixed + mixed.transpose(2, 3)
    weight = through_c * slopes.squash
    for (row, column), second in {
        (I, I): weight * i1 * (1 - 2 * i) * g,
        (I, G): weight * i1 * g1,
        (G, I): weight * i1 * g1,
        (G, G): weight * i * -2 * g * g1,
        (F, F): weight * f1 * (1 - 2 * f) * c,
        (F, C): weight * f1,
        (C, F): weight * f1,
        (O, O): speed_h * squashed * o1 * (1 - 2 * o),
        (C, C): speed_c * 2 * before * squash_before,
    }.items():
        local[:, :, row, column] += second
    return local


def _in_state(local: Tensor, h_slope: Tensor, u: list[Tensor]) -> Tensor:
    """From the units' variables to h and c, `[S, B, 2 H, 2 H]`: inputs of gates are products of h, h' - h has h in it.

    Args:
        local: `[S, B, 5, 5, H]`.
        h_slope: of h' in the five variables, `[S, B, 5, H]`.
        u: recurrent weights of each gate, `[S, 1, H, H]`.
    """
    own_c = local[:, :, C, C]
    hh = own_c.new_ones(own_c.shape).diag_embed()
    hc = (-h_slope[:, :, C]).diag_embed()
    for gate in range(4):
        terms = (scale_columns(u[other], local[:, :, other, gate]) for other in range(4))
        curved = sum(terms, start=local.new_zeros(()))
        hh += times_weights(curved, u[gate][:, 0].mT)
        straight = scale_columns(u[gate], h_slope[:, :, gate])
        hh -= straight + straight.mT
        hc += scale_columns(u[gate], local[:, :, gate, C])
    return join(join(hh, hc), join(hc.mT, own_c.diag_embed()), dim=-2)


def _by_variable(*slopes: Tensor) -> Tensor:
    """`[S, B, 5, H]` of five `[S, B, H]`."""
    return join(*(slope[:, :, None] for slope in slopes), dim=2)


def _outer(first: Tensor, second: Tensor) -> Tensor:
    """`[S, B, 5, 5, H]` of two `[S, B, 5, H]`."""
    return first[:, :, :, None] * second[:, :, None]
