"""The LSTM of the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import (
    Kernels,
    Unit,
    by_variable,
    gate_weights,
    in_state,
    join,
    outer,
    solver,
    tanh,
    through_gates,
)

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
    gate_groups = (4,)  # (i, f, o, g), all multiply h
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

    def adjoint(self, grad, state, saved, recurrent):
        (grad_h, grad_c), (h, c), (gates, g, squashed) = grad, state, saved
        i, f, o = gates.chunk(3, dim=-1)
        through_tanh_c = grad_h * o
        grad_c = grad_c + through_tanh_c.addcmul(through_tanh_c * squashed, squashed, value=-1)
        grad_gates = join(grad_c * g, grad_c * c, grad_h * squashed)
        grad_gates.mul_(gates.addcmul(gates, gates, value=-1))
        through_i = grad_c * i
        grad_g = through_i.addcmul(through_i * g, g, value=-1)
        grad_pre = join(grad_gates, grad_g)
        return (grad_pre.bmm(recurrent[0].mT), grad_c * f), [(h, grad_pre)]

    def kernels(self):
        from slowpoints.networks.recurrence.kernels.lstm import backward, forward  # Numba takes half a second to import

        return Kernels(forward, backward, saved=(4, 1))

    def jacobian(self, drive, state, recurrent):
        _, saved = self.step(drive, state, recurrent)
        slopes = _slopes(state, saved)
        from_c = [of[:, :, C].diag_embed() for of in (slopes.h, slopes.c)]
        after = join(join(*_from_h(slopes, recurrent)), join(*from_c), dim=-2).mT
        return after - after.new_ones(after.shape[:-1]).diag_embed()

    def newton(self, drive, state, recurrent):
        """As `Unit.newton`. A unit's c acts only on itself and its own h, so the system to be solved is in h alone."""
        _, saved = self.step(drive, state, recurrent)
        slopes = _slopes(state, saved)
        h_by_h, c_by_h = (slope.mT for slope in _from_h(slopes, recurrent))
        leak = slopes.c[:, :, C] - 1
        pull = slopes.h[:, :, C] / leak
        reduced = h_by_h - pull[..., None] * c_by_h
        reduced.diagonal(dim1=-2, dim2=-1).sub_(1)
        solve = solver(reduced)

        def step(move):
            move_h, move_c = move.chunk(2, dim=-1)
            step_h = -solve(move_h - pull * move_c)
            return join(step_h, -(move_c + (c_by_h @ step_h[..., None])[..., 0]) / leak)

        return step

    def hessian(self, drive, state, recurrent):
        (h, c), ((h_new, c_new), saved) = state, self.step(drive, state, recurrent)
        slopes = _slopes(state, saved)
        local = _local_hessian(h_new - h, self._measured(c), self._measured(c_new), c, saved, slopes)
        return in_state(local, slopes.h, gate_weights(recurrent, 4))

    @property
    def raw(self):
        return _RawLSTM()

    def speed_coordinates(self, state):
        h, c = state.chunk(2, dim=-1)
        return join(h, tanh(c))

    def speed_adjoint(self, grad, coordinates):
        grad_h, grad_c = grad.chunk(2, dim=-1)
        squashed = coordinates.chunk(2, dim=-1)[1]
        return join(grad_h, grad_c.addcmul(grad_c * squashed, squashed, value=-1))

    def _measured(self, c: Tensor) -> _Measured:
        return _squashed(c)


class _RawLSTM(LSTM):
    """The LSTM with speed measured in c itself, which shows the drift of a saturated cell state."""

    def speed_coordinates(self, state):
        return state

    def speed_adjoint(self, grad, coordinates):
        return grad

    def _measured(self, c):
        return _Measured(c, c.new_ones(c.shape), c.new_zeros(c.shape))


class _Measured(NamedTuple):
    """A function of c, and its first and second derivative, `[S, B, H]` each."""

    value: Tensor
    slope: Tensor
    curvature: Tensor


def _squashed(c: Tensor) -> _Measured:
    squashed = tanh(c)
    slope = 1 - squashed**2
    return _Measured(squashed, slope, -2 * squashed * slope)


class _Slopes(NamedTuple):
    """First derivatives of a unit's c' and h' with respect to its five variables, `[S, B, 5, H]` each.

    `through_o` is the part of h' through the output gate, `tanh_c` the derivatives of tanh c'.
    """

    c: Tensor
    h: Tensor
    through_o: Tensor
    tanh_c: Tensor


def _slopes(state: State, saved: tuple) -> _Slopes:
    c, (gates, g, squashed) = state[1], saved
    i, f, o = gates.chunk(3, dim=-1)
    i1, f1, o1, g1 = i * (1 - i), f * (1 - f), o * (1 - o), 1 - g**2
    none = c.new_zeros(c.shape)
    of_c = by_variable(i1 * g, f1 * c, none, i * g1, f)
    through_o = by_variable(none, none, o1, none, none)
    tanh_c = (1 - squashed**2)[:, :, None] * of_c
    return _Slopes(of_c, o[:, :, None] * tanh_c + through_o * squashed[:, :, None], through_o, tanh_c)


def _from_h(slopes: _Slopes, recurrent: list[Tensor]) -> list[Tensor]:
    """Derivatives of h' and c' with respect to h through the gates, a column per coordinate, `[S, B, H, H]` each."""
    u = gate_weights(recurrent, 4)
    return [through_gates(of, u) for of in (slopes.h, slopes.c)]


def _local_hessian(
    speed_h: Tensor, before: _Measured, after: _Measured, c: Tensor, saved: tuple, slopes: _Slopes
) -> Tensor:
    """Hessian of a unit's share of half the squared speed with respect to its five variables, `[S, B, 5, 5, H]`.

    Args:
        speed_h: h' - h, `[S, B, H]`.
        before: c in the coordinates of speed.
        after: c' likewise.
        c: `[S, B, H]`.
        saved: intermediate values of the step.
        slopes: of the step.
    """
    gates, g, squashed = saved
    i, f, o = gates.chunk(3, dim=-1)
    i1, f1, o1, g1 = i * (1 - i), f * (1 - f), o * (1 - o), 1 - g**2
    speed_c, squash = after.value - before.value, 1 - squashed**2
    residual_slope = after.slope[:, :, None] * slopes.c
    residual_slope[:, :, C] -= before.slope
    local = outer(slopes.h, slopes.h) + outer(residual_slope, residual_slope)
    curvature = -2 * squashed * squash * speed_h * o + after.curvature * speed_c
    local += outer(slopes.c, slopes.c) * curvature[:, :, None, None]
    mixed = outer(slopes.through_o, slopes.tanh_c) * speed_h[:, :, None, None]
    local += mixed + mixed.transpose(2, 3)
    weight = speed_h * o * squash + speed_c * after.slope
    for (row, column), second in {
        (I, I): weight * i1 * (1 - 2 * i) * g,
        (I, G): weight * i1 * g1,
        (G, I): weight * i1 * g1,
        (G, G): weight * i * -2 * g * g1,
        (F, F): weight * f1 * (1 - 2 * f) * c,
        (F, C): weight * f1,
        (C, F): weight * f1,
        (O, O): speed_h * squashed * o1 * (1 - 2 * o),
        (C, C): -speed_c * before.curvature,
    }.items():
        local[:, :, row, column] += second
    return local
